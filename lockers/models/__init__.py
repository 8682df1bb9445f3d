"""Buildings with their areas, the lockers in them, when they are let, and who rents which."""

from lockers.models.lockers import Locker, LockerQuerySet, LockerSize
from lockers.models.places import Area, Building, LockKind
from lockers.models.rentals import LIVE, RENTAL_MOVES, Rental, RentalQuerySet, RentalStatus
from lockers.models.sales import LockerSale

__all__ = [
    "LIVE",
    "RENTAL_MOVES",
    "Area",
    "Building",
    "LockKind",
    "Locker",
    "LockerQuerySet",
    "LockerSale",
    "LockerSize",
    "Rental",
    "RentalQuerySet",
    "RentalStatus",
]
