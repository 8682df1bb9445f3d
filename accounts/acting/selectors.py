"""The lists about acting for others."""

from collections.abc import Sequence

from django.core.cache import cache
from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts.acting.rules import people_of_manager
from accounts.models import CompanyManager, User, UserQuerySet
from opscom.core.models import AuditEntry

MANAGERS_KEY = "accounts:managers"
# Short, because a save while the cache is unreachable cannot drop the entry.
MANAGERS_SECONDS = 60
SEARCHED = ("first_name", "last_name", "email", "employee_number", "student_number")


def company_people(manager: User, words: Sequence[str] = ()) -> UserQuerySet:
    """Return the people whom the manager's page lists, those whom all words fit; `is_open`: may be logged in as."""
    rows = people_of_manager(manager).select_related("company")
    for word in words:
        rows = rows.filter(Q(*[(f"{name}__icontains", word) for name in SEARCHED], _connector=Q.OR))
    is_open = Exists(User.objects.open_to_managers().filter(pk=OuterRef("pk")))
    return rows.annotate(is_open=is_open).order_by("last_name", "first_name", "pk")


def is_manager(person: User) -> bool:
    """Say whether the person manages an active company: each page of the portal asks it, for the tab."""
    managers: frozenset[int] | None = cache.get(MANAGERS_KEY)
    if managers is None:
        rows = CompanyManager.objects.filter(company__is_active=True)
        managers = frozenset(rows.values_list("person", flat=True))
        cache.set(MANAGERS_KEY, managers, MANAGERS_SECONDS)
    return person.pk in managers


def forget_managers() -> None:
    """Drop the cached managers after the office has changed them."""
    cache.delete(MANAGERS_KEY)


def acts_for(person: User) -> QuerySet[AuditEntry]:
    """Return what others did in this person's account, the newest first: each entry names who (`actor`)."""
    rows = AuditEntry.objects.filter(on_behalf_of=person).exclude(actor=None).exclude(actor=person)
    return rows.select_related("actor")
