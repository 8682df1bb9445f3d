"""What the office decides to give back: in whole or in part, with what was bought or without, alone or by two."""

from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from opscom.core import audit
from opscom.core.errors import NotAllowed
from opscom.core.locks import lock_row
from opscom.core.money import format_money
from opscom.core.transitions import advance
from opscom.provider.models import RefundFrees
from opscom.provider.selectors import get_provider
from payments.models import (
    LINE_MOVES,
    REFUND_MOVES,
    LineStatus,
    Order,
    OrderLine,
    Payment,
    Refund,
    RefundReason,
    RefundStatus,
)
from payments.purchasables import get_purchasable
from payments.services.deducting import refuse_untaken, require_taken
from payments.services.refunds import count_returned, note_success, owe_refund

REFUNDABLE = (LineStatus.FULFILLED, LineStatus.NEEDS_REVIEW)
DEPOSIT = "deposit"


@transaction.atomic
def refund_line(
    *,
    line: OrderLine,
    actor: Any,
    amount: Decimal | None = None,
    note: str = "",
    reason: RefundReason = RefundReason.OFFICE,
) -> Refund | None:
    """Give a paid line's money back, all that is left of it or `amount`, to where it came from.

    What was bought is taken back as the provider's rule says; what was never delivered always is. Above the provider's
    limit the refund waits for a second person, and so does the taking back. Returns None when nothing was paid for it.
    Raises NotAllowed when the line is not paid, when the sum is more than is left, or when it is a deposit.
    """
    order = lock_row(Order.objects.filter(lines=line.pk), "order")
    line = OrderLine.objects.select_related("order").get(pk=line.pk)
    if line.status not in REFUNDABLE:
        raise NotAllowed(_("Only a paid line can be refunded."))
    if line.kind == DEPOSIT:
        raise NotAllowed(_("This is a deposit: return or keep it on the deposit's own page."))
    payment = order.paying_payment
    if payment is None or not line.due:
        free_line(line)
        advance(line, LineStatus.REFUNDED, table=LINE_MOVES)
        return None
    amount = line.kept if amount is None else amount
    return give_back(
        line=line, payment=payment, amount=amount, reason=reason, actor=actor, note=note, frees=frees_line(line, amount)
    )


def frees_line(line: OrderLine, amount: Decimal) -> bool:
    """Say whether giving this much back takes back what was bought, too."""
    if line.status == LineStatus.NEEDS_REVIEW:
        return True
    rule = get_provider().refund_frees
    return rule == RefundFrees.ALWAYS or (rule == RefundFrees.WHOLE and amount == line.kept)


def give_back(
    *, line: OrderLine, payment: Payment, amount: Decimal, reason: RefundReason, actor: Any, note: str, frees: bool
) -> Refund:
    """Write the refund of a line whose order the caller has locked, as due, or as proposed when a second person is needed."""
    if not 0 < amount <= line.kept:
        most = format_money(line.kept)
        raise NotAllowed(_("More than nothing and at most %(most)s can go back for this.") % {"most": most})
    is_alone = may_refund_alone(payment, amount)
    refund = owe_refund(
        payment=payment,
        amount=amount,
        reason=reason,
        line=line,
        frees=frees,
        note=note,
        status=RefundStatus.DUE if is_alone else RefundStatus.PROPOSED,
        actor=actor,
    )
    if is_alone and frees:
        free_line(line)
    return refund


def may_refund_alone(payment: Payment, amount: Decimal) -> bool:
    """Say whether one person may give this back: all that goes back of one payment counts together."""
    limit = get_provider().refund_second_person_above
    return limit is None or payment.returned + amount <= limit


def free_line(line: OrderLine) -> None:
    """Take back what the line bought. The caller holds the order's lock."""
    get_purchasable(line.kind).release(line.object_id, order=line.order)
    advance(line, LineStatus.REFUND_DUE, table=LINE_MOVES, settled=False, next_try_at=None)


@transaction.atomic
def approve_refund(*, refund: Refund, actor: Any) -> None:
    """The second person agrees: it is sent, and what was bought is taken back if it is to be.

    Raises NotAllowed for who proposed it, and when it waits no more.
    """
    refund = _lock_proposed(refund)
    if refund.requested_by_id == actor.pk:
        raise NotAllowed(_("A second person must approve this: you proposed it."))
    advance(refund, RefundStatus.DUE, table=REFUND_MOVES, approved_by=actor)
    line = refund.line
    if line is not None and refund.frees and line.settled:
        free_line(line)
    audit.record("refund.approved", refund, actor=actor, amount=str(refund.amount))


@transaction.atomic
def withdraw_refund(*, refund: Refund, actor: Any, note: str) -> None:
    """A proposed refund is not made after all; who proposed it may say so, too."""
    refund = _lock_proposed(refund)
    refuse_untaken(refund)
    count_returned(refund.payment, refund.line, -refund.amount)
    advance(refund, RefundStatus.WITHDRAWN, table=REFUND_MOVES, last_error=note)
    audit.record("refund.withdrawn", refund, actor=actor, note=note)


def _lock_proposed(refund: Refund) -> Refund:
    lock_row(Order.objects.filter(pk=refund.payment.order_id), "order")
    refund = Refund.objects.select_related("payment", "line__order").get(pk=refund.pk)
    if refund.status != RefundStatus.PROPOSED:
        raise NotAllowed(_("This refund does not wait for a second person any more."))
    return refund


@transaction.atomic
def hand_back(*, refund: Refund, actor: Any, note: str) -> None:
    """The office gave the money back by hand: in cash, by a cheque, by the next pay run. `note` says how.

    Raises NotAllowed when a gateway sends it, or when it is not due.
    """
    order = lock_row(Order.objects.filter(pk=refund.payment.order_id), "order")
    refund = Refund.objects.select_related("payment", "line").get(pk=refund.pk)
    if not refund.payment.is_handed_back or refund.status != RefundStatus.DUE:
        raise NotAllowed(_("Only a refund that is due and that no gateway sends is given back by hand."))
    require_taken(refund)
    note_success(order, refund)
    Refund.objects.filter(pk=refund.pk).update(note=note)
    audit.record("refund.handed_back", refund, actor=actor, note=note)


@transaction.atomic
def refund_unmatched_payment(*, payment: Payment, actor: Any) -> Refund:
    """The office sends back a payment whose amount did not match."""
    lock_row(Order.objects.filter(pk=payment.order_id), "order")
    payment = lock_row(Payment.objects.filter(pk=payment.pk), "payment")
    if not payment.needs_review or payment.received_amount is None or payment.refunds.exists():
        raise NotAllowed(_("Only a payment that waits for review can be sent back whole."))
    amount = payment.received_amount
    is_alone = may_refund_alone(payment, amount)
    return owe_refund(
        payment=payment,
        amount=amount,
        reason=RefundReason.WRONG_AMOUNT,
        status=RefundStatus.DUE if is_alone else RefundStatus.PROPOSED,
        actor=actor,
    )
