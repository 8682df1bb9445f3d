"""What is paid together, by whom, and in which ways; what payments makes of it; and wrong states that are found."""

from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from boots.invariants import check_boots
from boots.models import Boot, Booting, BootStatus
from boots.services.putting_on import put_on
from boots.services.returning import Returned, return_boot
from opscom.core.errors import NotAllowed
from opscom.messaging.models import Message
from payments.models import Deposit, DepositKind, DepositStatus, LineStatus, Order, OrderLine
from payments.selectors import list_due
from payments.services.confirming import confirm_payment
from payments.services.deposits import ask_deposit
from payments.services.orders import complete_selection, place_order
from payments.services.promising import promise_order
from tests.factories.boots import (
    TWENTY,
    make_boot,
    make_booting,
    make_released,
    order_release,
    pay_for_release,
    set_policy,
)
from tests.factories.payments import go_to_bank, offer_method, pay_at_bank
from tests.factories.violations import make_offence, make_ticket, reload
from violations.models import Ticket, TicketStatus
from violations.services.lowering import cancel_ticket

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def policy() -> None:
    offer_method("demo-bank", is_for_guests=True)
    set_policy(deposit=TWENTY)


def ordinary_deposit(person) -> Deposit:
    return ask_deposit(person=person, kind=DepositKind.CARD, amount=Decimal(15), actor=person, label="Card 7")


# What belongs together


def test_selection_is_completed_in_any_order_and_ends(resident):
    booting = make_booting(resident)
    whole = {"ticket": {booting.ticket_id}, "boot": {booting.pk}, "deposit": {booting.deposit_id}}
    for kind, ids in whole.items():
        assert complete_selection({kind: ids}, payer=resident) == whole
    assert complete_selection(whole, payer=resident) == whole
    assert complete_selection({}, payer=resident) == {}
    assert complete_selection({"ticket": {10**9}}, payer=resident) == {"ticket": {10**9}}


def test_two_boots_that_ask_for_each_other_are_paid_together(resident, clerk):
    set_policy(requires_all=True, deposit=TWENTY)
    one, two = make_booting(resident, actor=clerk), make_booting(resident, actor=clerk)
    payment = pay_for_release(one)
    two.refresh_from_db()
    assert one.released_at
    assert two.released_at
    assert payment.order.lines.count() == 6
    assert Message.objects.filter(template="boots/code").count() == 2
    assert list(check_boots()) == []


def test_each_boot_of_a_guest_has_its_own_page(client, resident, clerk):
    """Two boots of one payment: each letter leads to its own boot's page, also when the other is back."""
    client.cookies["language"] = "en"
    set_policy(requires_all=True, deposit=TWENTY)
    one = make_booting(resident, code="ONE-11", actor=clerk)
    two = make_booting(resident, code="TWO-22", actor=clerk)
    pay_for_release(one)
    return_boot(booting=one, how=Returned(), actor=clerk)
    links = {
        message.context["boot_serial"]: message.context["boot_link"]
        for message in Message.objects.filter(template="boots/code")
    }
    page = client.get(links[two.boot.serial].removeprefix("http://localhost:8000")).content.decode()
    assert "TWO-22" in page
    page = client.get(links[one.boot.serial].removeprefix("http://localhost:8000")).content.decode()
    assert "TWO-22" not in page
    assert "Deposit back" in page


def test_select_all_takes_the_release_with_it(client_of, resident):
    booting = make_booting(resident)
    other = make_ticket(resident)
    client_of(resident).post(reverse("payments:due"), {"everything": "1"})
    order = Order.objects.get()
    things = {(line.kind, line.object_id) for line in order.lines.all()}
    assert things == {
        ("ticket", booting.ticket_id),
        ("ticket", other.pk),
        ("boot", booting.pk),
        ("deposit", booting.deposit_id),
    }


def test_promised_ticket_is_left_out_and_said(resident, clerk):
    set_policy(requires_all=True)
    offer_method(kind="promise")
    other = make_ticket(resident)
    order = place_order(payer=resident, selection={"ticket": [other.pk]}, email="", language="en")
    promise_order(order=order, method_code="promise", actor=resident)
    booting = make_booting(resident, actor=clerk)
    payment = pay_for_release(booting, resident)
    assert booting.released_at
    assert [line.object_id for line in payment.order.lines.filter(kind="ticket")] == [booting.ticket_id]


def test_order_from_before_the_boot_cannot_be_begun_any_more(resident, clerk):
    ticket = make_ticket(resident, offence=make_offence(is_boot_eligible=True))
    order = place_order(payer=resident, selection={"ticket": [ticket.pk]}, email="", language="en")
    make_booting(ticket=ticket, actor=clerk)
    with pytest.raises(NotAllowed, match="only be paid together"):
        go_to_bank(order)


def test_ticket_that_joins_meanwhile_is_asked_too(resident, clerk):
    set_policy(requires_all=True)
    booting = make_booting(resident, actor=clerk)
    order = order_release(booting, resident)
    make_ticket(resident)
    with pytest.raises(NotAllowed, match="only be paid together"):
        go_to_bank(order)


