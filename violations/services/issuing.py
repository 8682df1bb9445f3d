"""A ticket is issued: its rule is copied, its repeat offences counted, its owner found."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.services.documents import NewDocument
from opscom.core import audit
from opscom.core.errors import DomainError
from opscom.core.money import ZERO, format_money
from opscom.provider.models import Lot
from opscom.provider.templatetags.portal import local_datetime
from vehicles import plates
from vehicles.entitlements import Entitlement, find_entitlements
from vehicles.models import Ownership, PlateType, Vehicle
from violations.models import AppliesTo, NoticeKind, Offence, Ticket, TicketStatus
from violations.numbers import LONGEST_NUMBER, LONGEST_WRITTEN, next_number, number_key
from violations.services.files import keep_photos
from violations.services.steps import plan_next_step, send_notice

# What is void counts for nothing.
NOT_COUNTED = (TicketStatus.SPOILED, TicketStatus.CANCELLED)


@dataclass(frozen=True, slots=True)
class TicketData:
    """What an officer writes. Either a plate with its region, or a VIN; `number` and `fine` empty: the next, the rule's."""

    offence: Offence
    occurred_at: dt.datetime
    plate: str = ""
    region: str = ""
    plate_type: PlateType | None = None
    vin: str = ""
    lot: Lot | None = None
    place: str = ""
    notes: str = ""
    number: str = ""
    fine: Decimal | None = None
    is_warning: bool = False

    @property
    def plate_key(self) -> str:
        return plates.read_plate(self.plate) if self.plate else ""

    @property
    def vin_key(self) -> str:
        """The VIN as it is stored, however it was typed."""
        return plates.read_vin(self.vin) if self.vin else ""


@transaction.atomic
def issue_ticket(*, data: TicketData, officer: User | None, photos: Sequence[NewDocument] = ()) -> Ticket:
    """Write the ticket with the offence's rule as it stands now, and tell whoever had the plate on their account then.

    Raises DomainError: neither plate nor VIN; a time to come; a fine where the offence allows none; a number that is taken.
    """
    now = timezone.now()
    _check(data, now)
    vehicle = find_vehicle(data)
    person = find_owner(data)
    nth = count_earlier(data, person) + 1
    is_warning = data.is_warning or (data.offence.is_first_a_warning and nth == 1)
    number = data.number.strip().upper() or next_number()
    try:
        with transaction.atomic():
            ticket = Ticket.objects.create(
                number=number,
                number_key=number_key(number),
                offence=data.offence,
                plate=plates.show_plate(data.plate) if data.plate else "",
                plate_key=data.plate_key,
                region=data.region,
                plate_type=data.plate_type,
                vin=data.vin_key,
                vehicle=vehicle,
                person=person,
                lot=data.lot,
                place=data.place,
                occurred_at=data.occurred_at,
                issued_at=now,
                officer=officer,
                badge=officer.employee_number if officer else "",
                notes=data.notes,
                nth=nth,
                **copy_rule(data.offence, nth=nth, fine=data.fine, is_warning=is_warning),
            )
    except IntegrityError as error:
        if "number_key" not in str(error):
            raise
        raise DomainError(_("There is a ticket with this number already.")) from error
    keep_photos(ticket=ticket, photos=photos, actor=officer)
    audit.record("ticket.issued", ticket, actor=officer, offence=data.offence.code, plate=ticket.vehicle_label)
    send_notice(ticket, NoticeKind.NEW)
    plan_next_step(ticket)
    return ticket


def copy_rule(offence: Offence, *, nth: int, fine: Decimal | None = None, is_warning: bool = False) -> dict[str, Any]:
    """Return the rule of the n-th offence as the ticket keeps it; a later change of the offence changes no ticket."""
    if is_warning:
        return {"is_warning": True, "fine": ZERO, "due_days": offence.due_days, "appeal_days": offence.appeal_days}
    fine = step_fine(offence, nth) if fine is None else fine
    return {
        "fine": fine,
        "fee": offence.fee,
        # A discount that left nothing to pay would leave nothing that one could pay in time.
        "discount": offence.discount if offence.discount < fine + offence.fee else ZERO,
        "discount_days": offence.discount_days,
        "due_days": offence.due_days,
        "appeal_days": offence.appeal_days,
        "late_fees": [{"after_days": fee.after_days, "amount": str(fee.amount)} for fee in offence.late_fees.all()],
    }


def step_fine(offence: Offence, nth: int) -> Decimal:
    """Return the fine of the n-th offence: of the last step that is not beyond it, else the offence's own."""
    step = offence.steps.filter(nth__lte=nth).order_by("nth").last()
    return step.fine if step else offence.fine


