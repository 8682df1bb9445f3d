"""All that is kept about permits, one file for each noun."""

from permits.models.changes import NumberChange, NumberChangeReason, ReplacementCar
from permits.models.closures import Closure, ClosureNotice, ClosureReason
from permits.models.permits import (
    LIVE,
    PERMIT_MOVES,
    Permit,
    PermitQuerySet,
    PermitStatus,
    PermitVehicle,
    make_public_code,
)
from permits.models.prints import PermitDocument, PermitPrint
from permits.models.rollovers import ROLL_MOVES, ROW_MOVES, Rollover, RollRow, RollRun, RollStatus, RowStatus
from permits.models.sales import Sale
from permits.models.slots import SLOT_MOVES, Slot, SlotState
from permits.models.types import MOST_TEMPORARY_DAYS, PermitType, PermitValidity, Proration, TermKind
from permits.models.waitlists import (
    BUCKET_SIZE,
    ENTRY_MOVES,
    ON_LIST,
    EntryStatus,
    Waitlist,
    WaitlistBucket,
    WaitlistEntry,
    WaitlistOffer,
)

__all__ = [
    "BUCKET_SIZE",
    "ENTRY_MOVES",
    "LIVE",
    "MOST_TEMPORARY_DAYS",
    "ON_LIST",
    "PERMIT_MOVES",
    "ROLL_MOVES",
    "ROW_MOVES",
    "SLOT_MOVES",
    "Closure",
    "ClosureNotice",
    "ClosureReason",
    "EntryStatus",
    "NumberChange",
    "NumberChangeReason",
    "Permit",
    "PermitDocument",
    "PermitPrint",
    "PermitQuerySet",
    "PermitStatus",
    "PermitType",
    "PermitValidity",
    "PermitVehicle",
    "Proration",
    "ReplacementCar",
    "RollRow",
    "RollRun",
    "RollStatus",
    "Rollover",
    "RowStatus",
    "Sale",
    "Slot",
    "SlotState",
    "TermKind",
    "Waitlist",
    "WaitlistBucket",
    "WaitlistEntry",
    "WaitlistOffer",
    "make_public_code",
]
