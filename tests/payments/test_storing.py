"""Storing a card: the row before the call, the gateway's word afterwards, and whoever brings the news, one card."""

import datetime as dt

import pytest
from django.utils import timezone

from opscom.core.errors import DomainError, NotAllowed
from opscom.messaging.models import Message
from payments.gateways.base import Card, CardResult, Event, GatewayError
from payments.models import CardSave, CardSaveStatus, StoredMethod, Subscription
from payments.services import storing
from payments.services.confirming import handle_event, keep_event
from payments.services.storing import TRIES_IN_A_DAY, check_card_save, confirm_card_save, saves_to_check
from tests.factories.companies import make_company
from tests.factories.peers import STORED
from tests.factories.stored import PARKING, ROLLOVER, begin_save, make_stored, offer_storing

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def method(gateway):
    return offer_storing("scripted")


def save_of(person, *uses) -> CardSave:
    return begin_save(person, *uses, gateway="scripted")


def again(save: CardSave) -> CardSave:
    return CardSave.objects.get(pk=save.pk)


def test_the_row_stands_before_the_gateway_is_called(gateway, resident):
    seen = []
    gateway.card_starts = [lambda: seen.append(CardSave.objects.get().status)]
    save = save_of(resident, PARKING)
    assert seen == [CardSaveStatus.CREATED]
    assert (save.status, save.gateway_reference) == (CardSaveStatus.STARTED, "g-1")
    assert save.consent_text
    assert gateway.card_setups[0].email == resident.email


def test_a_stored_card_pays_for_what_was_chosen_and_keeps_the_consent(resident):
    save = save_of(resident, PARKING, ROLLOVER)
    assert confirm_card_save(save).status == "stored"
    stored = StoredMethod.objects.get()
    assert (stored.person, stored.label, stored.token) == (resident, "Visa ···· 4242", "t-1")
    assert stored.consent_text == save.consent_text
    assert stored.consented_at == save.created_at
    assert set(Subscription.objects.filter(stored_method=stored).values_list("use", flat=True)) == {PARKING, ROLLOVER}
    assert again(save).status == CardSaveStatus.STORED
    message = Message.objects.get(template="payments/card_stored")
    assert message.to == resident.email
    assert "t-1" not in str(message.context)


def test_twice_is_once(resident):
    save = save_of(resident)
    for _turn in range(3):
        confirm_card_save(again(save))
    assert StoredMethod.objects.count() == Message.objects.filter(template="payments/card_stored").count() == 1


def test_a_gateway_that_does_not_answer_is_asked_again(gateway, resident):
    gateway.card_starts = [GatewayError("away")]
    with pytest.raises(DomainError):
        save_of(resident)
    save = CardSave.objects.get()
    assert save.status == CardSaveStatus.CREATED
    assert saves_to_check() == []
    CardSave.objects.update(next_check_at=timezone.now())
    assert saves_to_check() == [save.pk]
    check_card_save(save.pk)
    assert StoredMethod.objects.exists()
    assert saves_to_check() == []


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (CardResult(status="declined", message="no"), CardSaveStatus.DECLINED),
        (CardResult(status="pending"), CardSaveStatus.STARTED),
        (CardResult(status="unknown"), CardSaveStatus.STARTED),
        (GatewayError("away"), CardSaveStatus.STARTED),
    ],
)
def test_other_answers_store_nothing(gateway, resident, answer, status):
    gateway.card_answers = [answer]
    save = save_of(resident)
    confirm_card_save(save)
    assert again(save).status == status
    assert not StoredMethod.objects.exists()


def test_a_page_that_never_opened_is_over(gateway, resident):
    gateway.card_starts, gateway.card_answers = [GatewayError("away")], [CardResult(status="absent")]
    with pytest.raises(DomainError):
        save_of(resident)
    confirm_card_save(CardSave.objects.get())
    assert CardSave.objects.get().status == CardSaveStatus.FAILED


def test_a_late_yes_counts_after_the_page_closed(gateway, resident):
    gateway.card_answers = [CardResult(status="pending"), CardResult(status="stored", card=STORED)]
    save = save_of(resident)
    CardSave.objects.update(expires_at=timezone.now() - dt.timedelta(minutes=1))
    confirm_card_save(again(save))
    assert again(save).status == CardSaveStatus.EXPIRED
    confirm_card_save(again(save))
    assert again(save).status == CardSaveStatus.STORED