def count_earlier(data: TicketData, person: User | None) -> int:
    """Return how often this offence was ticketed within its period, by vehicle or person, warnings included."""
    offence = data.offence
    since = data.occurred_at - dt.timedelta(days=offence.repeat_days)
    earlier = Ticket.objects.filter(offence=offence, occurred_at__gt=since, occurred_at__lt=data.occurred_at)
    same = Q(plate_key=data.plate_key, region=data.region) if data.plate_key else Q(vin=data.vin_key)
    by_person = Q(person=person) if person else Q(pk__in=[])
    counted = {AppliesTo.VEHICLE: same, AppliesTo.PERSON: by_person, AppliesTo.BOTH: same | by_person}
    rule = counted[AppliesTo(offence.category.applies_to)]
    return earlier.exclude(status__in=NOT_COUNTED).filter(rule).count()


def find_vehicle(data: TicketData) -> Vehicle | None:
    """Return the vehicle that we know by this plate or VIN. Without a plate type: the only one with these letters."""
    if not data.plate_key:
        return Vehicle.objects.filter(vin=data.vin_key).first() if data.vin else None
    same = Vehicle.objects.filter(plate_key=data.plate_key, region=data.region)
    found = list((same.filter(plate_type=data.plate_type) if data.plate_type else same)[:2])
    return found[0] if len(found) == 1 else None


def find_owner(data: TicketData) -> User | None:
    """Return who had the vehicle on their account at that time; of several, who had it switched on, and first.

    Whoever registers a plate later owes nothing for what happened before.
    """
    had = ownerships_at(data).select_related("user").order_by("-is_active", "added_at", "pk").first()
    return had.user if had else None


def ownerships_at(data: TicketData) -> QuerySet[Ownership]:
    """Return whose vehicle it was when it happened."""
    at = data.occurred_at
    held = Ownership.objects.filter(Q(removed_at__isnull=True) | Q(removed_at__gt=at), added_at__lte=at)
    if not data.plate_key:
        return held.filter(vehicle__vin=data.vin_key)
    same = held.filter(vehicle__plate_key=data.plate_key, vehicle__region=data.region)
    return same.filter(vehicle__plate_type=data.plate_type) if data.plate_type else same


def find_objections(data: TicketData) -> list[str]:
    """Return what speaks against the ticket, for who writes it: a right to park, or one that ended days ago."""
    if data.lot is None or not data.plate_key:
        return []
    objections = [
        _("This plate may stand there: %(right)s, until %(end)s.")
        % {"right": right.label, "end": local_datetime(right.ends_at) if right.ends_at else _("an open end")}
        for right in _rights(data, data.occurred_at)
    ]
    if not objections and (ended := _ended_within_grace(data)):
        objections.append(
            _("%(right)s ended on %(end)s, and %(days)d days of grace follow.")
            % {
                "right": ended.label,
                "end": local_datetime(ended.ends_at) if ended.ends_at else "",
                "days": data.offence.grace_days,
            }
        )
    return objections


def _rights(data: TicketData, at: dt.datetime) -> list[Entitlement]:
    if data.lot is None:
        return []
    found = find_entitlements(plate_key=data.plate_key, region=data.region, lot=data.lot, at=at)
    return [right for right in found if right.is_valid]


def _ended_within_grace(data: TicketData) -> Entitlement | None:
    for days in range(1, data.offence.grace_days + 1):
        # Free hours are nobody's right: they end every morning.
        rights = [one for one in _rights(data, data.occurred_at - dt.timedelta(days=days)) if one.kind != "free_hours"]
        if rights:
            return rights[0]
    return None


def _check(data: TicketData, now: dt.datetime) -> None:
    if not data.plate and not data.vin:
        raise DomainError(_("Enter the plate, or the VIN of a vehicle without one."))
    if data.plate and data.vin:
        raise DomainError(_("Enter either the plate or the VIN."))
    if data.plate and not data.region:
        raise DomainError(_("Choose the state or province of the plate."))
    if data.occurred_at > now:
        raise DomainError(_("This time is still to come."))
    number = data.number.strip()
    if number and not number_key(number):
        raise DomainError(_("A ticket number has letters and digits."))
    if len(number) > LONGEST_WRITTEN or len(number_key(number)) > LONGEST_NUMBER:
        raise DomainError(_("A ticket number has at most %(most)d letters and digits.") % {"most": LONGEST_NUMBER})
    if data.fine is None:
        return
    if not data.offence.is_adjustable:
        fine = format_money(data.offence.fine)
        raise DomainError(_("The fine for this offence is %(fine)s and cannot be adjusted.") % {"fine": fine})
    if data.fine < 0:
        raise DomainError(_("A fine is not less than nothing."))
