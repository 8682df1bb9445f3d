"""The driver's pages: what a guest and an owner see and pay, and who sees the code."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from boots.models import Booting
from boots.services.returning import Returned, return_boot
from opscom.messaging.models import Message
from payments.guests import sign_order
from payments.models import Order
from tests.factories.boots import (
    TWENTY,
    make_booting,
    make_place,
    order_release,
    pay_for_release,
    set_policy,
)
from tests.factories.payments import go_to_bank, offer_method
from tests.factories.provider import set_provider
from tests.factories.violations import make_appeal, make_ticket

pytestmark = pytest.mark.django_db
CODE = "8842-Q"


@pytest.fixture(autouse=True)
def policy() -> None:
    offer_method("demo-bank", is_for_guests=True)
    set_policy(deposit=TWENTY)


@pytest.fixture(autouse=True)
def language(client) -> None:
    """A device that has chosen its language."""
    client.cookies["language"] = "en"


def pay_page(booting: Booting) -> str:
    return reverse("boots:pay", args=[booting.pay_code])


def text_of(response) -> str:
    return response.content.decode()


def test_sticker_leads_to_the_car_that_the_boot_is_on(client, resident, clerk):
    booting = make_booting(resident)
    sticker = reverse("boots:sticker", args=[booting.boot.tag])
    assert client.get(sticker).url == pay_page(booting)
    pay_for_release(booting)
    return_boot(booting=booting, how=Returned(), actor=clerk)
    assert client.get(sticker).status_code == 404
    assert client.get("/boot/abcdefghijkmnpqrstuvwxyz/").status_code == 404


def test_guest_sees_what_is_paid_and_what_is_left_out(client, resident):
    set_policy(requires_all=True, return_hours=48, late_rule="forfeit")
    make_place()
    other, reviewed = make_ticket(resident), make_ticket(resident)
    make_appeal(reviewed)
    booting = make_booting(resident)
    page = text_of(client.get(pay_page(booting)))
    for words in (
        booting.ticket.number,
        other.number,
        "Boot deposit",
        "Not asked now",
        reviewed.number,
        "Under Review",
    ):
        assert words in page
    assert "A valid email address is required to receive your boot release code and instructions." in page
    assert "within 48 hours" in page
    assert "you lose your deposit" in page
    assert "Parking office" in page


def test_guest_pays_and_gets_the_code(client, resident):
    booting = make_booting(resident, code=CODE)
    refused = client.post(pay_page(booting), {"method": "demo-bank", "email": "no address"})
    assert refused.status_code == 422
    assert Order.objects.count() == 0
    answer = client.post(pay_page(booting), {"method": "demo-bank", "email": "night@example.org"})
    assert answer.status_code == 302
    order = Order.objects.get()
    assert {line.kind for line in order.lines.all()} == {"boot", "deposit", "ticket"}
    receipt = reverse("payments:guest", args=[sign_order(order)])
    assert CODE not in text_of(client.get(receipt, follow=True))
    pay_for_release(booting, None, "night@example.org")
    paid = Order.objects.get(status="paid")
    page = text_of(client.get(reverse("payments:guest", args=[sign_order(paid)])))
    assert CODE in page
    own = reverse("boots:guest", args=[sign_order(paid)])
    assert own in page
    page = text_of(client.get(own))
    assert CODE in page
    assert "Return the boot by" in page
    # The page that everybody finds through the sticker says that it is paid, and to whom the code went.
    page = text_of(client.get(pay_page(booting)))
    assert CODE not in page
    assert "n…@example.org" in page


def test_owner_pays_from_the_account(client_of, resident):
    booting = make_booting(resident, code=CODE)
    client = client_of(resident)
    answer = client.post(pay_page(booting))
    order = Order.objects.get()
    assert answer.url == reverse("payments:checkout", args=[order.code])
    assert order.payer == resident
    pay_for_release(booting, resident, resident.email)
    assert client.get(pay_page(booting)).url == reverse("boots:mine", args=[booting.code])
    page = text_of(client.get(reverse("boots:mine", args=[booting.code])))
    assert CODE in page
    assert CODE in text_of(client.get(reverse("payments:receipt", args=[Order.objects.get(status="paid").code])))


def test_cart_marks_the_booted_ticket_and_takes_what_belongs_to_it(client_of, resident):
    booting = make_booting(resident)
    client = client_of(resident)
    page = text_of(client.get(reverse("payments:due")))
    assert "A boot is on the vehicle." in page
    answer = client.post(reverse("payments:due"), {"selected": [f"ticket:{booting.ticket_id}"]})
    order = Order.objects.get()
    assert answer.url == reverse("payments:checkout", args=[order.code])
    assert {line.kind for line in order.lines.all()} == {"boot", "deposit", "ticket"}


def test_tickets_pages_lead_to_the_release(client, client_of, resident):
    booting = make_booting(resident)
    ticket = booting.ticket
    assert pay_page(booting) in text_of(client.get(reverse("guest:ticket", args=[ticket.pay_code])))
    assert client.get(reverse("guest:pay", args=[ticket.pay_code])).url == pay_page(booting)
    own = client_of(resident)
    assert pay_page(booting) in text_of(own.get(reverse("violations:ticket", args=[ticket.code])))
    assert pay_page(booting) in text_of(own.get(reverse("home:home")))


def test_home_shows_the_booted_ticket_before_all_others(client_of, resident):
    for _older in range(6):
        make_ticket(resident)
    booting = make_booting(resident)
    card = client_of(resident).get(reverse("home:home")).context["cards"][0]
    assert card.rows[0].ticket == booting.ticket
    assert card.count == 7


def test_home_recalls_the_return(client_of, resident, clerk):
    booting = make_booting(resident)
    client = client_of(resident)
    pay_for_release(booting, resident, resident.email)
    mine = reverse("boots:mine", args=[booting.code])
    assert mine in text_of(client.get(reverse("home:home")))
    return_boot(booting=booting, how=Returned(), actor=clerk)
    assert mine not in text_of(client.get(reverse("home:home")))
    assert "Deposit back" in text_of(client.get(mine))


def test_nobody_else_sees_the_page(client, client_of, resident, other_resident):
    booting = make_booting(resident, code=CODE)
    unpaid = go_to_bank(order_release(booting, None, "other@example.org"))
    pay_for_release(booting, resident, resident.email)
    assert client_of(other_resident).get(reverse("boots:mine", args=[booting.code])).status_code == 404
    token = sign_order(Order.objects.get(status="paid"))
    # It is the order of an account: its address is no key.
    assert client.get(reverse("boots:guest", args=[token])).status_code == 404
    assert client.get(reverse("boots:guest", args=[sign_order(unpaid.order)])).status_code == 404
    assert client.get(reverse("boots:guest", args=["rubbish"])).status_code == 404
    page = client.get(reverse("payments:guest", args=[sign_order(unpaid.order)]), follow=True)
    assert CODE not in text_of(page)


def test_code_is_mailed_again_and_its_failure_reported(client, resident):
    booting = make_booting(resident, code=CODE)
    payment = pay_for_release(booting)
    own = reverse("boots:guest", args=[sign_order(payment.order)])
    assert client.post(own, {"do": "again"}).url == own
    assert client.post(pay_page(booting)).url == pay_page(booting)
    assert Message.objects.filter(template="boots/code").count() == 3
    client.post(own, {"do": "problem"})
    booting.refresh_from_db()
    assert booting.problem_at
    assert "The office was told:" in text_of(client.get(own))


def test_without_guest_payment_one_signs_in(client, client_of, resident):
    set_provider(is_guest_payment_on=False)
    booting = make_booting(resident)
    page = client.get(pay_page(booting))
    assert "Sign in to pay" in text_of(page)
    assert client.post(pay_page(booting), {"method": "demo-bank", "email": "a@b.ca"}).status_code == 422
    assert Order.objects.count() == 0
    assert client_of(resident).post(pay_page(booting)).status_code == 302


def test_same_number_of_queries_for_one_ticket_and_three(client, resident):
    set_policy(requires_all=True, deposit=TWENTY)
    booting = make_booting(resident)
    client.get(pay_page(booting))
    with CaptureQueriesContext(connection) as one:
        client.get(pay_page(booting))
    for _more in range(2):
        make_ticket(resident)
    with CaptureQueriesContext(connection) as three:
        page = client.get(pay_page(booting))
    assert len(page.context["quotes"]) == 4
    assert len(one) == len(three)
