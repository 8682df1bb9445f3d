"""Whose vehicles, and what a person may do with them now."""

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import User, UserType
from accounts.selectors import current_user_type
from opscom.core.errors import Allowed, Decision, Refused
from opscom.provider.selectors import get_provider, local_date
from vehicles import entitlements
from vehicles.models import Ownership, OwnershipQuerySet, PlateType


def vehicles_of(user: User) -> OwnershipQuerySet:
    """Return the person's vehicles, the active ones first, with plate and plate type: one query."""
    return Ownership.objects.visible_to(user).select_related("vehicle__plate_type")


def active_vehicles_of(user: User) -> OwnershipQuerySet:
    """Return what the person may put on a permit today: active, and with a plate that has not ended."""
    return vehicles_of(user).usable()


def active_limit(user: User) -> int:
    """Return how many vehicles of this person may be active at once, by user type."""
    user_type = current_user_type(user, local_date()) or UserType()
    return user_type.max_active_vehicles


def count_active(user: User) -> int:
    """Return how many count towards the limit. One with an ended plate counts: it can be used again by an edit."""
    return Ownership.objects.visible_to(user).filter(is_active=True).count()


def default_plate_type() -> PlateType | None:
    """Return the plate type that a new vehicle most likely has."""
    return PlateType.objects.filter(is_active=True).first()


def can_add_vehicle(user: User) -> Decision:
    """Say whether the person may have one more active vehicle."""
    limit = active_limit(user)
    if count_active(user) < limit:
        return Allowed()
    reason = ngettext(
        "You may have %(limit)s active vehicle at a time.", "You may have %(limit)s active vehicles at a time.", limit
    ) % {"limit": limit}
    advice = _("Mark your vehicle as 'inactive' before adding a new one.")
    return Refused("vehicle_limit", " ".join([reason, advice, _whom_to_ask()]).strip())


def can_activate(ownership: Ownership) -> Decision:
    """Say whether this vehicle may be switched on (True for one that is on already)."""
    if ownership.removed_at:
        return Refused("removed", _("This vehicle is no longer in your list."))
    if ownership.is_active:
        return Allowed()
    limit = active_limit(ownership.user)
    if count_active(ownership.user) < limit:
        return Allowed()
    reason = ngettext(
        "You may have %(limit)s active vehicle at a time. Mark another one as 'inactive' first.",
        "You may have %(limit)s active vehicles at a time. Mark another one as 'inactive' first.",
        limit,
    ) % {"limit": limit}
    return Refused("vehicle_limit", reason)


def can_remove(ownership: Ownership, *, by_office: bool = False) -> Decision:
    """Say whether this vehicle may leave the person's list; the office may where people themselves may not."""
    if ownership.removed_at:
        return Refused("removed", _("This vehicle is no longer in your list."))
    if not by_office and not get_provider().is_vehicle_deletion_on:
        instead = _("Mark your vehicle as 'inactive' instead.")
        return Refused("deletion_off", " ".join([instead, _whom_to_ask()]))
    if entitlements.has_live(vehicle=ownership.vehicle, owner=ownership.user):
        return Refused(
            "in_use",
            _("This vehicle is on a permit or a ticket that is still open. It can be removed once that has ended."),
        )
    return Allowed()


def _whom_to_ask() -> str:
    """Return who deletes, where people may not do so themselves. The page adds the office's telephone and e-mail."""
    if get_provider().is_vehicle_deletion_on:
        return ""
    return _("Contact your parking provider to delete the inactive vehicle if it will no longer be used.")
