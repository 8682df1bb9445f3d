"""What tickets are made of: offences with their rules, tickets, appeals, files, links to vehicles, notices, collections."""

from violations.models.appeals import (
    APPEAL_MOVES,
    DECIDED,
    UNDER_REVIEW,
    Appeal,
    AppealMessage,
    AppealStatus,
    Association,
    TextBlock,
)
from violations.models.files import Evidence, TicketPhoto
from violations.models.notices import ADDRESS_IS_COMPLETE, CollectionExport, Notice, NoticeKind, NoticeWay
from violations.models.offences import AppliesTo, LateFee, Offence, OffenceCategory, OffenceStep
from violations.models.tickets import TICKET_MOVES, UNPAID, Ticket, TicketQuerySet, TicketStatus

__all__ = [
    "ADDRESS_IS_COMPLETE",
    "APPEAL_MOVES",
    "DECIDED",
    "TICKET_MOVES",
    "UNDER_REVIEW",
    "UNPAID",
    "Appeal",
    "AppealMessage",
    "AppealStatus",
    "AppliesTo",
    "Association",
    "CollectionExport",
    "Evidence",
    "LateFee",
    "Notice",
    "NoticeKind",
    "NoticeWay",
    "Offence",
    "OffenceCategory",
    "OffenceStep",
    "TextBlock",
    "Ticket",
    "TicketPhoto",
    "TicketQuerySet",
    "TicketStatus",
]
