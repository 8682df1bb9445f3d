"""Permits as rights to park: what the officer's check, and the rules about vehicles, ask."""

import datetime as dt
from collections.abc import Iterator

from django.db.models import F, Prefetch, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from opscom.core import audit
from opscom.core.locks import lock_rows
from opscom.provider.models import Lot
from opscom.provider.templatetags.portal import until as write_until
from permits.closures import closed_wholly, closures_at, describe_closed
from permits.models import Closure, Permit, PermitStatus, PermitVehicle, ReplacementCar
from permits.selectors import explain_payment, load_permits
from permits.services.vehicles import move_replaced
from permits.validity import is_valid_in
from vehicles.entitlements import Entitlement
from vehicles.models import Vehicle


class PermitEntitlements:
    """The source `permit`."""

    kind = "permit"

    def find(self, *, plate_key: str, region: str, lot: Lot, at: dt.datetime) -> Iterator[Entitlement]:
        """Yield this plate's permits that let it stand in the lot at that time, and those that do not, with the reason."""
        links = PermitVehicle.objects.filter(vehicle__plate_key=plate_key)
        if region:
            links = links.filter(vehicle__region=region)
        permits = load_permits().filter(pk__in=links.values("permit"), valid_from__lte=at, valid_until__gt=at)
        permits = permits.filter(status__in=[PermitStatus.ACTIVE, PermitStatus.RESERVED])
        replaced = {
            car.permit_id: car
            for car in self._replacing(plate_key, region, at, "stands_in_for").filter(permit__in=permits)
        }
        closures = closures_at(at)
        closed = closed_wholly(closures, lot.pk, at)
        for permit in permits:
            is_valid = is_valid_in(permit, lot, at, closures) and permit.pk not in replaced
            # Elsewhere, too: where the type is welcome, only the closure keeps it out.
            if is_valid or permit.sale.lot_id == lot.pk or (closed and is_valid_in(permit, lot, at, ())):
                note = explain_payment(permit) if is_valid else self._why_not(permit, replaced.get(permit.pk), closed)
                # What its dates, or its hours, do not cover is no right, and needs no word.
                if is_valid or note:
                    yield Entitlement(self.kind, permit.number, is_valid, permit.valid_from, permit.valid_until, note)
        for car in self._replacing(plate_key, region, at, "vehicle"):
            if is_valid_in(car.permit, lot, at, closures):
                words = _("Replacement car for %(plate)s") % {"plate": car.stands_in_for.label}
                ends = min(car.ends_at, car.permit.valid_until)
                yield Entitlement(self.kind, car.permit.number, True, car.starts_at, ends, words)

    def _replacing(self, plate_key: str, region: str, at: dt.datetime, role: str) -> QuerySet[ReplacementCar]:
        plate = {f"{role}__plate_key": plate_key, **({f"{role}__region": region} if region else {})}
        cars = ReplacementCar.objects.running_at(at).filter(**plate)
        return cars.select_related("vehicle", "stands_in_for").prefetch_related(Prefetch("permit", load_permits()))

    def _why_not(self, permit: Permit, car: ReplacementCar | None, closed: Closure | None) -> str:
        """Return why the permit does not count for this plate; nothing when that is only its dates or hours."""
        if permit.suspended_at is not None:
            return _("Suspended by the office")
        if car is not None:
            words = _("Replaced by %(plate)s until %(moment)s")
            return words % {"plate": car.vehicle.label, "moment": write_until(car.ends_at)}
        if permit.status == PermitStatus.RESERVED:
            return explain_payment(permit) or _("Reserved, not paid")
        return describe_closed(closed) if closed else ""

    def has_live(self, *, vehicle: Vehicle, owner: User | None) -> bool:
        """Say whether a live permit of the owner (of anybody) names the vehicle."""
        permits = Permit.objects.live().filter(vehicle_links__vehicle=vehicle, valid_until__gt=timezone.now())
        cars = ReplacementCar.objects.filter(
            vehicle=vehicle, ends_at__gt=timezone.now(), permit__in=Permit.objects.live()
        )
        if owner:
            permits, cars = permits.filter(holder=owner), cars.filter(permit__holder=owner)
        return permits.exists() or cars.exists()

    def move_vehicle(self, *, owner: User, old: Vehicle, new: Vehicle) -> None:
        """Put the new plate on the owner's live permits; a printed one shows the old plate, so it may be printed again."""
        permits = Permit.objects.live().filter(holder=owner, vehicle_links__vehicle=old)
        for permit in lock_rows(permits, "product", self.kind):
            PermitVehicle.objects.filter(permit=permit, vehicle=new).delete()
            PermitVehicle.objects.filter(permit=permit, vehicle=old).update(vehicle=new)
            if permit.prints.exists():
                Permit.objects.filter(pk=permit.pk).update(extra_prints=F("extra_prints") + 1)
            move_replaced(permit, old=old, new=new)
            audit.record("permit.plate_changed", permit, actor=owner, old=str(old), new=str(new))

    def list_linked(self, *, owner: User) -> tuple[()]:
        """A permit links nobody's vehicle."""
        return ()
