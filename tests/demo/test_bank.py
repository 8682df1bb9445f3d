"""The demo bank's pages, as a payer sees them."""

import datetime as dt
from html import unescape

import pytest
from django.test import Client
from django.utils import timezone

from demo.bank import services
from demo.bank.models import BankSession, SessionStatus
from tests.factories.payments import go_to_bank, order_permit, pay_at_bank
from tests.factories.permits import make_sale, offer_demo_bank, reserve
from tests.factories.provider import set_provider

pytestmark = pytest.mark.django_db


@pytest.fixture
def session() -> BankSession:
    set_provider(name="Lakeshore Parking")
    offer_demo_bank()
    return BankSession.objects.get(reference=go_to_bank(order_permit(reserve(make_sale()))).reference)


@pytest.fixture
def url(session) -> str:
    return f"/demo/bank/{session.token}/"


def page(response, status: int = 200) -> str:
    assert response.status_code == status
    return unescape(response.content.decode())


def card(number: str = "4242424242424242", **changes: str) -> dict[str, str]:
    return {"number": number, "expiry": "12/30", "cvv": "123", **changes}


def test_page_asks_for_the_card_and_lists_the_test_cards(client, url, session) -> None:
    text = page(client.get(url))
    for words in ("Demo Bank", "$100.00", "Lakeshore Parking", "Pay Now", "Cancel and go back", session.label):
        assert words in text
    for test_card in services.CARDS:
        assert test_card.spaced in text
        assert str(test_card.effect) in text
        assert f'href="?card={test_card.number}"' in text


def test_use_this_card_fills_the_field_without_script(client, url) -> None:
    text = page(client.get(f"{url}?card=4000000000000002"))
    assert 'value="4000000000000002"' in text


@pytest.mark.parametrize(
    "wrong",
    [card("4111111111111111"), card(""), card(expiry="soon"), card(cvv=""), card("4242", expiry="")],
)
def test_wrong_card_is_explained_and_pays_nothing(client, url, session, wrong) -> None:
    text = page(client.post(url, wrong), 422)
    assert "data-error-summary" in text
    session.refresh_from_db()
    assert (session.status, session.card_ending) == (SessionStatus.OPEN, "")


def test_only_the_last_four_digits_are_kept(client, url, session) -> None:
    client.post(url, card())
    session.refresh_from_db()
    assert session.card_ending == "4242"


def test_used_page_cannot_be_used_again(client, url, session) -> None:
    client.post(url, card("4000000000000002"))
    text = page(client.post(url, card()))
    assert "This page has been used." in text
    assert session.return_url in text
    session.refresh_from_db()
    assert session.status == SessionStatus.DECLINED


def test_expired_page_says_so_and_leads_back(client, url, session) -> None:
    BankSession.objects.update(expires_at=timezone.now() - dt.timedelta(seconds=1))
    for response in (client.get(url), client.post(url, card())):
        text = page(response)
        assert "This page has expired. Nothing was charged." in text
        assert session.return_url in text
        assert "Pay Now" not in text
    session.refresh_from_db()
    assert session.status == SessionStatus.OPEN


def test_page_speaks_the_payers_language(client, url) -> None:
    BankSession.objects.update(language="fr-ca")
    assert '<html lang="fr-ca">' in page(client.get(url))


def test_cancel_needs_post_and_leads_back(client, url, session) -> None:
    assert client.get(f"{url}cancel/").status_code == 405
    for _time in range(2):
        assert client.post(f"{url}cancel/").url == session.return_url
    session.refresh_from_db()
    assert session.status == SessionStatus.CANCELLED


def test_cancel_after_paying_takes_nothing_back(client, url, session) -> None:
    client.post(url, card())
    client.post(f"{url}cancel/")
    session.refresh_from_db()
    assert session.status == SessionStatus.APPROVED


def test_unknown_page_is_not_found(client, db) -> None:
    assert client.get("/demo/bank/unknown/").status_code == 404


def test_books_list_what_became_of_each_page(client: Client, session) -> None:
    assert "Open" in page(client.get("/demo/bank/"))
    from payments.models import Payment

    pay_at_bank(Payment.objects.get())
    text = page(client.get("/demo/bank/"))
    assert "Approved" in text
    assert "···· 4242" in text


def test_empty_books_say_what_to_do(client, db) -> None:
    assert "No payment was begun yet." in page(client.get("/demo/bank/"))


def test_reports_are_sent_by_the_name_that_beat_calls(db, settings) -> None:
    from demo.tasks import send_bank_reports

    assert send_bank_reports.name in {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}
    assert send_bank_reports() == 0
