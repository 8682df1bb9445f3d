"""The portal's pages about tickets: one's own, appeals, the look-up, and paying as a guest."""

import io
from decimal import Decimal

import pytest
from django.urls import reverse
from PIL import Image

from opscom.messaging.models import Message
from payments.guests import guest_path
from payments.models import Payment
from payments.services.orders import place_order
from tests.factories.payments import DECLINED, offer_method, pay_at_bank
from tests.factories.permits import make_buyer
from tests.factories.vehicles import make_ownership, set_provider
from tests.factories.violations import age, make_appeal, make_offence, make_ticket, reload
from violations.models import Appeal, AppealStatus, Association, Evidence, Ticket, TicketStatus
from violations.services.deciding import ask_appellant

pytestmark = pytest.mark.django_db
LIST = reverse("violations:list")


def page(name: str, ticket: Ticket) -> str:
    return reverse(f"violations:{name}", args=[ticket.code])


def picture(name: str = "sign.jpg", size: tuple[int, int] = (400, 300)) -> io.BytesIO:
    file = io.BytesIO()
    Image.new("RGB", size, "teal").save(file, "JPEG")
    file.seek(0)
    file.name = name
    return file


def read(response) -> str:
    return response.content.decode()


@pytest.fixture
def driver(db):
    return make_buyer()[0]


# One's own tickets


def test_list_shows_number_details_and_more_info(client_of, driver):
    ticket = make_ticket(driver)
    text = read(client_of(driver).get(LIST))
    for words in (ticket.full_number, "Details", "More Info", "Ticket number", "Search my Tickets", "$25.00", "Unpaid"):
        assert words in text


@pytest.mark.parametrize("typed", ["{number}", "{full}", "{plate}"])
def test_own_search_finds_by_number_and_plate(client_of, driver, typed):
    ticket, other = make_ticket(driver), make_ticket(driver, plate=make_ownership(driver).label)
    typed = typed.format(number=ticket.number.lower(), full=ticket.full_number, plate=ticket.plate)
    text = read(client_of(driver).get(LIST, {"q": typed}))
    assert ticket.number in text
    assert other.number not in text


def test_own_search_finds_nobody_elses(client_of, driver, resident):
    ticket = make_ticket(driver)
    text = read(client_of(resident).get(LIST, {"q": ticket.full_number}))
    assert "No ticket found" in text
    assert page("ticket", ticket) not in text


def test_ticket_page_draws_the_cost_line(client_of, driver):
    ticket = make_ticket(driver)
    text = read(client_of(driver).get(page("ticket", ticket)))
    for words in (
        "What it costs, and when",
        "$25.00",
        "$35.00",
        "$50.00",
        "Request Appeal",
        "Pay $25.00",
        "7 days left",
    ):
        assert words in text


def test_last_day_of_the_discount_says_so(client_of, driver):
    ticket = make_ticket(driver, days_ago=7)
    assert "today is the last day" in read(client_of(driver).get(page("ticket", ticket)))


@pytest.mark.parametrize("name", ["ticket", "appeal", "answer", "withdraw", "confirmation"])
def test_strangers_find_no_ticket(client_of, driver, resident, name):
    ticket = make_ticket(driver)
    make_appeal(ticket)
    assert client_of(resident).get(page(name, ticket)).status_code == 404
    assert client_of(resident).post(page(name, ticket)).status_code in (404, 405)


def test_pay_button_leads_to_the_cart_with_this_ticket_ticked(client_of, driver):
    ticket = make_ticket(driver)
    text = read(client_of(driver).get(reverse("payments:due"), {"pay": f"ticket:{ticket.pk}"}))
    assert f'value="ticket:{ticket.pk}"' in text
    assert 'data-cents="2500" checked' in text


def test_a_ticket_is_not_ticked_by_itself(client_of, driver):
    make_ticket(driver)
    assert 'data-cents="2500" checked' not in read(client_of(driver).get(reverse("payments:due")))


def test_a_closed_ticket_draws_no_days_and_no_dearer_sums(client_of, driver, anonymous):
    ticket = make_ticket(driver)
    Ticket.objects.filter(pk=ticket.pk).update(status=TicketStatus.PAID, closed_at=ticket.issued_at)
    for text in (
        read(client_of(driver).get(page("ticket", ticket))),
        read(anonymous.get(reverse("guest:ticket", args=[ticket.pay_code]))),
    ):
        assert "days left" not in text
        assert "$50.00" not in text
        assert "$0.00" in text


