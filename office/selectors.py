"""What the office's first page and its checklists show."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Count, Exists, F, OuterRef, Q, Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import DocumentRequest, RequestStatus, User, UserType
from boots.models import Booting
from lockers.models import Locker
from opscom.core.money import ZERO
from opscom.messaging.models import Message, MessageStatus
from opscom.provider.models import Lot
from opscom.provider.selectors import get_provider
from payments.models import (
    HANDED_BACK,
    BooksProof,
    Dispute,
    DisputeStatus,
    LineStatus,
    OrderLine,
    Payment,
    PaymentStatus,
    Refund,
    RefundStatus,
)
from permits.closures import closures_at
from permits.eligibility import Condition, first_failing, is_shown, sale_conditions
from permits.models import EntryStatus, Permit, PermitStatus, Sale, Slot, SlotState, WaitlistEntry
from permits.selectors import Counts, count_numbers, load_sales
from permits.services.promoting import ready_of
from violations.models import Appeal, AppealStatus, Notice

NEARLY_FULL = Decimal("0.9")


@dataclass(frozen=True, slots=True)
class LotMeter:
    """How much of a lot's numbers that sell now is held or taken."""

    lot: Lot
    allotted: int
    taken: int

    @property
    def share(self) -> Decimal:
        return Decimal(self.taken) / self.allotted

    @property
    def percent(self) -> int:
        return self.taken * 100 // self.allotted

    @property
    def is_full(self) -> bool:
        return self.taken >= self.allotted

    @property
    def is_nearly_full(self) -> bool:
        return self.share >= NEARLY_FULL


@dataclass(frozen=True, slots=True)
class SaleCheck:
    """Every condition of one sale for one user type, and what follows from them."""

    sale: Sale
    conditions: Sequence[Condition]

    @property
    def is_shown(self) -> bool:
        return is_shown(self.conditions)

    @property
    def failing(self) -> Condition | None:
        return first_failing(self.conditions)


def count_permits(start: dt.datetime) -> dict[str, Any]:
    """Return the permits sold since `start` with their sum without tax, and those active and held now: one query."""
    sold = Q(activated_at__gte=start)
    figures = Permit.objects.filter(sold | Q(status__in=[PermitStatus.ACTIVE, PermitStatus.RESERVED])).aggregate(
        sold=Count("pk", filter=sold),
        sold_net=Sum("net", filter=sold),
        active=Count("pk", filter=Q(status=PermitStatus.ACTIVE)),
        held=Count("pk", filter=Q(status=PermitStatus.RESERVED)),
    )
    return figures | {"sold_net": figures["sold_net"] or ZERO}


def sum_payments(start: dt.datetime) -> tuple[int, Decimal]:
    """Return how many payments came in since `start`, and their sum."""
    received = Payment.objects.filter(status=PaymentStatus.APPROVED, approved_at__gte=start)
    figures = received.aggregate(count=Count("pk"), sum=Sum("received_amount"))
    return figures["count"], figures["sum"] or ZERO


def count_documents_to_review() -> int:
    """Return how many people wait for a word about what they sent."""
    return DocumentRequest.objects.filter(status=RequestStatus.SENT).count()


def count_numbers_to_offer() -> int:
    """Return the numbers that wait for the office to pick whom to offer them to; none where they are offered in order."""
    if not get_provider().is_waitlist_managed:
        return 0
    line = WaitlistEntry.objects.filter(
        status=EntryStatus.WAITING,
        waitlist__lot=OuterRef("sale__lot"),
        waitlist__permit_type=OuterRef("sale__permit_type"),
    )
    kept = Slot.objects.filter(Exists(line), state=SlotState.FOR_LIST).select_related("sale__lot", "sale__permit_type")
    return len(ready_of(kept, timezone.now()))


def count_appeals() -> int:
    """Return the appeals that wait for a decision of the office."""
    return Appeal.objects.filter(status=AppealStatus.SENT).count()


def count_boots() -> dict[str, int]:
    """Return how many boots are out, late of these, and how many do not open with the code that was sent."""
    running = Booting.objects.running()
    late, problem = Q(overdue_at__isnull=False), Q(problem_at__isnull=False)
    return running.aggregate(out=Count("pk"), late=Count("pk", filter=late), problem=Count("pk", filter=problem))


def count_lockers_to_empty() -> int:
    """Return the lockers whose renter's time is over, and into which nobody has looked."""
    return Locker.objects.filter(to_empty_since__isnull=False).count()


