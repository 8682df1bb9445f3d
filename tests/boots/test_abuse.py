"""People who want a code that is not theirs, or something for nothing, or the pages to break."""

import pytest
from django.urls import reverse

from boots.models import Boot, Booting
from boots.services.returning import Returned, return_boot
from opscom.messaging.models import Message
from payments.guests import sign_order
from payments.models import Order
from tests.factories.boots import TWENTY, make_booting, make_released, order_release, pay_for_release, set_policy
from tests.factories.companies import log_in_as
from tests.factories.payments import go_to_bank, offer_method
from tests.factories.provider import set_provider

pytestmark = pytest.mark.django_db
CODE = "QZ8842"


@pytest.fixture(autouse=True)
def policy() -> None:
    offer_method("demo-bank", is_for_guests=True)
    set_policy(deposit=TWENTY)


def pay_page(booting: Booting) -> str:
    return reverse("boots:pay", args=[booting.pay_code])


def state() -> list[object]:
    """Return everything that a look must not change."""
    return [list(Booting.objects.values()), list(Boot.objects.values()), Order.objects.count(), Message.objects.count()]


# Keys of others


def test_signed_order_of_something_else_opens_no_boot(anonymous, resident):
    mine = make_released(code=CODE)
    other = make_released()
    unpaid = go_to_bank(order_release(make_booting())).order
    own = pay_for_release(make_booting(resident), resident, resident.email).order
    for order in (unpaid, own):
        assert anonymous.get(reverse("boots:guest", args=[sign_order(order)])).status_code == 404
    # The right token, with the name of a boot that another order has paid for.
    for one, two in ((mine, other), (other, mine)):
        token = sign_order(one.line.order)
        assert anonymous.get(reverse("boots:guest", args=[token, two.code])).status_code == 404
        assert anonymous.get(reverse("boots:guest", args=[token, one.code])).status_code == 200
    for token in (
        "",
        "1",
        f"{mine.line.order_id}",
        f"{mine.line.order_id}:abc",
        sign_order(mine.line.order)[:-1],
        "é" * 40,
    ):
        assert anonymous.get(f"/boot/paid/{token}/").status_code == 404


def test_same_guest_pays_twice_and_each_order_opens_its_own(anonymous):
    one, two = make_booting(code=CODE), make_booting(code="QZ9953")
    for booting in (one, two):
        pay_for_release(booting, None, "same@example.org")
    for booting, other in ((one, "QZ9953"), (two, CODE)):
        page = anonymous.get(reverse("boots:guest", args=[sign_order(booting.line.order)])).content.decode()
        assert other not in page


def test_who_began_to_pay_and_did_not_learns_nothing(anonymous, client_of, resident, other_resident):
    """The line of an order leads to the page of the boot, also for who has not paid: it never says the code."""
    booting = make_booting(resident, code=CODE)
    lost = order_release(booting, None, "slow@example.org")
    pay_for_release(booting, resident, resident.email)
    line = lost.lines.get(kind="boot")
    for browser in (anonymous, client_of(other_resident)):
        page = browser.get(line.url)
        assert page.status_code == 200
        assert CODE not in page.content.decode()
        assert resident.email not in page.content.decode()
        page = browser.get(reverse("payments:guest", args=[sign_order(lost)]), follow=True)
        assert CODE not in page.content.decode()


def test_public_page_may_only_mail_the_payer(anonymous, other_resident, client_of):
    booting = make_released(code=CODE)
    for browser in (anonymous, client_of(other_resident)):
        browser.post(pay_page(booting), {"email": "thief@example.org", "method": "demo-bank"})
    assert {one.to for one in Message.objects.filter(template="boots/code")} == {"driver@example.org"}
    assert Message.objects.filter(template="boots/code").count() == 3
    assert Order.objects.count() == 1


def test_letters_are_not_asked_for_without_end(anonymous):
    booting = make_released()
    for _time in range(15):
        anonymous.post(pay_page(booting))
    assert Message.objects.filter(template="boots/code").count() == 4


def test_payments_are_not_begun_without_end(anonymous):
    booting = make_booting()
    answers = [
        anonymous.post(pay_page(booting), {"method": "demo-bank", "email": "a@b.ca"}).status_code for _time in range(23)
    ]
    assert answers == [302] * 20 + [422] * 3


def test_a_look_changes_nothing(anonymous, client_of, resident):
    on, out = make_booting(resident), make_released()
    pages = [
        pay_page(on),
        pay_page(out),
        reverse("boots:sticker", args=[on.boot.tag]),
        reverse("boots:guest", args=[sign_order(out.line.order)]),
    ]
    before = state()
    for browser in (anonymous, client_of(resident)):
        for page in pages:
            assert browser.get(page, {"do": "problem", "email": "a@b.ca", "method": "demo-bank"}).status_code in (
                200,
                302,
            )
            assert browser.head(page).status_code in (200, 302)
            assert browser.put(page).status_code == 405
            assert browser.delete(page).status_code == 405
    assert state() == before


