"""The office's pages for refunds in part, second persons, adjustments, debts, deposits and disputes."""

from decimal import Decimal

import pytest

from payments.invariants import check_books
from payments.models import Adjustment, Debt, Deposit, Dispute, OrderLine, Payment, Refund, RefundReason
from payments.offers import offered_methods
from payments.services.disputes import open_dispute
from payments.services.reversals import reverse_payment
from payments.tasks import send_refunds
from permits.models import Permit
from tests.factories.accounts import PASSWORD, make_user
from tests.factories.payments import offer_method
from tests.factories.vehicles import set_provider
from tests.office.money import line_of, pay_for_permit
from tests.office.test_money_pages import address

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def nothing_is_wrong_afterwards():
    yield
    assert [*check_books()] == []


def post(client, row, page, **values):
    return client.post(address(row, page), {"password": PASSWORD, **values})


def test_a_part_goes_back_and_the_permit_stays(client_of, cashier):
    line = line_of(pay_for_permit())
    client = client_of(cashier)
    assert post(client, line, "refund", amount="40.00", note="Snow").status_code == 302
    assert Permit.objects.get().status == "active"
    assert (Refund.objects.get().amount, Refund.objects.get().note) == (Decimal("40.00"), "Snow")
    for wrong in ("60.01", "0.00", "-1", "NaN", "1e9"):
        assert post(client, line, "refund", amount=wrong).status_code == 422
    assert Refund.objects.count() == 1


def test_a_second_person_approves(client_of, cashier, administrator, clerk):
    set_provider(refund_second_person_above=Decimal("50.00"))
    line = line_of(pay_for_permit())
    post(client_of(cashier), line, "refund")
    refund = Refund.objects.get()
    assert (refund.status, Permit.objects.get().status) == ("proposed", "active")
    mine = post(client_of(cashier), refund, "approve")
    assert "you proposed it" in mine.content.decode()
    assert post(client_of(clerk), refund, "approve").status_code == 403
    assert "Approve" in client_of(administrator).get(address(refund)).content.decode()
    assert post(client_of(administrator), refund, "approve").status_code == 302
    refund.refresh_from_db()
    assert (refund.status, refund.approved_by) == ("due", administrator)
    assert Permit.objects.get().status == "cancelled"


def test_a_proposal_is_not_approved(client_of, cashier):
    set_provider(refund_second_person_above=Decimal("50.00"))
    line = line_of(pay_for_permit())
    client = client_of(cashier)
    post(client, line, "refund")
    refund = Refund.objects.get()
    assert post(client, refund, "withdraw", note="").status_code == 422
    assert post(client, refund, "withdraw", note="Wrong person").status_code == 302
    line.refresh_from_db()
    assert line.returned == 0


def test_money_from_the_counter_goes_back_by_hand(client_of, cashier):
    line = line_of(pay_for_permit())
    Payment.objects.update(gateway="counter")
    client = client_of(cashier)
    post(client, line, "refund")
    refund = Refund.objects.get()
    assert "Refunds to be given by hand" in client.get("/admin/").content.decode()
    assert "Given back by hand" in client.get(address(refund)).content.decode()
    assert post(client, refund, "hand-back", note="Cash").status_code == 302
    refund.refresh_from_db()
    assert refund.status == "succeeded"


def test_a_price_is_adjusted(client_of, cashier, clerk):
    line = line_of(pay_for_permit())
    client = client_of(cashier)
    assert post(client_of(clerk), line, "adjust", amount="5.00", reason="No").status_code == 403
    assert post(client, line, "adjust", amount="0.00", reason="Nothing").status_code == 422
    assert post(client, line, "adjust", amount="-5.00", reason="Late plough").status_code == 302
    assert post(client, line, "adjust", amount="7.00", reason="Wrong type").status_code == 302
    assert Adjustment.objects.count() == 2
    assert (Refund.objects.get().amount, Debt.objects.get().amount) == (Decimal("5.00"), Decimal("7.00"))
    assert "Late plough" in client.get(address(line)).content.decode()


def test_a_debt_is_written_off_with_a_reason(client_of, cashier):
    payment = pay_for_permit().payments.get()
    reverse_payment(payment=payment, reason=RefundReason.BOUNCED, actor=cashier, takes_back=False)
    debt = Debt.objects.get()
    client = client_of(cashier)
    assert post(client, debt, "write-off", note="").status_code == 422
    assert post(client, debt, "write-off", note="Hardship").status_code == 302
    assert "Write off" not in client.get(address(debt)).content.decode()
    debt.refresh_from_db()
    assert (debt.status, debt.note) == ("cancelled", "Hardship")


def test_a_deposit_is_asked_and_cancelled(client_of, cashier):
    person = make_user()
    client = client_of(cashier)
    values = {"person": person.pk, "kind": "tag", "label": "Tag 7", "amount": "40.00"}
    for wrong in ({"amount": "-1"}, {"person": ""}):
        assert client.post("/admin/payments/deposit/add/", values | wrong).status_code == 200
    assert not Deposit.objects.exists()
    assert client.post("/admin/payments/deposit/add/", values).status_code == 302
    deposit = Deposit.objects.get()
    assert (deposit.person, deposit.created_by) == (person, cashier)
    assert "Cancel" in client.get(address(deposit)).content.decode()
    assert post(client, deposit, "cancel", note="No tag").status_code == 302
    deposit.refresh_from_db()
    assert deposit.status == "cancelled"


@pytest.mark.parametrize(("end", "debts"), [("won", 0), ("lost", 1)])
def test_a_dispute_ends(client_of, cashier, end, debts):
    payment = pay_for_permit().payments.get()
    open_dispute(payment)
    assert open_dispute(payment) == Dispute.objects.get(), "however often it is reported"
    client = client_of(cashier)
    assert post(client, Dispute.objects.get(), end, note="By letter").status_code == 302
    assert post(client, Dispute.objects.get(), "lost", note="Again").status_code == 422
    assert Dispute.objects.get().status == end
    assert Debt.objects.count() == debts
    assert Permit.objects.get().status == "active"


def test_a_dispute_about_money_that_had_gone_back_is_lost_without_a_debt(client_of, cashier):
    order = pay_for_permit()
    client = client_of(cashier)
    post(client, line_of(order), "refund")
    send_refunds()
    dispute = open_dispute(order.payments.get())
    assert post(client, dispute, "lost", note="Taken twice").status_code == 302
    dispute.refresh_from_db()
    assert (dispute.status, dispute.refund, Debt.objects.count()) == ("lost", None, 0)


def test_a_deposits_line_is_not_refunded_like_a_price(client_of, cashier):
    line = line_of(pay_for_permit())
    assert "Refund this line" in client_of(cashier).get(address(line)).content.decode()
    OrderLine.objects.update(kind="deposit")
    assert "Refund this line" not in client_of(cashier).get(address(line)).content.decode()
    OrderLine.objects.update(kind="permit")


@pytest.mark.parametrize("kind", ["payroll", "eft"])
def test_what_only_the_office_sets_up_is_no_way_to_pay_at_a_checkout(kind):
    offer_method(kind=kind, name="By wages")
    assert offered_methods(payer=make_user(), kinds={"permit"}) == []
