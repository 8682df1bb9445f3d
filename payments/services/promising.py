"""A promise to bring the money to the office: made, and then kept, called off, overtaken, or not kept."""

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from accounts.selectors import require_proved
from accounts.services.people import lock_person
from opscom.core import audit
from opscom.core.errors import Allowed, Decision, NotAllowed, Refused
from opscom.core.locks import lock_row
from opscom.core.transitions import advance
from opscom.provider.selectors import add_business_days, is_business_day, local_date, start_of_day
from payments import promise_emails as emails
from payments.models import (
    COUNTER,
    ORDER_MOVES,
    PROMISE_MOVES,
    MethodKind,
    Order,
    OrderLine,
    OrderStatus,
    Payment,
    PaymentMethod,
    Promise,
    PromiseStatus,
    RefundReason,
    Tender,
)
from payments.purchasables import Quote, get_purchasable
from payments.services.attempts import find_method
from payments.services.by_hand import take_by_hand
from payments.services.orders import quote_order
from payments.services.reversals import reverse_payment
from payments.services.settling import capture_lines

# A promise keeps a number from others, or lets somebody park, for days and for nothing: who did not keep that many pays
# online for a while, or at the counter at once.
MOST_BROKEN = 2
BROKEN_FOR = dt.timedelta(days=90)
REMIND_BEFORE = dt.timedelta(days=2)
DEEDS = {
    PromiseStatus.CANCELLED: "promise.cancelled",
    PromiseStatus.LAPSED: "promise.lapsed",
    PromiseStatus.PAID_OTHERWISE: "promise.paid_otherwise",
}


def can_promise(payer: Any, now: dt.datetime) -> Decision:
    """Say whether the payer may promise to bring money: somebody with a proved address who has kept their promises."""
    if payer is None:
        return Refused("guest", _("Without an account you can only pay online."))
    proved = require_proved(payer, "promise")
    if not proved.is_allowed:
        return proved
    broken = Q(status__in=[PromiseStatus.LAPSED, PromiseStatus.BOUNCED]) | Q(
        status=PromiseStatus.CANCELLED, closed_by=payer
    )
    lately = Promise.objects.filter(broken, order__payer=payer, closed_at__gt=now - BROKEN_FOR)
    if lately.count() >= MOST_BROKEN:
        return Refused(
            "broken", _("Earlier promises to pay were not kept. Please pay online, or contact the parking office.")
        )
    return Allowed()


@transaction.atomic
def promise_order(*, order: Order, method_code: str, actor: Any, now: dt.datetime | None = None) -> Promise:
    """Let the order wait for money that its payer brings to the office; its things are held, or valid, until then.

    A second click finds the first promise. Raises NotAllowed with the reason: see `can_promise`; a method or a thing that
    is not for promises; an order that is no longer open; no office day left on which to pay.
    """
    now = now or timezone.now()
    method = find_method(order, method_code, MethodKind.PROMISE)
    if order.payer:
        # Two tabs must not promise at once what one alone could not.
        lock_person(order.payer)
    order = lock_row(Order.objects.filter(pk=order.pk), "order")
    if order.status == OrderStatus.PROMISED:
        return Promise.objects.get(order=order)
    can_promise(order.payer, now).or_raise()
    if order.status != OrderStatus.OPEN or order.due == 0:
        raise NotAllowed(_("This order is no longer open. Please start again from your payments."))
    with override(order.language):
        quotes = quote_order(order)
    pay_by = find_pay_by(quotes, method, now)
    promise = Promise.objects.create(order=order, method=method, pay_by=pay_by)
    advance(order, OrderStatus.PROMISED, table=ORDER_MOVES)
    for kind, ids in sorted(_unpaid_things(order).items()):
        get_purchasable(kind).promise(sorted(ids), order=order, until=pay_by)
    audit.record("promise.made", promise, actor=actor, due=str(order.due), pay_by=pay_by)
    emails.promised(promise, quotes)
    return promise


def find_pay_by(quotes: Sequence[Quote], method: PaymentMethod, now: dt.datetime) -> dt.datetime:
    """Return the first instant that is too late: after the method's days, on an office day, while the things are worth it.

    Raises NotAllowed when one of the things takes no promise, or when the office does not open before that.
    """
    if not all(quote.is_payable_by_promise for quote in quotes):
        raise NotAllowed(_("Something in this order can only be paid online, at once."))
    today = local_date(now)
    last_day = today + dt.timedelta(days=method.days_to_pay)
    if not is_business_day(last_day):
        last_day = add_business_days(last_day, 1)
    ends = [quote.promise_before for quote in quotes if quote.promise_before is not None]
    pay_by = min([start_of_day(last_day + dt.timedelta(days=1)), *ends])
    first_chance = today if is_business_day(today) else add_business_days(today, 1)
    if start_of_day(first_chance) >= pay_by:
        raise NotAllowed(_("The office does not open in time for this: please pay online."))
    return pay_by