def count_letters() -> tuple[int, int]:
    """Return how many letters about tickets can be printed, and how many lack a complete address."""
    waiting = Notice.objects.to_print()
    printable = waiting.deliverable().count()
    return printable, waiting.count() - printable


def count_payments_to_review() -> int:
    """Return the payments at which the office must look: not what was due, and not sent back yet."""
    return Payment.objects.filter(~Q(needs_review=""), refunds__isnull=True).count()


def count_differences() -> int:
    """Return how many things the newest look through the books found to differ."""
    newest = BooksProof.objects.order_by("-pk").first()
    return len(newest.findings) if newest else 0


def count_refunds() -> dict[str, Any]:
    """Return the refunds on their way, those that failed, and those that wait for somebody of the office."""
    is_by_hand = Q(payment__gateway__in=HANDED_BACK)
    waiting = Q(status__in=[RefundStatus.DUE, RefundStatus.SENDING, RefundStatus.PENDING]) & ~is_by_hand
    return Refund.objects.exclude(status=RefundStatus.SUCCEEDED).aggregate(
        waiting=Count("pk", filter=waiting),
        failed=Count("pk", filter=Q(status=RefundStatus.FAILED, replaced_by__isnull=True)),
        by_hand=Count("pk", filter=Q(status=RefundStatus.DUE) & is_by_hand),
        proposed=Count("pk", filter=Q(status=RefundStatus.PROPOSED)),
    )


def count_open_disputes() -> int:
    """Return the payments whose payer went to the bank, to be answered at the gateway."""
    return Dispute.objects.filter(status=DisputeStatus.OPEN).count()


def count_lines_to_review() -> int:
    """Return how many paid things could not be delivered and wait for the office."""
    return OrderLine.objects.filter(status=LineStatus.NEEDS_REVIEW).count()


def count_messages() -> dict[str, Any]:
    """Return the messages that wait and those that failed."""
    waiting, failed = [MessageStatus.QUEUED, MessageStatus.SENDING], MessageStatus.FAILED
    return Message.objects.filter(status__in=[*waiting, failed]).aggregate(
        waiting=Count("pk", filter=Q(status__in=waiting)), failed=Count("pk", filter=Q(status=failed))
    )


def count_people(start: dt.datetime) -> int:
    """Return how many people came in since `start`."""
    return User.objects.filter(created_at__gte=start).count()


def lot_meters(now: dt.datetime | None = None) -> list[LotMeter]:
    """Return the lots in which permits sell now, the fullest first: one query."""
    now = now or timezone.now()
    sells = Q(sale__is_active=True, sale__opens_at__lte=now) & (
        Q(sale__closes_at__isnull=True) | Q(sale__closes_at__gt=now)
    )
    rows = (
        Slot.objects.filter(sells)
        .exclude(state=SlotState.RETIRED)
        .values(lot=F("sale__lot"))
        .annotate(allotted=Count("pk"), taken=Count("pk", filter=Q(state__in=[SlotState.HELD, SlotState.TAKEN])))
    )
    found = {row["lot"]: row for row in rows}
    lots = Lot.objects.filter(pk__in=found)
    meters = [LotMeter(lot, found[lot.pk]["allotted"], found[lot.pk]["taken"]) for lot in lots]
    return sorted(meters, key=lambda meter: (-meter.share, meter.lot.position, meter.lot.code))


def check_lot(lot: Lot, user_type: UserType | None, now: dt.datetime | None = None) -> list[SaleCheck]:
    """Return each sale of the lot with every condition that must hold for this user type to see it and to buy."""
    now = now or timezone.now()
    sales = list(load_sales().filter(lot=lot).order_by("-is_active", "permit_type__code", "-opens_at"))
    counts, closures = count_numbers(sales), closures_at(now)
    checks = []
    for sale in sales:
        numbers = counts.get(sale.pk, Counts())
        conditions = sale_conditions(
            sale, user_type, now=now, allotted=numbers.allotted, free=numbers.free, closures=closures
        )
        checks.append(SaleCheck(sale, conditions))
    return checks


def explain_outcome(check: SaleCheck) -> str:
    """Return in one sentence what this user type gets to see."""
    if check.failing is None:
        return _("Shown and for sale.")
    if check.is_shown:
        return _("Shown, but not for sale: %(why)s") % {"why": check.failing.refusal}
    return _("Not shown.")