@pytest.mark.parametrize(
    "posted",
    [
        {},
        {"method": "demo-bank"},
        {"method": "cash", "email": "a@b.ca"},
        {"method": "stored:1", "email": "a@b.ca"},
        {"method": "demo-bank", "email": "a@b.ca\nBcc: all@example.org"},
        {"method": "demo-bank", "email": "x" * 5000 + "@example.org"},
        {"method": "\0", "email": "\0"},
        {"method": ["demo-bank", "promise"], "email": ["", "é@"]},
    ],
)
def test_odd_input_places_no_order(anonymous, posted):
    booting = make_booting()
    assert anonymous.post(pay_page(booting), posted).status_code == 422
    assert not Order.objects.exists()


@pytest.mark.parametrize("tag", ["x", "A" * 24, "a" * 2000, "%00", "..", "pay", "%C3%A9", "1' OR '1'='1"])
def test_sticker_of_no_boot_is_not_found(anonymous, tag):
    assert anonymous.get(f"/boot/{tag}/").status_code in (302, 404)
    make_booting()
    answer = anonymous.get(f"/boot/{tag}/", follow=True)
    assert answer.status_code in (200, 404)
    assert "Release your vehicle" not in answer.content.decode()


# Who is at the keyboard


def test_code_is_shown_to_the_payer_and_their_manager_and_not_to_the_office(
    client_of, resident, manager, administrator
):
    booting = make_booting(resident, code=CODE)
    payment = pay_for_release(booting, resident, resident.email)
    pages = [reverse("boots:mine", args=[booting.code]), reverse("payments:receipt", args=[payment.order.code])]
    assert all(CODE in client_of(resident).get(page).content.decode() for page in pages)
    browser = client_of(manager)
    assert log_in_as(browser, resident).status_code == 302
    assert all(CODE in browser.get(page).content.decode() for page in pages)
    browser = client_of(administrator)
    assert all(browser.get(page).status_code == 404 for page in pages)


def test_office_acting_for_somebody_does_not_see_the_code(client_of, resident, manager):
    """A manager who works for the office, too, looks on the office's site, where it is written down."""
    booting = make_booting(resident, code=CODE)
    pay_for_release(booting, resident, resident.email)
    browser = client_of(manager)
    log_in_as(browser, resident)
    page = reverse("boots:mine", args=[booting.code])
    assert CODE in browser.get(page).content.decode()
    manager.is_staff = True
    manager.save(update_fields=["is_staff"])
    answer = browser.get(page)
    assert CODE not in answer.content.decode()


def test_stranger_signed_in_pays_as_a_guest(client_of, resident, other_resident):
    booting = make_booting(resident, code=CODE)
    answer = client_of(other_resident).post(pay_page(booting), {"method": "demo-bank", "email": "kind@example.org"})
    assert answer.status_code == 302
    order = Order.objects.get()
    assert (order.payer, order.email) == (None, "kind@example.org")


def test_owner_pays_from_the_account_whatever_is_posted(client_of, resident):
    booting = make_booting(resident)
    client_of(resident).post(pay_page(booting), {"method": "demo-bank", "email": "thief@example.org"})
    order = Order.objects.get()
    assert (order.payer, order.email) == (resident, resident.email)


# Switches


def test_boots_that_are_out_are_paid_and_returned_with_the_switch_off(anonymous, clerk):
    booting = make_booting(code=CODE)
    set_provider(is_boots_on=False)
    assert anonymous.get(reverse("boots:sticker", args=[booting.boot.tag])).url == pay_page(booting)
    answer = anonymous.post(pay_page(booting), {"method": "demo-bank", "email": "a@b.ca"})
    assert answer.status_code == 302
    pay_for_release(booting)
    page = anonymous.get(reverse("boots:guest", args=[sign_order(booting.line.order)])).content.decode()
    assert CODE in page
    return_boot(booting=booting, how=Returned(), actor=clerk)
    assert Booting.objects.get(pk=booting.pk).ended_at


def test_guest_payment_off_still_shows_the_code_that_is_paid(anonymous):
    booting = make_released(code=CODE)
    set_provider(is_guest_payment_on=False)
    assert CODE in anonymous.get(reverse("boots:guest", args=[sign_order(booting.line.order)])).content.decode()


def test_pages_with_a_code_are_kept_nowhere(anonymous, client_of, resident):
    booting = make_released(code=CODE)
    own = pay_for_release(make_booting(resident), resident, resident.email).order
    answers = [
        anonymous.get(reverse("boots:guest", args=[sign_order(booting.line.order)])),
        anonymous.get(reverse("payments:guest", args=[sign_order(booting.line.order)])),
        client_of(resident).get(reverse("payments:receipt", args=[own.code])),
    ]
    assert all("no-store" in answer["Cache-Control"] for answer in answers)
