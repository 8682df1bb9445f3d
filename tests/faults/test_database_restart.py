"""The database goes down in the middle of a checkout, and comes back: nothing is charged twice, nothing paid is lost.

A server of its own, because the others of the run must not feel it. It goes down as `pg_ctl stop -m fast` does, and as a
crash does: at once, with what was committed still to be recovered.
"""

import signal
from collections.abc import Callable, Iterator

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import DatabaseError, connection, connections

from demo.bank.models import BankRefund, BankSession
from demo.scratch import Scratch
from demo.servers import THROWAWAY, EmbeddedPostgres, postgres_programs
from payments import tasks as payment_tasks
from payments.models import Order, OrderStatus, Payment, PaymentStatus, Refund, RefundStatus
from payments.services.attempts import start_payment
from payments.services.confirming import check_payment, confirm_payment
from payments.services.refunding import refund_line
from permits.models import Permit, PermitStatus
from tests.factories.payments import go_to_bank, order_permit, pay_at_bank
from tests.factories.permits import make_sale, offer_demo_bank, reserve
from tests.races.together import assert_books_and_numbers_are_right, let_hours_pass

pytestmark = [pytest.mark.races]
FAST, CRASH = signal.SIGINT, signal.SIGQUIT


class Server:
    """A PostgreSQL that may go down whenever a test says so."""

    def __init__(self, scratch: Scratch) -> None:
        self.processes = scratch.processes
        # A commit is in the hands of the operating system before it is answered: what was committed survives a crash.
        options = THROWAWAY | {"synchronous_commit": "on"}
        self.postgres = EmbeddedPostgres(self.processes, scratch.folder, options=options)
        self.postgres.start()

    def goes_down(self, how: signal.Signals) -> None:
        """Stop it; whoever is connected reads an error at the next word."""
        [child] = [one for one in self.processes.children if one.name == "PostgreSQL" and one.is_alive]
        child.stop_signal = how
        self.processes.stop(child)

    def comes_back(self) -> None:
        """Start it again with its data, and point Django there."""
        self.postgres._run(self.postgres._reachable(postgres_programs()))
        self.point_django_here()

    def point_django_here(self) -> None:
        """Let every new connection go to this server."""
        connections.close_all()
        here = {"PORT": self.postgres.port, "PASSWORD": self.postgres.password, "HOST": "127.0.0.1"}
        settings.DATABASES["default"].update(here | {"NAME": "opscom", "USER": "opscom"})
        connections["default"].settings_dict.update(settings.DATABASES["default"])


@pytest.fixture(scope="module")
def server(django_db_setup, django_db_blocker) -> Iterator[Server]:
    """Run it for the length of this file."""
    before = dict(settings.DATABASES["default"])
    scratch = Scratch()
    scratch.processes.own()
    try:
        with django_db_blocker.unblock():
            server = Server(scratch)
            server.point_django_here()
            call_command("migrate", verbosity=0, interactive=False)
            yield server
    finally:
        connections.close_all()
        settings.DATABASES["default"].update(before)
        connections["default"].settings_dict.update(before)
        scratch.stop()


def down_at(server: Server, number: int, how: signal.Signals, deed: Callable[[], object]) -> bool:
    """Do it while the server goes down before the write of this number; returns whether it came so far."""
    seen = -1
    is_down = False

    def count(execute, sql, params, many, context):
        nonlocal seen, is_down
        seen += not sql.startswith(("SELECT", "SAVEPOINT", "RELEASE"))
        if seen == number and not is_down:
            is_down = True
            server.goes_down(how)
        return execute(sql, params, many, context)

    try:
        with connection.execute_wrapper(count):
            deed()
    except DatabaseError:
        assert is_down, "It failed by itself."
    finally:
        if is_down:
            server.comes_back()
    return is_down


@pytest.mark.parametrize(("number", "how"), [(0, FAST), (1, CRASH), (2, FAST), (3, CRASH)])
def test_while_the_payer_is_sent_to_the_bank(server, number, how):
    offer_demo_bank()
    permit = reserve(make_sale(numbers=1))
    order = order_permit(permit)
    down_at(server, number, how, lambda: start_payment(order=order, method_code="demo-bank"))
    let_hours_pass()
    payment = go_to_bank(Order.objects.get(pk=order.pk))
    pay_at_bank(payment)
    confirm_payment(payment)
    assert Permit.objects.get(pk=permit.pk).status == PermitStatus.ACTIVE
    assert BankSession.objects.filter(status="approved").count() == Payment.objects.filter(status="approved").count()
    assert_books_and_numbers_are_right()


@pytest.mark.parametrize(("number", "how"), [(1, FAST), (3, CRASH), (5, FAST), (8, CRASH)])
def test_while_the_money_is_counted(server, number, how):
    offer_demo_bank()
    permit = reserve(make_sale(numbers=1))
    payment = go_to_bank(order_permit(permit))
    pay_at_bank(payment)
    Payment.objects.filter(pk=payment.pk).update(next_check_at=payment.created_at)
    assert down_at(server, number, how, lambda: check_payment(payment.pk))
    let_hours_pass()
    payment.refresh_from_db()
    assert payment.status == PaymentStatus.APPROVED
    assert Order.objects.get(pk=payment.order_id).status == OrderStatus.PAID
    assert Permit.objects.get(pk=permit.pk).status == PermitStatus.ACTIVE
    assert_books_and_numbers_are_right()


@pytest.mark.parametrize(("number", "how"), [(0, FAST), (2, CRASH), (4, FAST)])
def test_while_money_goes_back(server, number, how):
    offer_demo_bank()
    permit = reserve(make_sale(numbers=1))
    payment = go_to_bank(order_permit(permit))
    pay_at_bank(payment)
    confirm_payment(payment)
    refund_line(line=payment.order.lines.get(), actor=permit.holder)
    assert down_at(server, number, how, payment_tasks.send_refunds)
    let_hours_pass()
    refund = Refund.objects.get(payment=payment)
    assert refund.status == RefundStatus.SUCCEEDED
    assert BankRefund.objects.filter(key=refund.reference).count() == 1
    assert_books_and_numbers_are_right()
