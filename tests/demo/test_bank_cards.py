"""The demo bank's page that stores cards, and what its books say about them."""

import datetime as dt
from html import unescape

import pytest
from django.utils import timezone

from demo.bank import cards
from demo.bank.models import BankCard, BankCardPage, BankReport, CardPageStatus
from tests.factories.bank_cards import open_card_page, store_at_bank
from tests.factories.provider import set_provider

pytestmark = pytest.mark.django_db


@pytest.fixture
def card_page() -> BankCardPage:
    set_provider(name="Lakeshore Parking")
    return open_card_page()


@pytest.fixture
def url(card_page) -> str:
    return f"/demo/bank/cards/{card_page.token}/"


def read(response, status: int = 200) -> str:
    assert response.status_code == status
    return unescape(response.content.decode())


def typed(number: str = "4242424242424242", expiry: str = "12/30") -> dict[str, str]:
    return {"number": number, "expiry": expiry, "cvv": "123"}


def test_page_names_the_person_and_its_test_cards(client, url) -> None:
    text = read(client.get(url))
    for words in ("Store Card", "Cancel and go back", "Lakeshore Parking", "Robin Marsh", "Nothing is charged now."):
        assert words in text
    for card in cards.CARDS:
        assert card.spaced in text
        assert str(card.effect) in text


def test_card_is_stored_with_the_expiry_that_was_typed(client, url, card_page) -> None:
    response = client.post(url, typed("5555 5555 5555 4444", "02/31"))
    assert response.url == "https://portal.example/back/"
    card = BankCard.objects.get()
    assert (card.brand, card.ending, card.expires_on) == ("Mastercard", "4444", dt.date(2031, 3, 1))
    report = BankReport.objects.get()
    assert (report.about, report.reference) == ("card", "SAVE1")


def test_december_ends_with_the_year(client, url) -> None:
    client.post(url, typed(expiry="12/30"))
    assert BankCard.objects.get().expires_on == dt.date(2031, 1, 1)


@pytest.mark.parametrize("wrong", [typed("4111111111111111"), typed(expiry="13/30"), typed(expiry="01/20")])
def test_wrong_card_is_explained_and_not_stored(client, url, card_page, wrong) -> None:
    assert "data-error-summary" in read(client.post(url, wrong), 422)
    assert not BankCard.objects.exists()


def test_expiring_card_expires_this_month_whatever_was_typed(client, url) -> None:
    client.post(url, typed("4000000000000069"))
    today = timezone.localdate()
    expires_on = BankCard.objects.get().expires_on
    assert expires_on.day == 1
    assert dt.timedelta(0) < expires_on - today <= dt.timedelta(31)


def test_used_page_stores_no_second_card(client, url, card_page) -> None:
    client.post(url, typed())
    assert "This page has been used." in read(client.post(url, typed("5555555555554444")))
    assert BankCard.objects.count() == 1


def test_closed_page_stores_nothing(client, url) -> None:
    BankCardPage.objects.update(expires_at=timezone.now())
    assert "This page has expired. No card was stored." in read(client.post(url, typed()))
    assert not BankCard.objects.exists()


def test_cancel_leads_back(client, url, card_page) -> None:
    assert client.post(f"{url}cancel/").url == "https://portal.example/back/"
    card_page.refresh_from_db()
    assert card_page.status == CardPageStatus.CANCELLED


def test_books_show_stored_and_forgotten_cards(client, url) -> None:
    client.post(url, typed())
    text = read(client.get("/demo/bank/"))
    assert "Visa ···· 4242" in text
    assert "Robin Marsh" in text
    assert BankCard.objects.filter(forgotten_at=None).exists()
    cards.forget(token=BankCard.objects.get().token, customer_reference="somebody else")
    assert BankCard.objects.filter(forgotten_at=None).exists()
    card = BankCard.objects.get()
    cards.forget(token=card.token, customer_reference=card.customer_reference)
    card.refresh_from_db()
    assert card.forgotten_at


def test_books_cost_the_same_however_many_cards(client, django_assert_num_queries) -> None:
    for rows, reference in [(1, "A"), (2, "B"), (3, "C")]:
        open_card_page(reference)
        store_at_bank(reference)
        client.get("/demo/bank/")
        with django_assert_num_queries(2):
            text = read(client.get("/demo/bank/"))
        assert text.count("Visa ···· 4242") == rows
