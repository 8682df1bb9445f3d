"""A period's file of deductions goes out, the file of results comes back. Each line is decided once, however often it is read."""

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from opscom.core import audit
from opscom.core.errors import DomainError, NotAllowed
from opscom.core.locks import lock_row, lock_rows
from opscom.core.money import ZERO
from opscom.core.transitions import advance
from opscom.provider.selectors import start_of_day
from payments import emails
from payments.collection_files import ResultLine
from payments.models import (
    COLLECTION_MOVES,
    DEDUCTION_MOVES,
    NOT_TAKEN,
    REVERSALS,
    CollectionPeriod,
    CollectionStatus,
    Deduction,
    DeductionStatus,
    Order,
    Refund,
    RefundReason,
    RefundStatus,
)
from payments.services.deducting import end_untaken_refund, refunds_never_taken
from payments.services.reversals import debts_of, reverse_payment

D = DeductionStatus


def make_file(*, period: CollectionPeriod, actor: Any) -> int:
    """Put all deductions that wait, and were asked before the period is over, into its file; returns how many.

    Nothing is put into two files, and nothing that was given back. Raises NotAllowed when the file was made before, or when
    nothing waits.
    """
    for refund_id in refunds_never_taken():
        end_untaken_refund(refund_id)
    return _fill(period, actor)


@transaction.atomic
def _fill(period: CollectionPeriod, actor: Any) -> int:
    period = lock_row(CollectionPeriod.objects.filter(pk=period.pk), "payment", "collection_period")
    if period.status != CollectionStatus.OPEN:
        raise NotAllowed(_("The file of this period has been made already. It can be downloaded again."))
    waiting = Deduction.objects.filter(
        status=D.WAITING, stored_method__kind=period.kind, created_at__lt=start_of_day(period.ends_on)
    )
    deductions = lock_rows(waiting, "payment", "deduction")
    if not deductions:
        raise NotAllowed(_("No deduction waits for this period."))
    for deduction in deductions:
        advance(deduction, D.SENT, table=DEDUCTION_MOVES, period=period)
    advance(period, CollectionStatus.SENT, table=COLLECTION_MOVES, sent_at=timezone.now(), sent_by=actor)
    total = sum((deduction.amount for deduction in deductions), ZERO)
    audit.record("collection.file_made", period, actor=actor, deductions=len(deductions), total=str(total))
    return len(deductions)


@dataclass(slots=True)
class Reading:
    """What a file of results says about a period, before or after it counts. `problems`: (line number, words)."""

    taken: list[tuple[Deduction, ResultLine]] = field(default_factory=list)
    refused: list[tuple[Deduction, ResultLine]] = field(default_factory=list)
    known: int = 0
    problems: list[tuple[int, str]] = field(default_factory=list)
    missing: list[Deduction] = field(default_factory=list)

    @property
    def taken_sum(self) -> Decimal:
        return sum((deduction.amount for deduction, _line in self.taken), ZERO)

    @property
    def refused_sum(self) -> Decimal:
        return sum((deduction.amount for deduction, _line in self.refused), ZERO)


def judge_results(period: CollectionPeriod, lines: Iterable[ResultLine]) -> Reading:
    """Say what reading these lines would do to the period; changes nothing. A handful of queries for any number of lines."""
    lines = list(lines)
    rows = period.deductions.select_related("payment__order", "stored_method__person")
    deductions = {deduction.payment.reference: deduction for deduction in rows.order_by("pk")}
    given = handed_back(period.deductions.all())
    times = Counter(line.reference for line in lines)
    reading = Reading()
    for line in lines:
        deduction = deductions.get(line.reference)
        words = why_not(deduction, line, times, given)
        if words:
            reading.problems.append((line.number, words))
        elif deduction is None or deduction.status == line.status:
            reading.known += 1
        else:
            (reading.taken if line.status == D.TAKEN else reading.refused).append((deduction, line))
    reading.missing = [one for key, one in deductions.items() if one.status == D.SENT and key not in times]
    return reading


def handed_back(deductions: QuerySet[Deduction]) -> set[int]:
    """Return those of which somebody of the office has given money back."""
    done = Refund.objects.filter(payment__deduction__in=deductions, status=RefundStatus.SUCCEEDED)
    by_hand = done.exclude(gateway_reference=NOT_TAKEN).exclude(reason__in=REVERSALS)
    return set(by_hand.values_list("payment__deduction", flat=True))


