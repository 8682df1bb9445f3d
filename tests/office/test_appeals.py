"""The queue of appeals, and deciding."""

from decimal import Decimal

import pytest
from django.urls import reverse

from accounts.roles import APPEALS_OFFICER
from opscom.core.models import AuditEntry
from opscom.messaging.models import Message
from payments.models import Refund
from tests.factories.accounts import PASSWORD, make_user
from tests.factories.payments import go_to_bank, offer_method
from tests.factories.permits import make_buyer, make_sale, reserve
from tests.factories.vehicles import make_ownership
from tests.factories.violations import (
    finish_at_bank,
    link,
    make_appeal,
    make_ticket,
    order_tickets,
    picture_file,
    reload,
)
from violations.models import Appeal, AppealStatus, Association, TextBlock, TicketStatus
from violations.services.appealing import submit_appeal
from violations.services.files import stage_evidence

pytestmark = pytest.mark.django_db
LIST = reverse("admin:violations_appeal_changelist")


def page(appeal: Appeal, name: str = "change") -> str:
    return reverse(f"admin:violations_appeal_{name}", args=[appeal.pk])


@pytest.fixture
def judge(db):
    return make_user(role=APPEALS_OFFICER, first_name="Jo", last_name="Judge", email="jo.judge@example.org")


@pytest.fixture
def driver(db):
    return make_buyer()[0]


@pytest.fixture
def appeal(driver) -> Appeal:
    return make_appeal(make_ticket(driver))


def test_the_queue_opens_with_what_waits_the_oldest_first(client_of, judge, driver):
    first, second = make_appeal(make_ticket(driver)), make_appeal(make_ticket(driver))
    closed = make_appeal(make_ticket(driver))
    client = client_of(judge)
    client.post(page(closed, "uphold"), {"words": "No."})
    text = client.get(LIST).content.decode()
    assert text.index(first.ticket.number) < text.index(second.ticket.number)
    assert closed.ticket.number not in text
    assert closed.ticket.number in client.get(LIST, {"queue": "closed"}).content.decode()


def test_the_page_shows_all_side_by_side(client_of, judge, driver):
    earlier = make_ticket(driver)
    ticket = make_ticket(driver, place="Level 2", notes="No permit seen")
    stage_evidence(ticket=ticket, person=driver, files=[picture_file("sign.jpg")])
    appeal = submit_appeal(ticket=ticket, person=driver, reason="The sign was hidden.", language="en")
    text = client_of(judge).get(page(appeal)).content.decode()
    for words in (
        "The sign was hidden.",
        "sign.jpg",
        "Level 2",
        "No permit seen",
        earlier.number,
        "$25.00",
        "None for",
    ):
        assert words in text


def test_a_plate_that_looks_alike_and_may_stand_there_is_shown(client_of, judge, driver):
    sale = make_sale()
    neighbour, _ownership = make_buyer()
    own = make_ownership(neighbour, plate="B0B 1234")
    permit = reserve(sale, neighbour)
    permit.vehicle_links.update(vehicle=own.vehicle)
    type(permit).objects.filter(pk=permit.pk).update(status="active", held_until=None, activated_at=permit.reserved_at)
    make_ownership(driver, plate="BOB 1234")
    appeal = make_appeal(make_ticket(driver, plate="BOB 1234", lot=sale.lot))
    text = client_of(judge).get(page(appeal)).content.decode()
    assert "a slip of the pen?" in text
    assert permit.number in text


def test_opening_evidence_stands_in_the_log_and_needs_the_right(client_of, judge, clerk, driver):
    ticket = make_ticket(driver)
    stage_evidence(ticket=ticket, person=driver, files=[picture_file()])
    file = make_appeal(ticket).evidence.get()
    address = reverse("admin:violations_appeal_evidence", args=[file.code])
    assert client_of(judge).get(address).status_code == 200
    assert AuditEntry.objects.filter(action="evidence.opened", actor=judge).count() == 1
    assert client_of(clerk).get(address).status_code == 403


def test_what_was_not_sent_is_nobodys_to_open(client_of, judge, driver):
    (file,) = stage_evidence(ticket=make_ticket(driver), person=driver, files=[picture_file()])
    address = reverse("admin:violations_appeal_evidence", args=[file.code])
    assert client_of(judge).get(address).status_code == 404