def test_under_review_the_line_counts_days_and_names_no_dates(client_of, driver):
    ticket = make_ticket(driver, days_ago=2)
    make_appeal(ticket)
    text = read(client_of(driver).get(page("ticket", ticket)))
    assert "6 days after the review" in text
    assert "29 days after the review" in text


# Appeals


def test_appeal_says_what_a_refusal_costs_before_it_is_sent(client_of, driver):
    set_provider(removes_discount_on_appeal=True)
    ticket = make_ticket(driver)
    text = read(client_of(driver).get(page("appeal", ticket)))
    assert "$35.00" in text
    assert "discount for early payment ends" in text
    assert "A decision usually comes by" in text


def test_appeal_is_sent_with_its_files(client_of, driver):
    ticket = make_ticket(driver)
    response = client_of(driver).post(
        page("appeal", ticket), {"text": "The sign was hidden.", "chosen": [picture(), picture("second.jpg")]}
    )
    assert response.url == page("confirmation", ticket)
    appeal = Appeal.objects.get()
    assert appeal.status == AppealStatus.SENT
    assert appeal.evidence.count() == 2
    assert all(file.thumbnail for file in appeal.evidence.all())
    mail = Message.objects.get(template="violations/appeal_received")
    assert mail.to == driver.email


def test_files_are_kept_when_the_reason_is_missing(client_of, driver):
    ticket, client = make_ticket(driver), client_of(driver)
    response = client.post(page("appeal", ticket), {"text": "", "chosen": [picture()]})
    assert response.status_code == 422
    assert "sign.jpg" in read(response)
    assert Evidence.objects.get().appeal is None
    client.post(page("appeal", ticket), {"text": "Now with a reason."})
    assert Evidence.objects.get().appeal == Appeal.objects.get()


def test_good_files_are_kept_beside_a_bad_one(client_of, driver):
    ticket = make_ticket(driver)
    bad = io.BytesIO(b"MZ\x90 not a picture")
    bad.name = "virus.jpg"
    response = client_of(driver).post(page("appeal", ticket), {"text": "Reasons", "chosen": [picture(), bad]})
    assert response.status_code == 422
    assert "virus.jpg" in read(response)
    assert Evidence.objects.count() == 1
    assert not Appeal.objects.exists()


def test_remove_keeps_the_text_that_was_typed(client_of, driver):
    ticket, client = make_ticket(driver), client_of(driver)
    client.post(page("appeal", ticket), {"text": "", "chosen": [picture()]})
    code = Evidence.objects.get().code
    response = client.post(page("appeal", ticket), {"text": "Half a thou", "remove": code})
    assert "Half a thou" in read(response)
    assert not Evidence.objects.exists()
    assert not Appeal.objects.exists()


def test_an_upload_by_script_answers_with_the_part(client_of, driver):
    ticket = make_ticket(driver)
    response = client_of(driver).post(
        page("appeal", ticket), {"text": "", "upload": "1", "chosen": [picture()]}, headers={"HX-Request": "true"}
    )
    text = read(response)
    assert response.status_code == 200
    assert "sign.jpg" in text
    assert "<html" not in text


def test_an_unproved_person_is_told_to_prove_the_address(client_of, unproved_resident):
    ticket = make_ticket(unproved_resident)
    response = client_of(unproved_resident).post(page("appeal", ticket), {"text": "Reasons"})
    assert response.status_code == 403
    assert "confirm your e-mail address" in read(response)
    assert not Appeal.objects.exists()


@pytest.mark.parametrize(("days", "words"), [(16, "could be appealed until"), (31, "is overdue since")])
def test_too_late_says_which_rule_and_until_when(client_of, driver, days, words):
    ticket = make_ticket(driver, days_ago=days)
    client = client_of(driver)
    assert "Request Appeal" not in read(client.get(page("ticket", ticket)))
    response = client.post(page("appeal", ticket), {"text": "Reasons"})
    assert response.status_code == 403
    assert words in read(response)


def test_switched_off_appeals_are_not_there(client_of, driver):
    set_provider(is_appeals_on=False)
    ticket, client = make_ticket(driver), client_of(driver)
    assert client.get(page("appeal", ticket)).status_code == 404
    assert client.get(reverse("violations:lookup")).status_code == 404
    assert f'href="{LIST}"' not in read(client.get(reverse("payments:due")))
    assert client.get(page("ticket", ticket)).status_code == 200


