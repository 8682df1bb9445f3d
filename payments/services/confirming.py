"""Ask the gateway what became of a payment. What a browser or a webhook says is only a reason to ask."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from opscom.core import audit
from opscom.core.errors import Stale
from opscom.core.hooks import after_commit
from opscom.core.transitions import advance
from payments.gateways.base import Event, GatewayError, Result
from payments.gateways.registry import installed_gateways
from payments.models import PAYMENT_MOVES, GatewayEvent, Payment, PaymentStatus
from payments.services import storing
from payments.services.asking import FIRST_CHECK, is_last_question, next_check
from payments.services.attempts import describe_attempt
from payments.services.disputes import open_dispute
from payments.services.refunds import check_refund, find_refund, hurry_refund
from payments.services.settling import finish_order, settle

log = logging.getLogger(__name__)
WAITING = (PaymentStatus.CREATED, PaymentStatus.STARTED)


def confirm_payment(payment: Payment) -> Result:
    """Ask the gateway, write down what it says, deliver what is paid, and return its answer."""
    if payment.status == PaymentStatus.APPROVED:
        finish_order(payment.order_id)
        return Result(status="approved", amount=payment.received_amount, currency=payment.received_currency)
    gateway = installed_gateways().get(payment.gateway)
    try:
        result = gateway.confirm(describe_attempt(payment)) if gateway else Result(status="unknown")
    except GatewayError as error:
        log.warning("payment %s: the gateway does not answer: %s", payment.reference, error)
        result = Result(status="unknown", message=str(error))
    take_answer(payment, result)
    return result


def take_answer(payment: Payment, result: Result) -> None:
    """Write down what the gateway says of the payment, and deliver what is paid."""
    if result.status == "approved":
        settle(payment_id=payment.pk, result=result)
        finish_order(payment.order_id)
    else:
        _note(payment, result)


def leave_page(payment: Payment) -> None:
    """Close the gateway's page that the payer left, so that nobody pays there any more; asking it comes after this."""
    gateway = installed_gateways().get(payment.gateway)
    if gateway is None or payment.status != PaymentStatus.STARTED:
        return
    try:
        gateway.leave(gateway_reference=payment.gateway_reference)
    except GatewayError as error:
        log.warning("payment %s: its page could not be closed: %s", payment.reference, error)


def _note(payment: Payment, result: Result) -> None:
    if result.status == "unknown":
        return
    is_last = is_last_question(payment.expires_at or payment.created_at)
    # Else still asked for a day: the gateway's word may change while money is under way.
    next_check_at = None if is_last else next_check(payment.checks)
    to = _end_of(payment, result, is_last=is_last)
    try:
        with transaction.atomic():
            if to is not None and payment.status in WAITING:
                asks = result.status == "needs_customer"
                facts: dict[str, Any] = {"message": result.message[:200], "needs_customer": asks}
                advance(payment, to, table=PAYMENT_MOVES, next_check_at=next_check_at, **facts)
                audit.record(f"payment.{to}", payment, message=result.message)
            elif is_last:
                Payment.objects.filter(pk=payment.pk, status=payment.status).update(next_check_at=None)
    except Stale:
        log.info("payment %s was settled by somebody else meanwhile", payment.reference)


def _end_of(payment: Payment, result: Result, *, is_last: bool) -> PaymentStatus | None:
    """Return what a payment that waits has come to, by an answer that is neither approved nor unknown; None: it waits."""
    if result.status in ("declined", "needs_customer"):
        return PaymentStatus.DECLINED
    if result.status == "expired":
        return PaymentStatus.EXPIRED
    if result.status == "absent" and payment.status == PaymentStatus.CREATED:
        # The charge of a stored card may still be on its way: a second one must not begin before it is known.
        is_on_its_way = payment.stored_method_id and timezone.now() < payment.created_at + FIRST_CHECK
        return None if is_on_its_way else PaymentStatus.FAILED
    is_closed = payment.expires_at is not None and payment.expires_at < timezone.now()
    return PaymentStatus.EXPIRED if is_last or (is_closed and result.status == "pending") else None