def test_asking_ends_after_a_day(gateway, resident):
    gateway.card_answers = [CardResult(status="pending")]
    save = save_of(resident)
    CardSave.objects.update(expires_at=timezone.now() - dt.timedelta(hours=25), next_check_at=timezone.now())
    check_card_save(save.pk)
    assert again(save).next_check_at is None
    assert again(save).status == CardSaveStatus.EXPIRED


def test_a_late_card_does_not_take_a_use_from_what_was_chosen_since(resident):
    save = save_of(resident, PARKING)
    newer = make_stored(resident, PARKING)
    confirm_card_save(save)
    assert Subscription.objects.get().stored_method == newer


def test_a_second_card_takes_the_use_over(gateway, resident):
    first = make_stored(resident, PARKING)
    confirm_card_save(save_of(resident, PARKING))
    assert Subscription.objects.get().stored_method != first
    assert gateway.card_setups[0].customer_reference == first.customer_reference


def test_a_card_that_its_gateway_knows_again_is_one_card(resident):
    confirm_card_save(save_of(resident, PARKING))
    confirm_card_save(save_of(resident, ROLLOVER))
    assert StoredMethod.objects.count() == 1
    assert Subscription.objects.count() == 2


def test_a_card_of_somebody_who_left_is_removed_again(resident):
    save = save_of(resident)
    resident.is_active = False
    resident.save()
    confirm_card_save(again(save))
    assert StoredMethod.objects.get().removed_at
    assert not Subscription.objects.exists()


def test_a_card_comes_to_the_record_into_which_its_owner_was_merged(resident, other_resident):
    save = save_of(resident)
    CardSave.objects.update(person=other_resident)
    confirm_card_save(again(save))
    assert StoredMethod.objects.get().person == other_resident


def test_an_event_about_a_card_is_a_reason_to_ask(resident):
    save = save_of(resident)
    event = keep_event(gateway_code="scripted", event=Event("e-1", save.reference, about="card"), body=b"{}")
    handle_event(event.pk)
    assert StoredMethod.objects.exists()


def test_an_event_of_another_gateway_is_about_nothing(resident):
    save = save_of(resident)
    event = keep_event(gateway_code="other", event=Event("e-1", save.reference, about="card"), body=b"{}")
    handle_event(event.pk)
    assert not StoredMethod.objects.exists()


def test_an_unproved_address_stores_nothing(gateway, unproved_resident):
    with pytest.raises(NotAllowed):
        save_of(unproved_resident)
    assert gateway.card_setups == []


@pytest.mark.parametrize("uses", [[], ["everything"], [PARKING, ROLLOVER]])
def test_only_what_the_office_offers_can_be_chosen(resident, uses):
    method = offer_storing("scripted", PARKING)
    with pytest.raises(NotAllowed):
        storing.start_card_save(actor=resident, method=method, uses=uses)


def test_a_method_that_is_switched_off_stores_nothing(resident):
    method = offer_storing("scripted", is_on=False)
    with pytest.raises(NotAllowed):
        storing.start_card_save(actor=resident, method=method, uses=[PARKING])


def test_who_tries_very_often_is_slowed_down(resident):
    for _turn in range(TRIES_IN_A_DAY):
        save_of(resident)
    with pytest.raises(NotAllowed):
        save_of(resident)
    assert CardSave.objects.count() == TRIES_IN_A_DAY


def test_a_company_s_card_has_no_person_and_no_use(gateway, method, administrator):
    company = make_company(name="Northbuild")
    storing.start_card_save(actor=administrator, method=method, uses=[], company=company)
    confirm_card_save(CardSave.objects.get())
    stored = StoredMethod.objects.get()
    assert (stored.company, stored.person, stored.set_up_by) == (company, None, administrator)
    assert not Subscription.objects.exists()


def test_the_same_token_of_somebody_else_is_not_given_away(gateway, resident, other_resident):
    make_stored(other_resident, token="t-1")
    save = save_of(resident)
    confirm_card_save(save)
    assert again(save).status == CardSaveStatus.DECLINED
    assert not StoredMethod.objects.filter(person=resident).exists()


def test_odd_words_of_a_gateway_fit(gateway, resident):
    odd = Card(customer_reference="c", token="t", brand="V" * 90, last_four="4242424242424242")
    gateway.card_answers = [CardResult(status="stored", card=odd)]
    confirm_card_save(save_of(resident))
    stored = StoredMethod.objects.get()
    assert (len(stored.brand), stored.last_four) == (30, "4242")
