"""`Manage Credit Cards`, by its buttons and words, and everybody who has no business there."""

from html import unescape

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import LoginSource
from payments.gateways.registry import installed_gateways
from payments.models import CardSave, CardSaveStatus, StoredMethod, Subscription
from payments.stored import forget_offer
from tests.factories.accounts import make_user_type
from tests.factories.bank_cards import store_at_bank
from tests.factories.payments import offer_method
from tests.factories.stored import PARKING, ROLLOVER, begin_save, make_stored, offer_storing

pytestmark = pytest.mark.django_db
PASSWORD = "a-right-password-77"
CARDS, ADD, USE = (reverse(f"payments:{name}") for name in ("cards", "card-add", "card-use"))
QUERIES = 6


@pytest.fixture
def method():
    return offer_storing("demo-bank", name="Credit Card")


@pytest.fixture
def browser(client_of, resident, method):
    resident.set_password(PASSWORD)
    resident.save()
    return client_of(resident)


def text_of(response, status: int = 200) -> str:
    assert response.status_code == status
    return unescape(response.content.decode())


def fill(**changes) -> dict:
    return {"uses": [PARKING], "consent": "on", "password": PASSWORD, **changes}


def remove_page(stored) -> str:
    return reverse("payments:card-remove", args=[stored.code])


def test_a_card_is_stored_by_the_buttons(browser, resident):
    empty = text_of(browser.get(CARDS))
    for words in ("Stored Subscription Payment Methods", "Add Payment Method", "We do not store your card information"):
        assert words in empty
    assert "Payroll Deduction and EFT cannot be setup by a user" in empty
    form = text_of(browser.get(ADD))
    for words in ("Payment Subscription", "Temporary Parking", "Demo Bank", "I agree that my card is stored"):
        assert words in form
    onward = browser.post(ADD, fill())
    save = CardSave.objects.get()
    assert "/demo/bank/" in onward.url
    assert save.consent_text in form
    store_at_bank(save.reference)
    page = text_of(browser.get(reverse("payments:card-return", args=[save.reference]), follow=True))
    for words in ("Credit Card successfully stored", "Visa ···· 4242", "Temporary Parking", "Stored by Demo Bank"):
        assert words in page


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"password": "wrong"}, "This is not your password."),
        ({"password": ""}, "This field is required."),
        ({"consent": ""}, "Without your consent we cannot store a card."),
        ({"uses": []}, "Choose at least one thing"),
        ({"uses": ["everything"]}, "everything"),
    ],
)
def test_nothing_begins_without_password_consent_and_use(browser, changes, words):
    assert words in text_of(browser.post(ADD, fill(**changes)), 422)
    assert not CardSave.objects.exists()


def test_of_several_methods_one_is_chosen(browser, gateway, settings):
    settings.PAYMENT_GATEWAYS = [*settings.PAYMENT_GATEWAYS, "demo.bank.gateway.DemoBank"]
    installed_gateways.cache_clear()
    offer_storing("scripted", ROLLOVER, name="Visa Debit")
    assert "Visa Debit" in text_of(browser.get(ADD))
    text_of(browser.post(ADD, fill()), 422)
    wrong = text_of(browser.post(ADD, fill(method="scripted")), 422)
    assert "This payment method cannot be stored for all of that." in wrong
    assert browser.post(ADD, fill(method="demo-bank")).status_code == 302


def test_a_declined_card_says_so(browser, resident):
    save = begin_save(resident)
    store_at_bank(save.reference, "4000000000000002")
    page = text_of(browser.get(reverse("payments:card-return", args=[save.reference]), follow=True))
    assert "The card was not stored." in page
    assert not StoredMethod.objects.exists()


def test_while_the_bank_is_silent_the_page_waits(browser, resident):
    save = begin_save(resident)
    page = reverse("payments:card-return", args=[save.reference])
    assert "Waiting for the bank" in text_of(browser.get(page))
    assert browser.get(page, headers={"HX-Request": "true"}).status_code == 204
    store_at_bank(save.reference)
    assert browser.get(page, headers={"HX-Request": "true"})["HX-Redirect"] == CARDS
    assert CardSave.objects.get().status == CardSaveStatus.STORED


def test_removing_asks_first_and_then_for_the_password(browser, resident):
    card = make_stored(resident, PARKING, gateway="demo-bank")
    asked = text_of(browser.get(remove_page(card)))
    assert "Temporary Parking" in asked
    assert StoredMethod.objects.live().exists()
    text_of(browser.post(remove_page(card), {"password": "wrong"}), 422)
    assert StoredMethod.objects.live().exists()
    page = text_of(browser.post(remove_page(card), {"password": PASSWORD}, follow=True))
    assert "is removed" in page
    assert not StoredMethod.objects.live().exists()
    assert not Subscription.objects.exists()
    assert browser.get(remove_page(card)).status_code == 404