@transaction.atomic
def receive_promise(
    *, promise: Promise, actor: Any, amount: Decimal, tender: str, reference: str = "", note: str = ""
) -> Payment:
    """The money is on the counter: pay the order with it, and return the payment. Deliver with `finish_order` afterwards.

    Money for a promise that has lapsed counts too; what is gone meanwhile is owed back. Raises NotAllowed when the order
    is paid already, the promise is over, or the sum is not the one that is due.
    """
    order, promise = _lock(promise)
    if order.status == OrderStatus.PAID:
        raise NotAllowed(_("This order is already paid."))
    if promise.status not in (PromiseStatus.PROMISED, PromiseStatus.LAPSED):
        raise NotAllowed(_("This promise is over: its money can no longer be taken."))
    if amount != order.due or order.due == 0:
        raise NotAllowed(_("The sum must be exactly what is due. To ask for less or more, adjust the order first."))
    payment = take_by_hand(order=order, gateway=COUNTER, method=promise.method, actor=actor, reference=reference)
    advance(
        promise,
        PromiseStatus.RECEIVED,
        table=PROMISE_MOVES,
        closed_at=timezone.now(),
        closed_by=actor,
        payment=payment,
        tender=Tender(tender),
        received_amount=amount,
        received_by=actor,
        reference=reference,
        note=note,
    )
    audit.record("promise.received", promise, actor=actor, amount=str(amount), tender=tender, reference=reference)
    capture_lines(order, payment)
    return payment


@transaction.atomic
def bounce_promise(*, promise: Promise, actor: Any, takes_back: bool, note: str = "") -> None:
    """The bank returned the cheque: its payment is reversed, and what was bought is taken back, or owed again.

    Raises NotAllowed unless a cheque was received, and when none of its money is left.
    """
    _order, promise = _lock(promise)
    if promise.status != PromiseStatus.RECEIVED or promise.tender != Tender.CHEQUE or promise.payment is None:
        raise NotAllowed(_("Only a cheque that was received can bounce."))
    advance(promise, PromiseStatus.BOUNCED, table=PROMISE_MOVES, closed_at=timezone.now(), closed_by=actor, note=note)
    reverse_payment(payment=promise.payment, reason=RefundReason.BOUNCED, actor=actor, takes_back=takes_back, note=note)
    audit.record("promise.bounced", promise, actor=actor, takes_back=takes_back, note=note)
    emails.bounced(promise, takes_back=takes_back)


@transaction.atomic
def cancel_promise(*, promise: Promise, actor: Any, note: str = "") -> None:
    """The payer, or the office with a reason, calls it off: the order is closed, its things are free. NotAllowed when over."""
    order, promise = _lock(promise)
    if promise.status != PromiseStatus.PROMISED:
        raise NotAllowed(_("This promise is over already."))
    _end(order, promise, PromiseStatus.CANCELLED, actor=actor, note=note)
    emails.cancelled(promise)


def promises_to_close(now: dt.datetime | None = None) -> list[int]:
    """Return running promises whose last day is over, and those whose things have all been paid for elsewhere."""
    lines = OrderLine.objects.filter(order=OuterRef("order"))
    overtaken = ~Exists(lines.filter(~Exists(_settled_elsewhere())))
    due = Promise.objects.filter(Q(pay_by__lte=now or timezone.now()) | overtaken, status=PromiseStatus.PROMISED)
    return list(due.order_by("pay_by").values_list("pk", flat=True)[:200])


@transaction.atomic(durable=True)
def close_due_promise(promise_id: int, now: dt.datetime | None = None) -> None:
    """Let the promise lapse when its last day is over, or close it when nothing is left to pay. Twice, or late: once."""
    order, promise = _lock(Promise.objects.get(pk=promise_id))
    if promise.status != PromiseStatus.PROMISED:
        return
    if not _unpaid_things(order):
        _end(order, promise, PromiseStatus.PAID_OTHERWISE)
    elif promise.pay_by <= (now or timezone.now()):
        _end(order, promise, PromiseStatus.LAPSED)
        emails.lapsed(promise)


def promises_to_remind(now: dt.datetime | None = None) -> list[int]:
    """Return running promises whose last day is near and whose payer has not been told; not those made a moment ago."""
    now = now or timezone.now()
    near = Promise.objects.filter(
        status=PromiseStatus.PROMISED, reminded_at=None, pay_by__gt=now, pay_by__lte=now + REMIND_BEFORE
    ).filter(created_at__lt=now - dt.timedelta(days=1))
    return list(near.order_by("pay_by").values_list("pk", flat=True)[:200])


@transaction.atomic
def remind_of_promise(promise_id: int) -> None:
    """Tell the payer once that the last day is near."""
    _order, promise = _lock(Promise.objects.get(pk=promise_id))
    waiting = Promise.objects.filter(pk=promise.pk, status=PromiseStatus.PROMISED, reminded_at=None)
    if waiting.update(reminded_at=timezone.now()):
        emails.reminder(promise)


def _lock(promise: Promise) -> tuple[Order, Promise]:
    """Lock the promise's order, under which alone a promise moves, and return both as they are now."""
    order = lock_row(Order.objects.filter(pk=promise.order_id), "order")
    promise = Promise.objects.select_related("method", "payment").get(order=order)
    promise.order = order
    return order, promise


def _end(order: Order, promise: Promise, to: PromiseStatus, *, actor: Any = None, note: str = "") -> None:
    advance(promise, to, table=PROMISE_MOVES, closed_at=timezone.now(), closed_by=actor, note=note)
    advance(order, OrderStatus.CLOSED, table=ORDER_MOVES)
    # Products ask the order how its promise ended.
    order.promise = promise
    for kind, ids in sorted(_unpaid_things(order).items()):
        get_purchasable(kind).end_promise(sorted(ids), order=order)
    audit.record(DEEDS[to], promise, actor=actor, note=note)


def _unpaid_things(order: Order) -> dict[str, list[int]]:
    """Return what of the order was not paid for in another order meanwhile."""
    things: dict[str, list[int]] = {}
    for line in order.lines.filter(~Exists(_settled_elsewhere())):
        things.setdefault(line.kind, []).append(line.object_id)
    return things


def _settled_elsewhere() -> Any:
    return OrderLine.objects.filter(kind=OuterRef("kind"), object_id=OuterRef("object_id"), settled=True)
