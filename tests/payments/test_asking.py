"""Money that is under way is asked about until its end is known: no error, no death of a process, no lost report ends it."""

import contextlib
import datetime as dt

import pytest
from django.utils import timezone

from payments.gateways.base import Event, GatewayError, Result
from payments.gateways.registry import installed_gateways
from payments.models import GatewayEvent, OrderStatus, Payment, PaymentStatus
from payments.services.attempts import start_payment
from payments.services.confirming import check_payment, confirm_payment, handle_event, keep_event
from payments.tasks import reconcile_payments
from tests.factories.payments import place_thing
from tests.factories.peers import approved

pytestmark = pytest.mark.django_db
UNKNOWN = GatewayError("no answer")


@pytest.fixture
def payment(gateway, product) -> Payment:
    order = place_thing()
    start_payment(order=order, method_code="scripted")
    return order.payments.get()


def age(payment: Payment, **ago: dt.timedelta) -> None:
    """Let the payment be older than it is, and due for the next question."""
    now = timezone.now()
    Payment.objects.filter(pk=payment.pk).update(
        next_check_at=now, **{name: now - since for name, since in ago.items()}
    )


def later(payment: Payment) -> None:
    """Let the time of the next question come, if there is one."""
    Payment.objects.filter(pk=payment.pk, next_check_at__isnull=False).update(next_check_at=timezone.now())


@pytest.mark.parametrize("hours", [1, 23.99, 30, 24 * 30])
@pytest.mark.parametrize("failure", [UNKNOWN, Result(status="unknown"), ValueError("garbage"), SystemExit()])
def test_no_answer_never_ends_the_asking(payment, gateway, hours, failure):
    """Not in the last hour either, nor when the process dies between its claim and the answer."""
    age(payment, expires_at=dt.timedelta(hours=hours))
    gateway.answers = [failure]
    with contextlib.suppress(ValueError, SystemExit):
        check_payment(payment.pk)
    gateway.answers = [approved()]
    later(payment)
    reconcile_payments()
    payment.refresh_from_db()
    assert payment.status == PaymentStatus.APPROVED


def test_a_gateway_that_left_the_settings_may_come_back(payment, settings):
    age(payment, expires_at=dt.timedelta(hours=30))
    settings.PAYMENT_GATEWAYS = []
    installed_gateways.cache_clear()
    check_payment(payment.pk)
    payment.refresh_from_db()
    assert payment.next_check_at


@pytest.mark.parametrize("answer", ["pending", "absent"])
@pytest.mark.parametrize("expires_at", [dt.timedelta(hours=30), None])
def test_asking_ends_with_a_known_end(payment, gateway, answer, expires_at):
    """A payment without `expires_at` is one whose process died right after the gateway had opened the page."""
    Payment.objects.filter(pk=payment.pk).update(expires_at=None, created_at=timezone.now() - dt.timedelta(hours=30))
    if expires_at is None:
        Payment.objects.filter(pk=payment.pk).update(status=PaymentStatus.CREATED)
        age(payment)
    else:
        age(payment, expires_at=expires_at)
    gateway.answers = [Result(status=answer)]
    for _round in range(2):
        check_payment(payment.pk)
    payment.refresh_from_db()
    assert payment.status in (PaymentStatus.EXPIRED, PaymentStatus.FAILED)
    assert payment.next_check_at is None


def test_declined_is_asked_about_for_a_day_and_then_no_more(payment, gateway):
    gateway.answers = [Result(status="declined")]
    confirm_payment(payment)
    payment.refresh_from_db()
    assert (payment.status, payment.next_check_at is None) == (PaymentStatus.DECLINED, False)
    age(payment, expires_at=dt.timedelta(hours=30))
    check_payment(payment.pk)
    payment.refresh_from_db()
    assert payment.next_check_at is None


