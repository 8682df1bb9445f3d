"""A company's month under several hands at once: closed once, and nothing stands on two statements."""

from functools import partial

import pytest

from opscom.core.errors import IllegalMove
from payments import purchasables
from payments.models import Payment, Statement, StatementDocument
from payments.services.refunding import refund_line
from payments.services.statements import issue_statements, mark_paid
from payments.statement_documents import make_statement
from payments.tasks import send_refunds
from tests.factories.peers import ScriptedProduct
from tests.factories.statements import charge, make_account
from tests.races.together import assert_books_and_numbers_are_right, together

pytestmark = [pytest.mark.races, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def things():
    product = ScriptedProduct()
    purchasables.register(product)
    yield
    del purchasables._registry[product.kind]


def test_four_workers_close_a_month_once() -> None:
    account = make_account()
    for _order in range(3):
        charge(account)
    together([partial(issue_statements, account.pk)] * 4)
    statement = Statement.objects.get()
    assert (statement.payments.count(), Payment.objects.filter(statement=None).count()) == (3, 0)
    assert_books_and_numbers_are_right()


def test_paid_and_given_back_while_the_month_is_closed() -> None:
    """Whatever comes late is left for the next statement, and none of it is lost."""
    account = make_account()
    first = charge(account)

    def give_back() -> None:
        refund_line(line=first.order.lines.get(), actor=None)
        send_refunds()

    together([partial(issue_statements, account.pk), partial(charge, account), give_back])
    assert Statement.objects.count() == 1
    assert_books_and_numbers_are_right()


def test_marked_as_paid_by_two_hands() -> None:
    account = make_account()
    charge(account)
    [statement] = issue_statements(account.pk)

    def mark(reference: str) -> str:
        try:
            mark_paid(statement=Statement.objects.get(pk=statement.pk), reference=reference, actor=None)
        except IllegalMove:
            return ""
        return reference

    done = [one for one in together([partial(mark, "T-1"), partial(mark, "T-2")]) if isinstance(one, str) and one]
    statement.refresh_from_db()
    assert done == [statement.paid_reference]


def test_two_workers_make_one_file() -> None:
    account = make_account()
    charge(account)
    [statement] = issue_statements(account.pk)
    together([partial(make_statement, statement.pk)] * 3)
    assert StatementDocument.objects.count() == 1