def payments_to_check() -> list[int]:
    """Return the ids of payments that the gateway should be asked about now."""
    due = Payment.objects.filter(next_check_at__lte=timezone.now()).exclude(status=PaymentStatus.APPROVED)
    return list(due.order_by("next_check_at").values_list("pk", flat=True)[:200])


def check_payment(payment_id: int) -> None:
    """The reconciler's step for one payment: claim it by moving its next check, then ask. Two workers ask once."""
    payment = Payment.objects.select_related("order").get(pk=payment_id)
    # Due still: a worker that comes late with an old list in its hand finds the next check moved, and does not ask again.
    claimed = Payment.objects.filter(
        pk=payment_id, next_check_at=payment.next_check_at, next_check_at__lte=timezone.now()
    ).exclude(status=PaymentStatus.APPROVED)
    if claimed.update(next_check_at=next_check(payment.checks), checks=payment.checks + 1):
        payment.checks += 1
        confirm_payment(payment)


def keep_event(*, gateway_code: str, event: Event, body: bytes) -> GatewayEvent:
    """Write an event down before anything is done about it, whatever it holds; a repeat returns the first row."""
    kept, _made = GatewayEvent.objects.get_or_create(
        gateway=gateway_code,
        event_id=_storable(event.id, 120),
        defaults={
            "reference": _storable(event.reference, 30),
            "about": event.about,
            "payload": _storable(body.decode("utf-8", "replace"), 20000),
        },
    )
    return kept


def _storable(text: str, length: int) -> str:
    return text.replace("\x00", "\ufffd")[:length]


def announce_event(event: GatewayEvent) -> None:
    """Tell a worker about a kept event; when this is lost, the reconciler finds it."""
    from payments.tasks import handle_event as task  # noqa: PLC0415 - tasks import services

    after_commit(task.delay, event.pk)


def handle_event(event_id: int) -> None:
    """Ask the gateway about what an event speaks of; a repeat finds it settled and does nothing.

    The event is done with once that is due for a question: when this one has no answer, the reconciler asks on, and a
    gateway that is away leaves no heap of events that stand before the others.
    """
    event = GatewayEvent.objects.get(pk=event_id)
    if event.handled_at:
        return
    asker = ASKERS.get(event.about)
    found = asker.find(event.gateway, event.reference) if asker else None
    with transaction.atomic():
        if asker is None or found is None:
            log.warning("event %s speaks of an unknown %s %s", event.event_id, event.about, event.reference)
        else:
            asker.hurry(found)
        GatewayEvent.objects.filter(pk=event_id).update(handled_at=timezone.now())
    if asker and found is not None:
        asker.ask(found)


@dataclass(frozen=True, slots=True)
class Asker:
    """What is done about an event: find its row by our reference, make it due for the reconciler, ask the gateway."""

    find: Callable[[str, str], Any]
    hurry: Callable[[Any], Any]
    ask: Callable[[Any], Any]


def _find_payment(gateway: str, reference: str) -> Payment | None:
    return Payment.objects.select_related("order").filter(gateway=gateway, reference=reference).first()


def _hurry_payment(payment: Payment) -> None:
    waiting = Payment.objects.filter(pk=payment.pk).exclude(status=PaymentStatus.APPROVED)
    waiting.update(next_check_at=timezone.now())


# By what an event is about.
ASKERS = {
    "payment": Asker(_find_payment, _hurry_payment, confirm_payment),
    "refund": Asker(find_refund, hurry_refund, lambda refund: check_refund(refund.pk)),
    # The report itself is what counts: it only makes the office look, and moves no money.
    "dispute": Asker(_find_payment, open_dispute, lambda payment: None),
    "card": Asker(storing.find_card_save, storing.hurry_card_save, storing.confirm_card_save),
}


def waiting_events() -> list[int]:
    """Return events whose task was lost."""
    old = timezone.now() - timedelta(seconds=30)
    waiting = GatewayEvent.objects.filter(handled_at__isnull=True, received_at__lt=old)
    return list(waiting.order_by("received_at").values_list("pk", flat=True)[:200])
