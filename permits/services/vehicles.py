"""Which vehicles a permit is for: changed by its holder or the office, and for a while replaced by another car."""

import datetime as dt
from collections.abc import Sequence

from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import User
from accounts.services.people import lock_person
from opscom.core import audit
from opscom.core.errors import Allowed, Decision, NotAllowed, Refused
from opscom.core.hooks import after_commit
from opscom.core.locks import lock_row
from opscom.provider.selectors import local_date, start_of_day
from permits import change_emails
from permits.eligibility import vehicles_fit
from permits.models import LIVE, Permit, PermitStatus, PermitType, PermitVehicle, ReplacementCar
from permits.services.delivering import prepare_document
from vehicles.models import Vehicle
from vehicles.services import identify_vehicle

KIND = "permit"
ONE_DAY = dt.timedelta(days=1)
ONE_YEAR = dt.timedelta(days=365)
# A garage's date is known that long before.
MOST_DAYS_AHEAD = 60


def can_change_vehicles(permit: Permit) -> Decision:
    """Say whether the holder may put other vehicles on the permit."""
    if permit.status not in LIVE:
        return Refused("over", _("This permit is over."))
    if not permit.permit_type.may_change_vehicles:
        return Refused(
            "not_offered", _("The vehicles of this permit cannot be changed. Please contact the parking office.")
        )
    return Allowed()


@transaction.atomic
def change_vehicles(*, permit: Permit, vehicles: Sequence[Vehicle], actor: User) -> None:
    """Let the permit be for these vehicles of its holder from now on; a printed one may be printed once more.

    Raises NotAllowed with the reason: over, none or too many, not theirs or not active, of another kind, one whose
    replacement is still running. Whether the holder may is asked before: see `can_change_vehicles`.
    """
    holder = lock_person(_holder_of(permit))
    permit = lock_row(Permit.objects.filter(pk=permit.pk), "product", KIND)
    if permit.status not in LIVE or permit.holder_id != holder.pk:
        raise NotAllowed(_("This permit is over."))
    vehicles_fit(holder, permit.sale, vehicles, timezone.now()).or_raise()
    before = {link.vehicle_id: link for link in permit.vehicle_links.select_related("vehicle")}
    wanted = {vehicle.pk: vehicle for vehicle in vehicles}
    gone = [link for pk, link in before.items() if pk not in wanted]
    added = [vehicle for pk, vehicle in wanted.items() if pk not in before]
    if not gone and not added:
        return
    _refuse_replaced(permit, [link.vehicle_id for link in gone])
    PermitVehicle.objects.filter(pk__in=[link.pk for link in gone]).delete()
    PermitVehicle.objects.bulk_create([PermitVehicle(permit=permit, vehicle=vehicle) for vehicle in added])
    give_another_print(permit)
    audit.record(
        "permit.vehicles_changed",
        permit,
        actor=actor,
        on_behalf_of=holder if actor != holder else None,
        added=[str(vehicle) for vehicle in added],
        removed=[str(link.vehicle) for link in gone],
    )
    change_emails.vehicles_changed(permit)


def give_another_print(permit: Permit) -> None:
    """Let a printed permit be printed once more, because the paper is not right any more; its new file is made."""
    if permit.prints.exists():
        Permit.objects.filter(pk=permit.pk).update(extra_prints=F("extra_prints") + 1)
    after_commit(prepare_document, permit.pk)


def _holder_of(permit: Permit) -> User:
    if permit.holder is None:
        raise NotAllowed(_("A guest's permit is for the vehicle that it was sold for."))
    return permit.holder


def _refuse_replaced(permit: Permit, vehicle_ids: Sequence[int]) -> None:
    waits = permit.replacement_cars.filter(stands_in_for__in=vehicle_ids, ends_at__gt=timezone.now())
    car = waits.select_related("stands_in_for").first()
    if car:
        text = _("A replacement car stands in for %(plate)s. Please end that first.")
        raise NotAllowed(text % {"plate": car.stands_in_for.label})


def can_have_replacement(permit: Permit, *, starts_at: dt.datetime) -> Decision:
    """Say whether a replacement car may begin then: an active permit of a type that has them, not too often in a year."""
    kind = permit.permit_type
    if permit.status != PermitStatus.ACTIVE or permit.holder_id is None:
        return Refused("not_active", _("Only an active permit can have a replacement car."))
    if not kind.replacement_car_days or not kind.replacement_cars_per_year:
        return Refused("not_offered", _("This permit takes no replacement car. Please contact the parking office."))
    had = count_replacements(permit, kind, starts_at)
    if had < kind.replacement_cars_per_year:
        return Allowed()
    reason = ngettext(
        "You may have a replacement car %(limit)d time in a year.",
        "You may have a replacement car %(limit)d times in a year.",
        kind.replacement_cars_per_year,
    )
    return Refused("too_often", reason % {"limit": kind.replacement_cars_per_year})


