"""The hold on an account whose overdue tickets come to more than the provider allows. Paying lifts it at once."""

import datetime as dt
import logging
from decimal import Decimal

from django.db import transaction
from django.db.models import DurationField, ExpressionWrapper, F
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from accounts.models import AccountHold, User
from accounts.services.holds import find_hold, lift_hold, lift_hold_of, place_hold
from accounts.services.people import lock_person
from opscom.core.hooks import after_commit
from opscom.core.money import ZERO
from opscom.provider.selectors import get_provider
from violations.costing import calendar_of, cost_at, is_overdue
from violations.models import Ticket

log = logging.getLogger(__name__)
SOURCE = "overdue-tickets"


def overdue_sum(person: User) -> Decimal:
    """Return what the person owes for overdue tickets; what is under review is not asked for."""
    tickets = Ticket.objects.filter(person=person).unpaid().with_reviews()
    late = [one for one in tickets if is_overdue(one) and not calendar_of(one).is_standing_still]
    return sum((cost_at(ticket) for ticket in late), ZERO)


@transaction.atomic
def refresh_hold(person: User) -> None:
    """Place, change or lift the person's hold for overdue tickets, as their sum now asks for."""
    person = lock_person(person)
    # Of an account that was merged into this one: its sum is in this one's.
    for other in AccountHold.objects.filter(person=person, source=SOURCE, lifted_at=None).exclude(object_id=person.pk):
        lift_hold(hold=other)
    limit, owed = get_provider().overdue_hold_above, overdue_sum(person)
    if limit is not None and owed > limit:
        standing = find_hold(source=SOURCE, object_id=person.pk)
        if standing is None or standing.amount != owed:
            with override(person.language):
                reason = _("Overdue tickets")
            place_hold(person=person, reason=reason, amount=owed, source=SOURCE, object_id=person.pk)
    else:
        lift_hold_of(source=SOURCE, object_id=person.pk)


def refresh_hold_of(person_id: int) -> None:
    """As `refresh_hold`; what follows a commit knows only the person's id."""
    refresh_hold(User.objects.get(pk=person_id))


def look_at_hold(ticket: Ticket) -> None:
    """Once this transaction is committed, place or lift the hold of the ticket's person, if one is known."""
    if ticket.person_id:
        after_commit(refresh_hold_of, ticket.person_id)


def refresh_holds() -> int:
    """Look at everybody who has an overdue ticket or such a hold: what a killed process left undone. Returns how many."""
    # What is under review is later by as many days: the sum itself decides.
    days_to_pay = ExpressionWrapper(F("due_days") * dt.timedelta(days=1), output_field=DurationField())
    late = Ticket.objects.unpaid().filter(person__isnull=False, issued_at__lt=timezone.now() - days_to_pay)
    owing = late.values("person")
    held = User.objects.filter(holds__source=SOURCE, holds__lifted_at__isnull=True)
    people = (User.objects.filter(pk__in=owing) if get_provider().overdue_hold_above is not None else held) | held
    count = 0
    for person in people.distinct().order_by("pk").iterator():
        try:
            refresh_hold(person)
        except Exception:
            # One account that fails stops nobody behind it; it is looked at again in an hour.
            log.exception("the hold of %s could not be looked at", person.code)
        else:
            count += 1
    return count
