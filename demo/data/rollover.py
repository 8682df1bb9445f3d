"""Monthly permits that renew themselves, one a few days before its end; and next year's sale, into which the office can roll."""

import datetime as dt

from django.utils import timezone

from accounts.models import User
from opscom.provider.selectors import local_date, start_of_day
from permits.models import Permit, PermitStatus, PermitType, Rollover, Sale
from permits.services.allotting import NumberRange, allot_numbers
from permits.services.renewing import take_next_step
from permits.services.rollover import switch_on
from permits.terms import add_months

MONTHLY = ["north-monthly", "arena-monthly", "west-evening"]
# Their place in the list of people: two have a stored card and want it; the second one's next period is reserved already.
SWITCHED_ON, ANNOUNCED = 0, 12


def make_rollover(people: list[User], office: User) -> None:
    """Switch it on for two, and let the beat take its first step for one of them."""
    PermitType.objects.filter(code__in=MONTHLY).update(is_rollover_offered=True)
    switch_on(permit=_monthly_of(people[SWITCHED_ON]), actor=people[SWITCHED_ON])
    soon = _monthly_of(people[ANNOUNCED])
    _bring_end_near(soon)
    switch_on(permit=soon, actor=people[ANNOUNCED])
    while take_next_step(timezone.now()):
        pass
    make_next_year(office)


def _monthly_of(person: User) -> Permit:
    permits = Permit.objects.filter(holder=person, status=PermitStatus.ACTIVE, sale__permit_type__code__in=MONTHLY)
    return permits.select_related("sale__permit_type", "sale__lot", "holder").order_by("pk")[0]


def _bring_end_near(permit: Permit) -> None:
    """Let it be one that was bought most of a month ago: it ends in five days, so that its notice is due."""
    end = local_date() + dt.timedelta(days=5)
    first = add_months(end, -1)
    Permit.objects.filter(pk=permit.pk).update(valid_from=start_of_day(first), valid_until=start_of_day(end))
    permit.refresh_from_db()
    Rollover.objects.filter(permit=permit).delete()


def make_next_year(office: User) -> Sale:
    """Write the sale that follows this academic year's, not switched on yet: the office rolls its holders first."""
    this = Sale.objects.get(permit_type__code="library-year")
    if this.valid_until is None:
        raise ValueError("The year's sale has no last day.")
    after = Sale.objects.create(
        permit_type=this.permit_type,
        lot=this.lot,
        opens_at=timezone.now() + dt.timedelta(days=180),
        valid_from=this.valid_until,
        valid_until=add_months(this.valid_until, 12),
        is_active=False,
    )
    allot_numbers(sale=after, numbers=NumberRange("LB-", 1, 6), actor=office)
    return after