def count_replacements(permit: Permit, kind: PermitType, starts_at: dt.datetime) -> int:
    """Return how many the holder has had, or has planned, within a year of that time, on this and earlier permits of the type."""
    cars = ReplacementCar.objects.filter(permit__holder=permit.holder_id, permit__sale__permit_type=kind)
    return cars.filter(starts_at__gt=starts_at - ONE_YEAR, starts_at__lt=starts_at + ONE_YEAR).count()


@transaction.atomic
def add_replacement_car(
    *,
    permit: Permit,
    stands_in_for: Vehicle,
    plate: str,
    region: str,
    first_day: dt.date,
    last_day: dt.date,
    actor: User,
    now: dt.datetime | None = None,
) -> ReplacementCar:
    """Let a car that need not be the holder's park in place of one of the permit's, from the first to the last day.

    Raises NotAllowed with the reason (see `can_have_replacement`; dates; one at a time), BadPlate for no plate.
    """
    now = now or timezone.now()
    holder = lock_person(_holder_of(permit))
    permit = lock_row(Permit.objects.filter(pk=permit.pk), "product", KIND)
    if permit.holder_id != holder.pk or not permit.vehicle_links.filter(vehicle=stands_in_for).exists():
        raise NotAllowed(_("Choose the vehicle of this permit that is replaced."))
    can_have_replacement(permit, starts_at=max(start_of_day(first_day), now)).or_raise()
    starts_at, ends_at = _replacement_times(permit, first_day, last_day, now)
    if permit.replacement_cars.filter(starts_at__lt=ends_at, ends_at__gt=starts_at).exists():
        raise NotAllowed(_("There is a replacement car on this permit at that time already."))
    vehicle = identify_vehicle(plate=plate, region=region)
    if permit.vehicle_links.filter(vehicle=vehicle).exists():
        raise NotAllowed(_("This vehicle is on the permit already."))
    car = ReplacementCar.objects.create(
        permit=permit,
        vehicle=vehicle,
        stands_in_for=stands_in_for,
        starts_at=starts_at,
        ends_at=ends_at,
        made_by=actor,
    )
    audit.record(
        "permit.replacement_car_added",
        permit,
        actor=actor,
        plate=str(vehicle),
        instead_of=str(stands_in_for),
        until=ends_at,
    )
    change_emails.replacement_car(car)
    return car


def _replacement_times(
    permit: Permit, first_day: dt.date, last_day: dt.date, now: dt.datetime
) -> tuple[dt.datetime, dt.datetime]:
    today, most = local_date(now), permit.permit_type.replacement_car_days
    if first_day < today or last_day < first_day:
        raise NotAllowed(_("It must begin today or later, and end after it begins."))
    if first_day > today + ONE_DAY * MOST_DAYS_AHEAD:
        raise NotAllowed(_("It must begin within %(days)d days.") % {"days": MOST_DAYS_AHEAD})
    if (last_day - first_day).days + 1 > most:
        text = ngettext(
            "A replacement car may park for up to %(days)d day.",
            "A replacement car may park for up to %(days)d days.",
            most,
        )
        raise NotAllowed(text % {"days": most})
    starts_at = max(start_of_day(first_day), now, permit.valid_from)
    ends_at = min(start_of_day(last_day + ONE_DAY), permit.valid_until)
    if ends_at <= starts_at:
        raise NotAllowed(_("The permit is not valid at that time."))
    return starts_at, ends_at


@transaction.atomic
def end_replacement_car(*, car: ReplacementCar, actor: User, now: dt.datetime | None = None) -> None:
    """The permit's own car is back: from now on it is valid, and the other one is not. One not begun is as if never asked.

    Raises NotAllowed when it is over already.
    """
    now = now or timezone.now()
    permit = lock_row(Permit.objects.filter(pk=car.permit_id), "product", KIND)
    running = permit.replacement_cars.filter(pk=car.pk, ends_at__gt=now).select_related("vehicle").first()
    if running is None:
        raise NotAllowed(_("This replacement is over already."))
    if running.starts_at >= now:
        running.delete()
    else:
        running.ends_at = now
        running.save(update_fields=["ends_at"])
    audit.record("permit.replacement_car_ended", permit, actor=actor, plate=str(running.vehicle))


def move_replaced(permit: Permit, *, old: Vehicle, new: Vehicle) -> None:
    """The plate of a vehicle on the locked permit has changed: its replacement goes on, unless that is the very same car."""
    now = timezone.now()
    for car in permit.replacement_cars.filter(stands_in_for=old, ends_at__gt=now):
        if car.vehicle_id != new.pk:
            ReplacementCar.objects.filter(pk=car.pk).update(stands_in_for=new)
        elif car.starts_at >= now:
            car.delete()
        else:
            ReplacementCar.objects.filter(pk=car.pk).update(ends_at=now)