def test_uphold_with_a_block_in_the_appellants_language(client_of, judge, driver):
    block = TextBlock.objects.create(name="Sign", text={"en": "The sign is clear.", "fr-ca": "Le panneau est clair."})
    ticket = make_ticket(driver)
    appeal = submit_appeal(ticket=ticket, person=driver, reason="Pas vu", language="fr-ca")
    client = client_of(judge)
    assert client.post(page(appeal, "uphold"), {}).status_code == 422
    assert client.post(page(appeal, "uphold"), {"block": block.pk, "words": "Bonne route."}).status_code == 302
    appeal.refresh_from_db()
    assert appeal.status == AppealStatus.UPHELD
    assert appeal.response == "Le panneau est clair.\n\nBonne route."
    assert Message.objects.get(template="violations/appeal_decided").language == "fr-ca"


@pytest.mark.parametrize("amount", ["", "0", "25.00", "99", "-5", "NaN", "1e9"])
def test_a_reduction_must_reduce(client_of, judge, appeal, amount):
    response = client_of(judge).post(page(appeal, "reduce"), {"amount": amount, "words": "A little"})
    assert response.status_code == 422
    appeal.refresh_from_db()
    assert appeal.is_under_review


def test_reduce(client_of, judge, appeal):
    client_of(judge).post(page(appeal, "reduce"), {"amount": "10.00", "words": "First time."})
    appeal.refresh_from_db()
    assert (appeal.status, appeal.amount_after) == (AppealStatus.REDUCED, Decimal("10.00"))
    assert reload(appeal.ticket).set_amount == Decimal("10.00")


def test_granting_what_is_paid_asks_the_password_and_gives_the_money_back(client_of, judge, driver):
    offer_method("demo-bank")
    ticket = make_ticket(driver)
    payment = go_to_bank(order_tickets(ticket))
    appeal = make_appeal(reload(ticket))
    finish_at_bank(payment)
    client = client_of(judge)
    assert client.post(page(appeal, "grant"), {"words": "Sorry."}).status_code == 422
    assert client.post(page(appeal, "grant"), {"words": "Sorry.", "password": PASSWORD}).status_code == 302
    assert reload(ticket).status == TicketStatus.CANCELLED
    assert Refund.objects.get().amount == Decimal("25.00")


def test_a_question_waits_for_its_answer(client_of, judge, appeal):
    client = client_of(judge)
    client.post(page(appeal, "ask"), {"words": "Which machine?"})
    appeal.refresh_from_db()
    assert appeal.status == AppealStatus.ASKED
    assert appeal.ticket.number not in client.get(LIST).content.decode()
    assert "Ask for more" not in client.get(page(appeal)).content.decode()


def test_the_link_is_kept_when_the_office_says_so(client_of, judge, driver, resident):
    ticket = make_ticket(driver)
    link(ticket, resident)
    appeal = make_appeal(ticket, resident)
    client_of(judge).post(page(appeal, "uphold"), {"words": "No.", "keep_link": "on"})
    kept = Association.objects.get()
    assert (kept.is_kept, kept.ends_at) == (True, None)


def test_a_clerk_decides_nothing(client_of, clerk, appeal):
    for name in ("uphold", "reduce", "grant", "ask"):
        assert client_of(clerk).post(page(appeal, name), {"words": "No."}).status_code == 403
    appeal.refresh_from_db()
    assert appeal.status == AppealStatus.SENT


def test_a_closed_appeal_is_decided_no_second_time(client_of, judge, appeal):
    client = client_of(judge)
    client.post(page(appeal, "uphold"), {"words": "No."})
    again = client.post(page(appeal, "grant"), {"words": "Yes."})
    assert again.status_code == 422
    assert "closed already" in again.content.decode()


def test_nobody_decides_about_their_own_ticket(client_of, judge):
    make_ownership(judge)
    appeal = make_appeal(make_ticket(judge), judge)
    response = client_of(judge).post(page(appeal, "grant"), {"words": "Of course."})
    assert response.status_code == 422
    assert reload(appeal.ticket).status == TicketStatus.OPEN


@pytest.mark.parametrize("rows", [1, 3])
def test_queue_queries_are_flat(client_of, judge, rows, django_assert_num_queries):
    for _row in range(rows):
        make_appeal(make_ticket(make_buyer()[0]))
    client = client_of(judge)
    client.get(LIST)
    with django_assert_num_queries(6):
        client.get(LIST)
