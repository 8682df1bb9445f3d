"""Ask the gateway what became of a payment. What a browser or a webhook says is only a reason to ask."""

import logging
from datetime import timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from opscom.core import audit
from opscom.core.errors import Stale
from opscom.core.hooks import after_commit
from opscom.core.transitions import advance
from payments.gateways.base import Event, GatewayError, Result
from payments.gateways.registry import installed_gateways
from payments.models import PAYMENT_MOVES, GatewayEvent, Payment, PaymentStatus
from payments.services.attempts import describe_attempt
from payments.services.settling import finish_order, settle

log = logging.getLogger(__name__)
# A page that has closed may still report money that was on its way: keep asking for a day, ever more rarely.
ASK_AFTER_EXPIRY = timedelta(hours=24)
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
    if result.status == "approved":
        settle(payment_id=payment.pk, result=result)
        finish_order(payment.order_id)
    else:
        _note(payment, result)
    return result


def _note(payment: Payment, result: Result) -> None:
    to = {"declined": PaymentStatus.DECLINED, "absent": PaymentStatus.FAILED}.get(result.status)
    if to is PaymentStatus.FAILED and payment.status != PaymentStatus.CREATED:
        to = None
    now = timezone.now()
    if to is None and payment.expires_at and payment.expires_at < now and result.status == "pending":
        to = PaymentStatus.EXPIRED
    if to is None or payment.status not in WAITING:
        return
    try:
        with transaction.atomic():
            # Still asked for a day: the gateway's word may change while money is under way.
            advance(payment, to, table=PAYMENT_MOVES, message=result.message[:200], next_check_at=_next_check(payment))
            audit.record(f"payment.{to}", payment, message=result.message)
    except Stale:
        log.info("payment %s was settled by somebody else meanwhile", payment.reference)


def _next_check(payment: Payment) -> object:
    now = timezone.now()
    last = (payment.expires_at or payment.created_at) + ASK_AFTER_EXPIRY
    wait = min(timedelta(seconds=30) * 2 ** min(payment.checks, 12), timedelta(hours=2))
    return now + wait if now + wait < last else None


def payments_to_check() -> list[int]:
    """Return the ids of payments that the gateway should be asked about now."""
    due = Payment.objects.filter(next_check_at__lte=timezone.now()).exclude(status=PaymentStatus.APPROVED)
    return list(due.order_by("next_check_at").values_list("pk", flat=True)[:200])


def check_payment(payment_id: int) -> None:
    """The reconciler's step for one payment: claim it by moving its next check, then ask. Two workers ask once."""
    payment = Payment.objects.select_related("order").get(pk=payment_id)
    claimed = Payment.objects.filter(pk=payment_id, next_check_at=payment.next_check_at).exclude(
        Q(next_check_at__isnull=True) | Q(status=PaymentStatus.APPROVED)
    )
    if claimed.update(next_check_at=_next_check(payment), checks=payment.checks + 1):
        payment.checks += 1
        confirm_payment(payment)


def keep_event(*, gateway_code: str, event: Event, body: bytes) -> GatewayEvent:
    """Write an event down before anything is done about it; a repeat returns the first row."""
    kept, _made = GatewayEvent.objects.get_or_create(
        gateway=gateway_code,
        event_id=event.id,
        defaults={"reference": event.reference, "payload": body.decode("utf-8", "replace")[:20000]},
    )
    return kept


def announce_event(event: GatewayEvent) -> None:
    """Tell a worker about a kept event; when this is lost, the reconciler finds it."""
    from payments.tasks import handle_event as task  # noqa: PLC0415 - tasks import services

    after_commit(task.delay, event.pk)


def handle_event(event_id: int) -> None:
    """Ask the gateway about the payment that an event speaks of; a repeat finds it settled and does nothing."""
    event = GatewayEvent.objects.get(pk=event_id)
    if event.handled_at:
        return
    payment = Payment.objects.select_related("order").filter(gateway=event.gateway, reference=event.reference).first()
    if payment is None:
        log.warning("event %s speaks of an unknown reference %s", event.event_id, event.reference)
    elif confirm_payment(payment).status == "unknown":
        return
    GatewayEvent.objects.filter(pk=event_id).update(handled_at=timezone.now())


def waiting_events() -> list[int]:
    """Return events whose task was lost."""
    old = timezone.now() - timedelta(seconds=30)
    waiting = GatewayEvent.objects.filter(handled_at__isnull=True, received_at__lt=old)
    return list(waiting.order_by("received_at").values_list("pk", flat=True)[:200])