def test_what_the_office_set_up_is_not_removed_by_its_owner(browser, resident, method):
    payroll = StoredMethod.objects.create(
        person=resident,
        method=offer_method(kind="payroll", uses=[PARKING]),
        kind="payroll",
        account_number="E-77",
        consent_text="Signed.",
        consented_at=timezone.now(),
    )
    assert "E-77" in text_of(browser.get(CARDS))
    assert browser.post(remove_page(payroll), {"password": PASSWORD}).status_code == 404


def test_another_card_takes_a_use_over_and_none_gives_it_up(browser, resident):
    first = make_stored(resident, PARKING, gateway="demo-bank")
    second = make_stored(resident, gateway="demo-bank")
    browser.post(USE, {"use": PARKING, "stored": second.code})
    assert Subscription.objects.get().stored_method == second
    assert first.subscriptions.count() == 0
    browser.post(USE, {"use": PARKING, "stored": ""})
    assert not Subscription.objects.exists()


def test_a_use_that_the_office_does_not_offer_cannot_be_chosen(browser, resident):
    offer_storing("demo-bank", ROLLOVER)
    card = make_stored(resident, gateway="demo-bank")
    browser.post(USE, {"use": PARKING, "stored": card.code})
    assert not Subscription.objects.exists()


def test_cards_of_others_are_not_there(browser, other_resident):
    theirs = make_stored(other_resident, PARKING, gateway="demo-bank")
    assert theirs.last_four not in text_of(browser.get(CARDS))
    assert browser.post(remove_page(theirs), {"password": PASSWORD}).status_code == 404
    assert browser.post(USE, {"use": PARKING, "stored": theirs.code}).status_code == 404
    save = begin_save(other_resident)
    assert browser.get(reverse("payments:card-return", args=[save.reference])).status_code == 404
    assert Subscription.objects.get().stored_method == theirs


def test_who_acts_for_the_owner_touches_no_card(client_of, manager, resident, method):
    card = make_stored(resident, PARKING, gateway="demo-bank")
    browser = client_of(manager)
    assert browser.post(reverse("accounts:act_for", args=[resident.code])).status_code == 302
    assert "Manage Credit Cards" not in text_of(browser.get("/"))
    for page in (CARDS, ADD, remove_page(card)):
        assert browser.get(page).status_code == 403
    for page in (ADD, USE, remove_page(card)):
        assert browser.post(page, fill(use=PARKING, stored="")).status_code == 403
    assert Subscription.objects.get().stored_method == card


def test_an_unproved_address_is_told_why(client_of, unproved_resident, method):
    browser = client_of(unproved_resident)
    assert "keep a card for later payments" in text_of(browser.get(CARDS))
    assert "keep a card for later payments" in text_of(browser.post(ADD, fill()), 403)
    assert not CardSave.objects.exists()


def test_without_the_feature_the_page_is_not_there(client_of, resident):
    offer_method("demo-bank", uses=[])
    browser = client_of(resident)
    assert [browser.get(page).status_code for page in (CARDS, ADD)] == [404, 404]
    assert "Manage Credit Cards" not in text_of(browser.get("/"))


def test_who_has_a_card_still_finds_the_page_when_storing_is_switched_off(browser, resident, method):
    make_stored(resident, PARKING, gateway="demo-bank")
    offer_method("demo-bank", uses=[])
    page = text_of(browser.get(CARDS))
    assert "Manage Credit Cards" in page
    assert "Add Payment Method" not in page


def test_the_menu_shows_the_page_to_the_user_types_that_may_store(client_of, resident, other_resident, method):
    mine, theirs = make_user_type("Mine"), make_user_type("Theirs")
    resident.user_type, other_resident.user_type = mine, theirs
    resident.save(), other_resident.save()
    method.user_types.set([mine])
    forget_offer()
    assert "Manage Credit Cards" in text_of(client_of(resident).get("/"))
    assert "Manage Credit Cards" not in text_of(client_of(other_resident).get("/"))


def test_who_has_no_password_gives_a_one_time_password(client_of, resident, method):
    resident.login_source = LoginSource.SSO
    resident.set_unusable_password()
    resident.save()
    browser = client_of(resident)
    page = text_of(browser.get(ADD))
    assert "Send One-Time Password To Email" in page
    text_of(browser.post(ADD, fill(code="000000")), 422)
    assert not CardSave.objects.exists()


@pytest.mark.parametrize("rows", [1, 3])
def test_the_list_costs_the_same(browser, resident, rows, django_assert_num_queries):
    for use in (PARKING, ROLLOVER, "text2park")[:rows]:
        make_stored(resident, use, gateway="demo-bank")
    browser.get(CARDS)
    with django_assert_num_queries(QUERIES):
        browser.get(CARDS)
