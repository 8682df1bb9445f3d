"""What happens to permits while they run: a replacement car, a switch, a lost one, one suspended, one ended early."""

import datetime as dt
from decimal import Decimal

from accounts.models import User
from opscom.provider.selectors import local_date
from permits.models import NumberChangeReason, Permit, PermitStatus, PermitType, Proration
from permits.services.ending import end_early
from permits.services.moving import replace_permit, switch_permits
from permits.services.suspending import suspend_permit
from permits.services.vehicles import add_replacement_car

# Code of the type -> how a part of its time counts; all may be ended early by their holders.
RULES = {
    "north-monthly": Proration.DAYS,
    "arena-monthly": Proration.DAYS,
    "library-year": Proration.MONTHS,
    "residence-term": Proration.MONTHS,
    "west-student": Proration.MONTHS,
}


def make_permit_changes(people: list[User], office: User) -> None:
    """Switch the rules on, and change some of the permits that `make_permits` sold."""
    for code, rule in RULES.items():
        PermitType.objects.filter(code=code).update(
            proration=rule,
            may_end_early=True,
            early_end_fee=Decimal("5.00"),
            replacement_fee=Decimal("15.00"),
        )
    PermitType.objects.filter(code="west-evening").update(max_per_person=2, second_price=Decimal("12.00"))
    own, today = _permit_of(people[0]), local_date()
    add_replacement_car(
        permit=own,
        stands_in_for=own.vehicle_links.all()[0].vehicle,
        plate="GRGE 214",
        region="CA-ON",
        first_day=today,
        last_day=today + dt.timedelta(days=6),
        actor=people[0],
    )
    one, other = _permit_of(people[3]), _permit_of(people[9])
    switch_permits(one=one, other=other, reason="Both asked for the other's place.", actor=office)
    lost = _permit_of(people[18])
    replace_permit(
        permit=lost, why=NumberChangeReason.LOST, reason="Lost with the windshield.", with_fee=True, actor=office
    )
    suspend_permit(permit=_permit_of(people[12]), reason="The plate does not match the vehicle.", actor=office)
    end_early(permit=_permit_of(people[16]), actor=people[16])


def _permit_of(person: User) -> Permit:
    permits = Permit.objects.filter(holder=person, status=PermitStatus.ACTIVE, is_temporary=False)
    return permits.earliest("pk")