def test_evidence_switched_off_takes_no_files(client_of, driver):
    set_provider(is_appeal_evidence_on=False)
    ticket, client = make_ticket(driver), client_of(driver)
    assert "Select Files to Upload" not in read(client.get(page("appeal", ticket)))
    client.post(page("appeal", ticket), {"text": "Reasons", "chosen": [picture()]})
    assert not Evidence.objects.exists()


def test_under_review_the_ticket_is_locked_and_shows_the_appeal(client_of, driver):
    ticket = make_ticket(driver)
    make_appeal(ticket)
    client = client_of(driver)
    text = read(client.get(page("ticket", ticket)))
    for words in ("Under review", "Show Appeal Information", "The machine was broken.", "Withdraw appeal"):
        assert words in text
    assert "Pay $25.00" not in text
    due = read(client.get(reverse("payments:due")))
    assert "Violations Under Review:" in due
    response = client.post(reverse("payments:due"), {"selected": f"ticket:{ticket.pk}"})
    assert response.status_code == 422


def test_withdraw_says_the_cost_and_unlocks_at_once(client_of, driver):
    ticket = make_ticket(driver)
    make_appeal(ticket)
    client = client_of(driver)
    assert "$25.00" in read(client.get(page("withdraw", ticket)))
    client.post(page("withdraw", ticket))
    text = read(client.get(page("ticket", ticket)))
    assert "Pay $25.00" in text
    assert Appeal.objects.get().status == AppealStatus.WITHDRAWN
    assert "Request Appeal" not in text


def test_question_is_answered_with_a_file(client_of, driver, administrator):
    ticket = make_ticket(driver)
    appeal = make_appeal(ticket)
    ask_appellant(appeal=appeal, text="Which machine?", actor=administrator)
    client = client_of(driver)
    assert "Which machine?" in read(client.get(page("answer", ticket)))
    response = client.post(page("answer", ticket), {"text": "The one at the gate.", "chosen": [picture()]})
    assert response.url == page("ticket", ticket)
    appeal.refresh_from_db()
    assert appeal.status == AppealStatus.SENT
    assert appeal.evidence.count() == 1
    assert client.get(page("answer", ticket)).status_code == 404


def test_evidence_is_its_senders_alone(client_of, driver, resident):
    ticket = make_ticket(driver)
    client_of(driver).post(page("appeal", ticket), {"text": "Reasons", "chosen": [picture()]})
    file = Evidence.objects.get()
    address = reverse("violations:evidence", args=[ticket.code, file.code])
    response = client_of(driver).get(address)
    assert response["Content-Disposition"].startswith("attachment")
    assert response["X-Content-Type-Options"] == "nosniff"
    assert client_of(driver).get(address, {"small": ""})["Content-Type"] == "image/jpeg"
    assert client_of(resident).get(address).status_code == 404


# Somebody else's vehicle


def test_lookup_by_number_and_pin_then_associate_then_appeal(client_of, driver, resident):
    ticket, client = make_ticket(driver), client_of(resident)
    response = client.post(reverse("violations:lookup"), {"q": ticket.full_number.lower().replace("-", " ")})
    assert response.url == reverse("violations:found", args=[ticket.pay_code])
    asked = read(client.get(response.url + "?associate"))
    assert "the vehicle will be associated with your profile temporarily during the appeal" in asked
    linked = client.post(response.url)
    assert linked.url == page("ticket", ticket) + "#request-appeal"
    assert 'id="request-appeal"' in read(client.get(page("ticket", ticket)))
    client.post(page("appeal", ticket), {"text": "It was not I who parked there."})
    assert Appeal.objects.get().person == resident
    vehicles = read(client.get(reverse("vehicles:list")))
    assert f"linked for the appeal of {ticket.number}, until it is decided" in vehicles


def test_lookup_by_plate_tells_date_and_offence_only(client_of, driver, resident):
    ticket = make_ticket(driver, place="Level 2, stall 14")
    text = read(client_of(resident).post(reverse("violations:lookup"), {"q": ticket.plate.lower()}))
    assert str(ticket.offence.description) in text
    for secret in (ticket.number, ticket.pin + '"', ticket.pay_code, "stall 14", driver.last_name, str(ticket.lot)):
        assert secret not in text


