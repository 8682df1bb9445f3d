"""Who must show a code at sign-in, and by which means."""

from dataclasses import dataclass

from django.core.cache import cache
from django.db.models import Q

from accounts.models import MfaMethod, User, UserType
from accounts.selectors import covers
from opscom.provider.models import MfaRule
from opscom.provider.selectors import get_provider, local_date

CACHE_KEY = "accounts:mfa-rules"
# Short, because a save while the cache is unreachable cannot drop the entry.
CACHE_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Exceptions:
    """What differs from the provider's switch: by user type (None: the default type), and people with rights."""

    by_type: dict[int | None, str]
    with_rights: frozenset[int]


def rule_for(person: User) -> str:
    """Return which rule stands for this person: a member of MfaRule."""
    if is_office(person):
        return MfaRule.REQUIRED
    by_type = _exceptions().by_type
    is_own = person.user_type_id is not None and (not by_type or covers(person, local_date()))
    return by_type.get(person.user_type_id if is_own else None) or get_provider().mfa


def is_office(person: User) -> bool:
    """Say whether the person may open the office's site or holds any right there: then no switch can spare the code."""
    return person.is_staff or person.is_superuser or person.pk in _exceptions().with_rights


def needs_code(person: User) -> bool:
    """Say whether this person has to show a code after signing in."""
    rule = rule_for(person)
    return rule == MfaRule.REQUIRED or (rule == MfaRule.OPTIONAL and bool(person.mfa_method))


def method_of(person: User) -> str:
    """Return by which means the person shows codes: what they chose, else by e-mail, which needs no enrolment."""
    return person.mfa_method or MfaMethod.EMAIL


def code_address(person: User) -> str:
    """Return where codes are sent: a proved address, or any for people of the office, whom it knows. Empty: nowhere."""
    return person.contact_email if person.is_email_proved or is_office(person) else ""


def forget_exceptions() -> None:
    """Drop the cached exceptions after types, roles or rights have changed."""
    cache.delete(CACHE_KEY)


def _exceptions() -> Exceptions:
    found: Exceptions | None = cache.get(CACHE_KEY)
    if found is None:
        by_type: dict[int | None, str] = {}
        for row in UserType.objects.exclude(mfa=""):
            by_type[row.pk] = row.mfa
            if row.is_default:
                by_type[None] = row.mfa
        rights = Q(groups__permissions__isnull=False) | Q(user_permissions__isnull=False)
        people = User.objects.filter(rights).values_list("pk", flat=True).distinct()
        found = Exceptions(by_type, frozenset(people))
        cache.set(CACHE_KEY, found, CACHE_SECONDS)
    return found
