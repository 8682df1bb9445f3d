"""Place and lift holds on accounts."""

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import AccountHold, User
from accounts.services.people import lock_person
from opscom.core import audit
from opscom.core.errors import DomainError, NotAllowed


@transaction.atomic
def place_hold(
    *,
    person: User,
    reason: str,
    amount: Decimal | None = None,
    starts_at: dt.datetime | None = None,
    ends_at: dt.datetime | None = None,
    actor: User | None = None,
    source: str = "",
    object_id: int | None = None,
) -> AccountHold:
    """Let the person buy nothing new in [starts_at, ends_at): from now when None, until it is lifted when None.

    A service names itself (`source`) and what it does it for (`object_id`): asked again for the same cause, it gets the
    hold that stands there, with the reason, amount and end of this time. What is reserved already may be paid.
    Raises DomainError for times and sums that make no sense, and for a cause that holds somebody else's account.
    """
    person = lock_person(person)
    standing = find_hold(source=source, object_id=object_id)
    starts_at = standing.starts_at if standing else starts_at or timezone.now()
    if ends_at is not None and ends_at <= starts_at:
        raise DomainError(_("A hold must end after it begins."))
    if amount is not None and amount <= 0:
        raise DomainError(_("An amount to pay is more than zero."))
    values = {"reason": reason, "amount": amount, "ends_at": ends_at}
    if standing:
        return _change(standing, person, values, actor)
    hold = AccountHold.objects.create(
        person=person, starts_at=starts_at, placed_by=actor, source=source, object_id=object_id, **values
    )
    audit.record("hold.placed", hold, actor=actor, amount=str(amount or ""), source=source)
    return hold


@transaction.atomic
def lift_hold(*, hold: AccountHold, actor: User | None = None) -> bool:
    """End the hold now; False when it was lifted already. Raises NotAllowed for one's own: somebody else decides that."""
    if actor and actor.pk == hold.person_id:
        raise NotAllowed(_("This is your own account: somebody else must lift the hold."))
    lock_person(hold.person)
    now = timezone.now()
    if not AccountHold.objects.filter(pk=hold.pk, lifted_at__isnull=True).update(lifted_at=now, lifted_by=actor):
        return False
    hold.lifted_at, hold.lifted_by = now, actor
    audit.record("hold.lifted", hold, actor=actor)
    return True


def lift_hold_of(*, source: str, object_id: int, actor: User | None = None) -> bool:
    """End the hold that a service placed for this cause; False when there is none."""
    hold = find_hold(source=source, object_id=object_id)
    return hold is not None and lift_hold(hold=hold, actor=actor)


def find_hold(*, source: str, object_id: int | None) -> AccountHold | None:
    """Return the hold for this cause that is not lifted; those of the office have no cause that could be named."""
    if not source or object_id is None:
        return None
    standing = AccountHold.objects.filter(source=source, object_id=object_id, lifted_at__isnull=True)
    return standing.select_related("person").first()


def _change(hold: AccountHold, person: User, values: Mapping[str, object], actor: User | None) -> AccountHold:
    if hold.person_id != person.pk:
        raise DomainError(
            _("This hold is on the account of %(person)s and cannot be moved to another account.")
            % {"person": hold.person}
        )
    changed = [name for name, value in values.items() if getattr(hold, name) != value]
    if changed:
        for name in changed:
            setattr(hold, name, values[name])
        hold.save(update_fields=changed)
        audit.record("hold.changed", hold, actor=actor, fields=changed)
    return hold