def test_lookup_is_exact(client_of, driver, resident):
    ticket = make_ticket(driver)
    client = client_of(resident)
    for typed in (ticket.plate[:-1], ticket.number, ticket.number + "-ZZ", "%", "TST"):
        assert "No violation found" in read(client.post(reverse("violations:lookup"), {"q": typed}))


def test_lookup_is_throttled(client_of, resident):
    client = client_of(resident)
    codes = [client.post(reverse("violations:lookup"), {"q": f"ABC {n}"}).status_code for n in range(25)]
    assert codes[0] == 200
    assert codes[-1] == 429


def test_unproved_people_search_nothing(client_of, unproved_resident, driver):
    ticket = make_ticket(driver)
    response = client_of(unproved_resident).post(reverse("violations:lookup"), {"q": ticket.full_number})
    assert response.status_code == 403


def test_association_shows_new_tickets_and_no_older_ones(client_of, driver, resident):
    old = make_ticket(driver, days_ago=3)
    ticket = make_ticket(driver, plate=old.plate)
    client = client_of(resident)
    client.post(reverse("violations:found", args=[ticket.pay_code]))
    new = make_ticket(driver, plate=old.plate)
    text = read(client.get(LIST))
    assert ticket.number in text
    assert new.number in text
    assert old.number not in text
    assert Association.objects.get().person == resident


# Guests


def pay_page(ticket: Ticket) -> str:
    return reverse("guest:pay", args=[ticket.pay_code])


@pytest.mark.parametrize("shape", ["{0}", "{1}", "{2}"])
def test_quick_pay_takes_the_number_however_it_is_typed(anonymous, driver, shape):
    full = make_ticket(driver).full_number
    typed = shape.format(full, full.lower().replace("-", ""), full.replace("-", " ").lower())
    response = anonymous.post(reverse("guest:quick-pay"), {"number": typed})
    assert response.status_code == 302
    assert "Violation Ticket Login" in read(anonymous.get(response.url))


def test_wrong_number_and_wrong_pin_answer_the_same(anonymous, driver):
    ticket = make_ticket(driver)
    wrong_pin = f"{ticket.number}-{'33' if ticket.pin != '33' else '44'}"
    answers = [anonymous.post(reverse("guest:quick-pay"), {"number": typed}) for typed in (wrong_pin, "TT-99999999-3K")]
    assert [answer.status_code for answer in answers] == [422, 422]
    pages = [read(answer).replace(wrong_pin, "").replace("TT-99999999-3K", "") for answer in answers]
    tokens = [[line for line in text.splitlines() if "csrf" not in line.lower()] for text in pages]
    assert tokens[0] == tokens[1]


def test_wrong_tries_slow_the_ticket_for_strangers_but_not_its_owner(anonymous, client_of, driver):
    ticket = make_ticket(driver)
    for n in range(20):
        anonymous.post(
            reverse("guest:quick-pay"), {"number": f"{ticket.number}-Z{n % 10}"}, REMOTE_ADDR=f"203.0.113.{n}"
        )
    right = anonymous.post(reverse("guest:quick-pay"), {"number": ticket.full_number}, REMOTE_ADDR="198.51.100.7")
    assert right.status_code == 422
    assert client_of(driver).get(page("ticket", ticket)).status_code == 200
    assert anonymous.get(reverse("guest:ticket", args=[ticket.pay_code])).status_code == 200


def test_guest_page_shows_cost_and_how_to_appeal_but_not_whose(anonymous, driver):
    ticket = make_ticket(driver)
    text = read(anonymous.get(reverse("guest:ticket", args=[ticket.pay_code])))
    for words in ("Guest Payment", "What it costs, and when", "$25.00", "That needs an account"):
        assert words in text
    assert driver.last_name not in text
    assert driver.email not in text


def test_guest_is_offered_no_promise(anonymous, driver):
    offer_method("demo-bank", is_for_guests=True)
    offer_method("", kind="promise")
    ticket = make_ticket(driver)
    text = read(anonymous.get(pay_page(ticket)))
    assert text.count('type="radio"') == 1
    assert "Submit Payment" in text


