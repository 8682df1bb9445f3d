"""Boots, the time of each on a car, and the provider's rule about them."""

from boots.models.bootings import Booting, BootingQuerySet, BootPhoto, Condition, Ending, PhotoMoment
from boots.models.boots import BOOT_MOVES, OUT, Boot, BootStatus
from boots.models.policy import BootPicture, BootPolicy, DropOffPlace, LateRule

__all__ = [
    "BOOT_MOVES",
    "OUT",
    "Boot",
    "BootPhoto",
    "BootPicture",
    "BootPolicy",
    "BootStatus",
    "Booting",
    "BootingQuerySet",
    "Condition",
    "DropOffPlace",
    "Ending",
    "LateRule",
    "PhotoMoment",
]