def why_not(deduction: Deduction | None, line: ResultLine, times: Counter[str], given: Collection[int]) -> str:
    """Return why the line does not count, in words; empty when it does, or says what is known already."""
    if deduction is None:
        return _("“%(reference)s” is not in this period's file.") % {"reference": line.reference}
    if times[line.reference] > 1:
        return _("“%(reference)s” stands in the file more than once, so none of its lines counts.") % {
            "reference": line.reference
        }
    if line.amount is not None and line.amount != deduction.amount:
        return _("“%(reference)s” is about %(found)s; %(asked)s were to be taken.") % {
            "reference": line.reference,
            "found": line.amount,
            "asked": deduction.amount,
        }
    if deduction.status == D.REFUSED and line.status == D.TAKEN:
        return _("“%(reference)s” was refused by an earlier file, and its price is owed again.") % {
            "reference": line.reference
        }
    if deduction.status == D.TAKEN and line.status == D.REFUSED and deduction.pk in given:
        return _("“%(reference)s” was taken, and money of it was given back by hand: please settle it by hand.") % {
            "reference": line.reference
        }
    return ""


def read_results(*, period: CollectionPeriod, lines: Iterable[ResultLine], actor: Any) -> Reading:
    """Let the lines count, each in a transaction of its own, and return what counted. Read again, nothing counts twice.

    A period of which every line is decided is closed. Raises NotAllowed when its file was never made.
    """
    if period.status == CollectionStatus.OPEN:
        raise NotAllowed(_("The file of this period has not been made yet."))
    found = judge_results(period, lines)
    done = Reading(known=found.known, problems=found.problems, missing=found.missing)
    for deduction, line in [*found.taken, *found.refused]:
        try:
            decided = decide_deduction(deduction=deduction, line=line, actor=actor)
        except DomainError as error:
            done.problems.append((line.number, str(error)))
            continue
        if not decided:
            done.known += 1
        else:
            (done.taken if line.status == D.TAKEN else done.refused).append((deduction, line))
    _close(period, done, actor)
    return done


@transaction.atomic
def decide_deduction(*, deduction: Deduction, line: ResultLine, actor: Any) -> bool:
    """Write one result; what was refused is owed again, and its payer is told. Returns whether this call decided it.

    Raises NotAllowed when it was decided otherwise meanwhile.
    """
    order = lock_row(Order.objects.filter(payments=deduction.payment_id), "order")
    deduction = Deduction.objects.select_related("payment").get(pk=deduction.pk)
    if deduction.status == line.status:
        return False
    given = handed_back(Deduction.objects.filter(pk=deduction.pk))
    words = why_not(deduction, line, Counter([line.reference]), given)
    if words:
        raise NotAllowed(words)
    if line.status == D.REFUSED:
        _owe_again(deduction, order, line, actor)
    advance(deduction, line.status, table=DEDUCTION_MOVES, result=line.reason or line.word, decided_at=timezone.now())
    audit.record(f"deduction.{line.status}", deduction, actor=actor, amount=str(deduction.amount), reason=line.reason)
    return True


def _owe_again(deduction: Deduction, order: Order, line: ResultLine, actor: Any) -> None:
    """What is kept of the payment is owed again; all of it may be on its way back already, and then nothing is."""
    if not any(one.settled and one.kept > 0 for one in order.lines.all()):
        return
    before = {debt.pk for debt in debts_of(deduction.payment)}
    reverse_payment(
        payment=deduction.payment,
        reason=RefundReason.DEDUCTION_REFUSED,
        actor=actor,
        takes_back=False,
        note=line.reason,
    )
    for debt in debts_of(deduction.payment):
        if debt.pk not in before:
            emails.owed_again(debt)


@transaction.atomic
def _close(period: CollectionPeriod, done: Reading, actor: Any) -> None:
    period = lock_row(CollectionPeriod.objects.filter(pk=period.pk), "payment", "collection_period")
    audit.record("collection.results_read", period, actor=actor, taken=len(done.taken), refused=len(done.refused))
    is_open = period.deductions.filter(status=D.SENT).exists()
    if period.status == CollectionStatus.SENT and not is_open:
        advance(period, CollectionStatus.CLOSED, table=COLLECTION_MOVES, closed_at=timezone.now(), closed_by=actor)
        audit.record("collection.closed", period, actor=actor)
