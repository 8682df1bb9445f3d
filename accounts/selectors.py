"""What is asked of people, which type somebody has on a day, and what must wait for a proved address."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field

from django.conf import settings
from django.core.cache import cache
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.utils.translation import override as language_override

from accounts.addresses import email_domain
from accounts.models import FieldKind, FieldState, ProfileAnswer, ProfileField, User, UserType, UserTypeDomain
from accounts.profile import COUNTRIES_WITH_REGIONS
from opscom.core.errors import Allowed, Decision, Refused
from opscom.core.fields import Translated
from opscom.provider.selectors import get_provider

# The number counts the shapes of what is kept: an older one is not read.
FIELDS_KEY = "accounts:profile-fields:2"


@dataclass(frozen=True, slots=True)
class Asked:
    """How one profile field is asked today. What follows `is_asked_at_registration` only the office's own fields have."""

    name: str
    group: str
    is_required: bool
    is_editable: bool
    is_asked_at_registration: bool
    pk: int = 0
    kind: str = FieldKind.BUILT_IN
    label: Translated = field(default_factory=Translated)
    help_text: Translated = field(default_factory=Translated)
    # (code, label)
    choices: tuple[tuple[str, Translated], ...] = ()
    is_hidden: bool = False

    @property
    def is_own(self) -> bool:
        """Say whether the office made it: then the answers are rows, not columns of `User`."""
        return self.kind != FieldKind.BUILT_IN


def known_fields() -> list[Asked]:
    """Return all profile fields in the office's order, hidden ones too; kept in the cache until the office saves."""
    fields: list[Asked] | None = cache.get(FIELDS_KEY)
    if fields is None:
        fields = [as_asked(row) for row in ProfileField.objects.order_by("position", "pk")]
        cache.set(FIELDS_KEY, fields, 300)
    return fields


def asked_fields() -> list[Asked]:
    """Return the profile fields that are not hidden, in the office's order."""
    return [field for field in known_fields() if not field.is_hidden]


def as_asked(row: ProfileField) -> Asked:
    """Return what forms and the gate need of the row."""
    return Asked(
        name=row.name,
        group=row.group,
        is_required=row.state == FieldState.REQUIRED,
        is_editable=row.is_editable,
        is_asked_at_registration=row.is_asked_at_registration,
        pk=row.pk,
        kind=row.kind,
        label=row.label,
        help_text=row.help_text,
        choices=tuple((choice["code"], Translated(choice["label"])) for choice in row.choices),
        is_hidden=row.state == FieldState.HIDDEN,
    )


def forget_asked_fields() -> None:
    """Drop the cached fields after the office changed them."""
    cache.delete(FIELDS_KEY)


def answers_of(person: User, asked: Iterable[Asked]) -> dict[str, str]:
    """Return name -> answer as it is stored, for those of the office's own fields that this person has answered."""
    names = {field.pk: field.name for field in asked if field.is_own}
    if not names:
        return {}
    rows = ProfileAnswer.objects.filter(person=person, field__in=names).exclude(value="")
    return {names[row.field_id]: row.value for row in rows}


def missing_fields(user: User) -> list[str]:
    """Return the names of required profile fields that are empty; while there is one, every page leads to the profile.

    One that the person may not change is not asked of them: an empty one is a task for the office.
    """
    required = [field for field in asked_fields() if field.is_required and field.is_editable]
    answers = answers_of(user, required)
    return [field.name for field in required if field.name not in answers and _is_missing(user, field)]


def _is_missing(user: User, field: Asked) -> bool:
    if field.is_own:
        return True
    if field.name == "region" and user.country and user.country not in COUNTRIES_WITH_REGIONS:
        return False
    return not str(getattr(user, field.name)).strip()


def offered_languages() -> list[tuple[str, str]]:
    """Return (code, name in that language itself) of what the provider offers; all that we have when it chose none."""
    chosen = get_provider().languages
    offered = [code for code, _name in settings.LANGUAGES if not chosen or code in chosen]
    return [(code, language_name(code)) for code in offered or [settings.LANGUAGE_CODE]]


def language_name(code: str) -> str:
    """Return how speakers of a language call it."""
    with language_override(code):
        return str(dict(settings.LANGUAGES)[code])


def default_user_type() -> UserType | None:
    """Return the type that new people get; None while the office has named none."""
    return UserType.objects.filter(is_default=True).first()


def current_user_type(user: User, on: dt.date) -> UserType | None:
    """Return the person's type on that day of the provider: their own from/until its dates, else the default."""
    if user.user_type and covers(user, on):
        return user.user_type
    return default_user_type()


def covers(user: User, on: dt.date) -> bool:
    begun = user.user_type_from is None or user.user_type_from <= on
    return begun and (user.user_type_until is None or on < user.user_type_until)


def user_type_for_address(address: str) -> UserType | None:
    """Return the type that the e-mail domain gives to those who proved an address in it."""
    row = UserTypeDomain.objects.filter(domain=email_domain(address)).select_related("user_type").first()
    return row.user_type if row else None


# What has to wait until the address is proved, in the words of the refusal. All else is open: the profile, vehicles,
# one permit, paying by card.
NEEDS_PROOF = {
    "waitlist": gettext_lazy("join a waitlist"),
    "promise": gettext_lazy("promise to pay later"),
    "stored_card": gettext_lazy("keep a card for later payments"),
    "appeal": gettext_lazy("appeal a ticket"),
    "ticket_search": gettext_lazy("search for tickets"),
    "documents": gettext_lazy("upload documents"),
    "acting": gettext_lazy("act for others"),
    "second_permit": gettext_lazy("hold more than one permit"),
}
NOT_PROVED = "email-not-proved"


def require_proved(user: User, what: str) -> Decision:
    """Say whether the person may do `what` (a key of NEEDS_PROOF): only once their e-mail address is proved.

    A refusal has the code NOT_PROVED; pages include `accounts/_prove_address.html`, which sends the link again.
    """
    deed = NEEDS_PROOF[what]
    if user.is_email_proved:
        return Allowed()
    if not user.contact_email:
        return Refused(
            NOT_PROVED, _("Before you can %(deed)s, the office must add your e-mail address.") % {"deed": deed}
        )
    reason = _(
        "Before you can %(deed)s, confirm your e-mail address: open the link that was sent to %(address)s. "
        "You can have it sent again on the page Security."
    )
    return Refused(NOT_PROVED, reason % {"deed": deed, "address": user.contact_email})