def test_switched_off_guest_payment_is_not_there(anonymous, driver):
    set_provider(is_guest_payment_on=False)
    ticket = make_ticket(driver)
    for address in (reverse("guest:quick-pay"), reverse("guest:ticket", args=[ticket.pay_code]), pay_page(ticket)):
        assert anonymous.get(address).status_code == 404
    assert "Pay your Ticket" not in read(anonymous.get(reverse("account_login"), follow=True))


def test_guest_cannot_pay_what_is_under_review(anonymous, driver):
    offer_method("demo-bank")
    ticket = make_ticket(driver)
    make_appeal(ticket)
    response = anonymous.post(pay_page(ticket), {"method": "demo-bank", "email": "guest@example.org"})
    assert response.url == reverse("guest:ticket", args=[ticket.pay_code])
    assert "Violations Under Review:" in read(anonymous.get(response.url))


def test_guest_pays_and_sees_the_confirmation(anonymous, driver):
    offer_method("demo-bank", is_for_guests=True)
    ticket = make_ticket(driver)
    response = anonymous.post(pay_page(ticket), {"method": "demo-bank", "email": "guest@example.org"})
    assert "/demo/bank/" in response.url
    payment = Payment.objects.get()
    assert payment.order.payer is None
    pay_at_bank(payment)
    shown = anonymous.get(guest_path(payment.order))
    text = read(shown)
    for words in ("Receipt", payment.order.code, ticket.number, "$25.00", "guest@example.org"):
        assert words in text
    assert reload(ticket).status == TicketStatus.PAID
    mail = Message.objects.get(template="payments/receipt")
    assert mail.to == "guest@example.org"
    assert guest_path(payment.order) in mail.context["receipt_link"]


def test_payments_of_guests_are_throttled(anonymous, driver, monkeypatch):
    offer_method("demo-bank", is_for_guests=True)
    ticket = make_ticket(driver)
    monkeypatch.setattr("violations.throttles.may_begin_payment", lambda request: False)
    response = anonymous.post(pay_page(ticket), {"method": "demo-bank", "email": "guest@example.org"})
    assert response.status_code == 422
    assert "Too many tries" in read(response)
    assert not Payment.objects.exists()


def test_a_guests_declined_payment_leads_back_to_the_ticket(anonymous, driver):
    offer_method("demo-bank", is_for_guests=True)
    ticket = make_ticket(driver)
    anonymous.post(pay_page(ticket), {"method": "demo-bank", "email": "guest@example.org"})
    payment = Payment.objects.get()
    pay_at_bank(payment, DECLINED)
    response = anonymous.get(guest_path(payment.order), follow=True)
    assert response.redirect_chain[-1][0] == reverse("guest:ticket", args=[ticket.pay_code])
    assert "did not go through" in read(response)


@pytest.mark.parametrize("token", ["1", "x:y", "MQ:1abc:zzz"])
def test_an_address_that_we_did_not_sign_shows_nothing(anonymous, token):
    assert anonymous.get(reverse("payments:guest", args=[token])).status_code == 404


def test_a_persons_order_is_not_shown_to_guests(anonymous, driver):
    ticket = make_ticket(driver)
    order = place_order(payer=driver, selection={"ticket": [ticket.pk]}, email=driver.email, language="en")
    assert anonymous.get(guest_path(order)).status_code == 404


# Lists cost the same, however long


@pytest.mark.parametrize("rows", [1, 3])
def test_list_queries_are_flat(client_of, driver, rows, django_assert_num_queries):
    offence = make_offence()
    plate = make_ticket(driver, offence=offence).plate
    for _row in range(rows - 1):
        make_ticket(driver, offence=offence, plate=plate)
    client = client_of(driver)
    client.get(LIST)
    with django_assert_num_queries(7):
        client.get(LIST)


def test_overdue_card_and_states(client_of, driver):
    late = make_ticket(driver, days_ago=31)
    text = read(client_of(driver).get(reverse("home:home")))
    assert "Unpaid Violations" in text
    assert late.number in text
    assert "Overdue" in text
    assert "$50.00" in text


def test_statuses_stand_on_the_page(client_of, driver):
    ticket = make_ticket(driver)
    Ticket.objects.filter(pk=ticket.pk).update(status=TicketStatus.PAID, closed_at=ticket.issued_at)
    text = read(client_of(driver).get(page("ticket", reload(ticket))))
    assert "Paid" in text
    assert "This ticket is paid." in text
    assert age(ticket, 1).offence.fine == Decimal("35.00")