@pytest.mark.parametrize("kinds", [["ticket"], ["ticket", "boot"], ["ticket", "deposit"]])
def test_method_for_some_kinds_pays_no_release(resident, kinds):
    offer_method("demo-bank", is_for_guests=True, product_kinds=kinds)
    booting = make_booting(resident)
    with pytest.raises(NotAllowed, match="not offered"):
        go_to_bank(order_release(booting))
    offer_method("demo-bank", is_for_guests=True, product_kinds=["ticket", "boot", "deposit"])
    pay_for_release(booting)
    assert booting.released_at


def test_money_given_back_by_the_bank_leaves_the_boot_to_be_returned(resident, clerk):
    """A cancelled ticket gives its own money back, and neither the deposit nor the code."""
    booting = make_released(resident)
    cancel_ticket(ticket=reload(booting.ticket), reason="A mistake", actor=clerk)
    lines = {line.kind: line.status for line in OrderLine.objects.all()}
    assert lines["deposit"] == lines["boot"] == LineStatus.FULFILLED
    booting.refresh_from_db()
    assert booting.boot.status == BootStatus.RELEASED
    assert Deposit.objects.get().status == DepositStatus.HELD
    return_boot(booting=booting, how=Returned(), actor=clerk)
    assert list(check_boots()) == []


# As many queries for three as for one


def count_queries(deed) -> int:
    with CaptureQueriesContext(connection) as made:
        deed()
    return len(made)


@pytest.mark.parametrize("requires_all", [False, True])
@pytest.mark.parametrize("is_cancelled", [False, True])
def test_list_costs_the_same_for_one_boot_and_three(resident, clerk, requires_all, is_cancelled):
    set_policy(requires_all=requires_all, deposit=TWENTY)

    def one_more() -> None:
        booting = make_booting(resident, actor=clerk)
        if is_cancelled:
            cancel_ticket(ticket=booting.ticket, reason="A mistake", actor=clerk)

    one_more()
    ordinary_deposit(resident)
    list_due(resident)
    one = count_queries(lambda: list_due(resident))
    for _more in range(2):
        one_more()
        ordinary_deposit(resident)
    assert count_queries(lambda: list_due(resident)) == one
    kinds = {row.quote.kind for row in list_due(resident)}
    assert kinds == ({"boot", "deposit"} if is_cancelled else {"ticket", "deposit"})


def test_order_of_three_boots_asks_no_more_than_of_one(resident, clerk):
    def whole() -> None:
        complete_selection({"boot": list(Booting.objects.values_list("pk", flat=True))}, payer=resident)

    make_booting(resident, actor=clerk)
    whole()
    one = count_queries(whole)
    for _more in range(2):
        make_booting(resident, actor=clerk)
    assert count_queries(whole) == one


# Wrong states


def only(words: str) -> None:
    found = list(check_boots())
    assert len(found) == 1, found
    assert words in found[0]


def test_invariants_find_each_wrong_state_once(resident, clerk):
    on, out, over = make_booting(actor=clerk), make_released(), make_released()
    return_boot(booting=over, how=Returned(), actor=clerk)
    assert list(check_boots()) == []

    def planted(rows, words, **wrong) -> None:
        before = rows.values(*wrong).get()
        rows.update(**wrong)
        only(words)
        rows.update(**before)
        assert list(check_boots()) == []

    boots = Boot.objects.all()
    planted(boots.filter(pk=over.boot_id), "and on none", status="issued", sealed_code="x")
    planted(boots.filter(pk=on.boot_id), "and on a car", status="available")
    planted(boots.filter(pk=on.boot_id), "its release says otherwise", status="released")
    planted(boots.filter(pk=out.boot_id), "its release says otherwise", status="issued")
    tickets = Ticket.objects.all()
    planted(tickets.filter(pk=on.ticket_id), "does not say truly", release_id=None)
    planted(tickets.filter(pk=on.ticket_id), "does not say truly", booted_at=None)
    planted(tickets.filter(pk=out.ticket_id), "does not say truly", release_id=out.pk)
    planted(Booting.objects.filter(pk=out.pk), "Nobody will look", next_step_at=None)
    planted(
        Deposit.objects.filter(pk=over.deposit_id),
        "is held, and its time on the car is over",
        status="held",
        returned_amount=None,
        kept_amount=None,
        decided_at=None,
        refund=None,
    )


def test_invariants_find_a_release_that_was_paid_and_not_made(resident):
    booting = make_released()
    other = make_released()
    line = booting.line_id
    Booting.objects.filter(pk=other.pk).update(line=None, released_at=None, return_by=None, next_step_at=None)
    found = list(check_boots())
    assert any("was not released by it" in one for one in found)
    assert Booting.objects.get(pk=booting.pk).line_id == line


# Money in other ways


def test_guest_and_owner_compete_and_the_ticket_alone_was_first(resident, clerk):
    """Somebody had begun to pay the ticket before; the release's order pays the rest, and gets the ticket's money back."""
    ticket = make_ticket(resident, offence=make_offence(is_boot_eligible=True))
    first = go_to_bank(place_order(payer=resident, selection={"ticket": [ticket.pk]}, email="", language="en"))
    booting = put_on(boot=make_boot(), ticket=ticket, actor=clerk)
    second = go_to_bank(order_release(booting))
    pay_at_bank(first)
    confirm_payment(first)
    assert reload(ticket).status == TicketStatus.PAID
    pay_at_bank(second)
    confirm_payment(second)
    booting.refresh_from_db()
    assert booting.released_at
    refund = second.refunds.get()
    assert refund.amount == second.amount - TWENTY
    assert list(check_boots()) == []
