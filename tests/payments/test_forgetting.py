"""Removing a card: here at once, at its gateway until it is done; and the word before it expires."""

import datetime as dt

import pytest
from django.utils import timezone

from opscom.messaging.models import Message
from opscom.messaging.rendering import render
from opscom.provider.selectors import local_date
from payments import tasks
from payments.gateways.base import GatewayError
from payments.invariants import check_books
from payments.models import StoredMethod, Subscription
from payments.services.forgetting import cards_to_forget, forget_card, remove_stored, tell_next_expiring
from tests.factories.companies import make_company
from tests.factories.stored import PARKING, make_stored, offer_storing

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def method(gateway):
    return offer_storing("scripted")


@pytest.fixture
def card(resident) -> StoredMethod:
    return make_stored(resident, PARKING)


def remove(card) -> bool:
    return remove_stored(stored_method=card, actor=card.person)


def mails(name: str) -> list[str]:
    return list(Message.objects.filter(template=f"payments/{name}").values_list("to", flat=True))


def test_removed_here_at_once_and_at_the_gateway_by_a_worker(gateway, card):
    assert remove(card)
    assert not StoredMethod.objects.live().exists()
    assert not Subscription.objects.exists()
    assert gateway.forgotten == []
    tasks.forget_removed_cards()
    assert [one.token for one in gateway.forgotten] == [card.token]
    card.refresh_from_db()
    assert card.forgotten_at
    assert mails("method_removed") == [card.person.email]
    tasks.forget_removed_cards()
    assert len(gateway.forgotten) == 1


def test_a_second_removal_does_nothing(card):
    assert remove(card)
    assert not remove(card)
    assert len(mails("method_removed")) == 1


def test_what_fails_is_tried_again(gateway, card):
    remove(card)
    gateway.forgets = [GatewayError("away"), GatewayError("away"), None]
    for tries in (1, 2):
        forget_card(card.pk)
        card.refresh_from_db()
        assert (card.forgotten_at, card.attempts) == (None, tries)
        assert "away" in card.last_error
        assert cards_to_forget() == []
        StoredMethod.objects.update(next_try_at=timezone.now())
    forget_card(card.pk)
    card.refresh_from_db()
    assert card.forgotten_at
    assert card.last_error == ""


def test_a_card_stored_anew_under_the_same_token_stays_at_the_gateway(gateway, resident, card):
    remove(card)
    make_stored(resident, token=card.token)
    forget_card(card.pk)
    assert gateway.forgotten == []
    card.refresh_from_db()
    assert card.forgotten_at


def test_a_living_card_is_never_forgotten(gateway, card):
    forget_card(card.pk)
    assert gateway.forgotten == []


@pytest.mark.parametrize(("days", "is_told"), [(31, False), (30, True), (1, True)])
def test_thirty_days_before_it_expires_the_owner_is_told_once(resident, days, is_told):
    make_stored(resident, expires_on=local_date() + dt.timedelta(days=days))
    assert tasks.tell_expiring_cards() == int(is_told)
    assert mails("card_expires") == [resident.email] * is_told
    assert not tell_next_expiring()


def test_of_a_removed_card_nothing_is_said(resident):
    remove(make_stored(resident, expires_on=local_date()))
    assert tasks.tell_expiring_cards() == 0


def test_a_company_s_contact_is_told_of_its_card(resident):
    company = make_company(contact_email="books@northbuild.example")
    make_stored(None, company=company, expires_on=local_date() + dt.timedelta(days=3))
    assert tasks.tell_expiring_cards() == 1
    assert mails("card_expires") == ["books@northbuild.example"]


def test_the_mails_name_the_card_and_nothing_that_charges_it(resident, card):
    StoredMethod.objects.update(expires_on=local_date())
    tasks.tell_expiring_cards()
    remove(card)
    messages = Message.objects.filter(template__startswith="payments/")
    assert messages.count() == 2
    for message in messages:
        letter, rendered = render(message)
        assert "Visa ···· 4242" in rendered.text
        assert "Visa ···· 4242" in rendered.subject
        assert card.token not in f"{letter} {rendered}"


def test_check_invariants_names_what_was_left_behind(card):
    assert list(check_books()) == []
    StoredMethod.objects.update(removed_at=timezone.now())
    words = " ".join(check_books())
    assert "is paid by a method that was removed" in words
    assert f"Stored card {card.code} was removed" in words
