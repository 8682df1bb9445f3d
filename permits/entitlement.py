"""Permits as rights to park: what the officer's check, and the rules about vehicles, ask."""

import datetime as dt
from collections.abc import Iterator

from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from opscom.core import audit
from opscom.core.locks import lock_rows
from opscom.provider.models import Lot
from permits.models import Permit, PermitStatus, PermitVehicle
from permits.selectors import explain_payment, load_permits
from permits.validity import is_valid_in
from vehicles.entitlements import Entitlement
from vehicles.models import Vehicle


class PermitEntitlements:
    """The source `permit`."""

    kind = "permit"

    def find(self, *, plate_key: str, region: str, lot: Lot, at: dt.datetime) -> Iterator[Entitlement]:
        """Yield this plate's permits that let it stand in the lot at that time, and reservations as not yet valid."""
        links = PermitVehicle.objects.filter(vehicle__plate_key=plate_key)
        if region:
            links = links.filter(vehicle__region=region)
        permits = load_permits().filter(pk__in=links.values("permit"), valid_from__lte=at, valid_until__gt=at)
        for permit in permits.filter(status__in=[PermitStatus.ACTIVE, PermitStatus.RESERVED]):
            if is_valid_in(permit, lot, at):
                yield Entitlement(
                    self.kind, permit.number, True, permit.valid_from, permit.valid_until, explain_payment(permit)
                )
            elif permit.status == PermitStatus.RESERVED and permit.sale.lot_id == lot.pk:
                note = explain_payment(permit) or _("Reserved, not paid")
                yield Entitlement(self.kind, permit.number, False, permit.valid_from, permit.valid_until, note)

    def has_live(self, *, vehicle: Vehicle, owner: User | None) -> bool:
        """Say whether a live permit of the owner (of anybody) names the vehicle."""
        permits = Permit.objects.live().filter(vehicle_links__vehicle=vehicle, valid_until__gt=timezone.now())
        return (permits.filter(holder=owner) if owner else permits).exists()

    def move_vehicle(self, *, owner: User, old: Vehicle, new: Vehicle) -> None:
        """Put the new plate on the owner's live permits; a printed one shows the old plate, so it may be printed again."""
        permits = Permit.objects.live().filter(holder=owner, vehicle_links__vehicle=old)
        for permit in lock_rows(permits, "product", self.kind):
            PermitVehicle.objects.filter(permit=permit, vehicle=new).delete()
            PermitVehicle.objects.filter(permit=permit, vehicle=old).update(vehicle=new)
            if permit.prints.exists():
                Permit.objects.filter(pk=permit.pk).update(extra_prints=F("extra_prints") + 1)
            audit.record("permit.plate_changed", permit, actor=owner, old=str(old), new=str(new))

    def list_linked(self, *, owner: User) -> tuple[()]:
        """A permit links nobody's vehicle."""
        return ()