@pytest.mark.parametrize("status", [PaymentStatus.DECLINED, PaymentStatus.EXPIRED, PaymentStatus.FAILED])
def test_approved_after_all_counts(payment, gateway, status):
    Payment.objects.filter(pk=payment.pk).update(status=status)
    gateway.answers = [approved()]
    later(payment)
    reconcile_payments()
    payment.order.refresh_from_db()
    assert payment.order.status == OrderStatus.PAID


def test_a_page_that_opened_after_we_had_given_it_up_is_followed(gateway, product):
    """The gateway took minutes to answer `start`, and the reconciler had been told that it knew nothing."""
    order = place_thing()

    def slow_start() -> None:
        gateway.answers = [Result(status="absent")]
        confirm_payment(Payment.objects.get())
        assert Payment.objects.get().status == PaymentStatus.FAILED

    gateway.starts = [slow_start]
    start_payment(order=order, method_code="scripted")
    payment = Payment.objects.get()
    assert (payment.status, payment.gateway_reference) == (PaymentStatus.STARTED, "g-1")
    assert payment.expires_at


def test_a_report_may_come_before_the_page_is_noted(gateway, product):
    order = place_thing()

    def slow_start() -> None:
        gateway.answers = [approved()]
        confirm_payment(Payment.objects.get())

    gateway.starts = [slow_start]
    start_payment(order=order, method_code="scripted")
    assert Payment.objects.get().status == PaymentStatus.APPROVED


def test_a_worker_with_an_old_list_does_not_ask_again(payment, gateway):
    age(payment)
    for _worker in range(3):
        check_payment(payment.pk)
    assert len(gateway.asked) == 1


# Reports


def test_a_report_that_is_done_with_asks_nothing(payment, gateway):
    event = keep_event(gateway_code="scripted", event=Event("e-1", payment.reference), body=b"{}")
    for _time in range(3):
        handle_event(event.pk)
    assert len(gateway.asked) == 1


@pytest.mark.parametrize("failure", [UNKNOWN, ValueError("garbage"), SystemExit()])
def test_a_report_that_cannot_be_looked_up_is_left_to_the_reconciler(payment, gateway, failure):
    """Also long after the last regular question; and it does not stand in the way of other reports."""
    Payment.objects.filter(pk=payment.pk).update(status=PaymentStatus.EXPIRED, next_check_at=None)
    event = keep_event(gateway_code="scripted", event=Event("e-1", payment.reference), body=b"{}")
    gateway.answers = [failure]
    with contextlib.suppress(ValueError, SystemExit):
        handle_event(event.pk)
    assert GatewayEvent.objects.get().handled_at
    gateway.answers = [approved()]
    reconcile_payments()
    payment.refresh_from_db()
    assert payment.status == PaymentStatus.APPROVED


def test_reports_without_an_answer_do_not_starve_the_next_one(payment, gateway):
    old = timezone.now() - dt.timedelta(hours=1)
    GatewayEvent.objects.bulk_create(
        [GatewayEvent(gateway="scripted", event_id=f"e-{n}", reference=payment.reference) for n in range(201)]
    )
    GatewayEvent.objects.update(received_at=old)
    gateway.answers = [UNKNOWN]
    reconcile_payments()
    reconcile_payments()
    assert GatewayEvent.objects.filter(handled_at=None).count() == 0


def test_a_report_about_a_stranger_is_kept_and_done_with(gateway):
    event = keep_event(gateway_code="scripted", event=Event("e-1", "nobody"), body=b"{}")
    handle_event(event.pk)
    assert GatewayEvent.objects.get().handled_at


def test_a_report_is_kept_whatever_it_holds(gateway):
    """A report that we cannot write down is one that the gateway sends again for days."""
    odd = Event("i" * 300, "r" * 300)
    for _time in range(2):
        handle_event(keep_event(gateway_code="scripted", event=odd, body=b"\x00\xff").pk)
    assert GatewayEvent.objects.get().handled_at
