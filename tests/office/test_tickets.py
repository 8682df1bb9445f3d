"""Tickets in the office: offences, issuing, spoiling, cancelling, lowering, appeals on paper."""

import datetime as dt
import io
from decimal import Decimal

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone
from PIL import Image

from accounts.roles import AUDITOR, ENFORCEMENT_OFFICER
from opscom.provider.selectors import get_time_zone, local_date
from payments.models import Refund
from tests.factories.accounts import PASSWORD, make_user
from tests.factories.payments import offer_method
from tests.factories.permits import make_buyer, make_lot, make_sale, reserve
from tests.factories.violations import age, make_appeal, make_offence, make_ticket, pay_tickets, picture_file, reload
from violations.admin.forms import IssueForm, PaperAppealForm
from violations.models import Appeal, Offence, Ticket, TicketPhoto, TicketStatus
from violations.services.associating import associate
from violations.services.files import keep_photos

pytestmark = pytest.mark.django_db
ADD = reverse("admin:violations_ticket_add")
LIST = reverse("admin:violations_ticket_changelist")


def page(ticket: Ticket, name: str = "change") -> str:
    return reverse(f"admin:violations_ticket_{name}", args=[ticket.pk])


def now_here() -> str:
    return timezone.now().astimezone(get_time_zone()).strftime("%Y-%m-%dT%H:%M")


def photo(name: str = "car.jpg") -> SimpleUploadedFile:
    content = io.BytesIO()
    Image.new("RGB", (200, 100), "grey").save(content, "JPEG")
    return SimpleUploadedFile(name, content.getvalue())


def written(**changes: object) -> dict[str, object]:
    """What an officer types."""
    values = {"plate": "ckmt 482", "region": "CA-ON", "occurred_at": now_here(), "place": "Level 2"} | changes
    values.setdefault("offence", make_offence().pk)
    return values


def test_an_officer_issues_a_ticket_with_photos(client_of, officer):
    client = client_of(officer)
    assert client.get(ADD).status_code == 200
    response = client.post(ADD, written(lot=make_lot().pk, photos=[photo(), photo("second.jpg")]))
    ticket = Ticket.objects.get()
    assert response.url == page(ticket)
    assert (ticket.plate, ticket.plate_key, ticket.officer) == ("CKMT 482", "CKMT482", officer)
    assert ticket.photos.count() == 2
    shown = client.get(page(ticket)).content.decode()
    assert ticket.full_number in shown
    assert TicketPhoto.objects.first().code in shown
    picture = client.get(reverse("admin:violations_ticket_photo", args=[TicketPhoto.objects.first().code]))
    assert picture["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"plate": ""}, "Enter the plate"),
        ({"plate": "ÄÖ"}, "only the letters A to Z"),
        ({"occurred_at": "2099-01-01T10:00"}, "still to come"),
        ({"fine": "5.00"}, "cannot be adjusted"),
        ({"photos": [SimpleUploadedFile("evil.jpg", b"MZ not a picture")]}, "not a PDF, PNG or JPEG"),
        ({"number": "TT 1\x00"}, "Null characters"),
    ],
)
def test_what_cannot_be_is_refused_in_words(client_of, officer, changes, words):
    response = client_of(officer).post(ADD, written(**changes))
    assert response.status_code == 422
    assert words in response.content.decode()
    assert not Ticket.objects.exists()


def test_a_right_to_park_must_be_confirmed(client_of, officer):
    sale = make_sale()
    buyer, ownership = make_buyer()
    buyer.ownerships.update(added_at=timezone.now() - dt.timedelta(hours=1))
    permit = reserve(sale, buyer)
    type(permit).objects.filter(pk=permit.pk).update(
        status="active", held_until=None, activated_at=timezone.now(), valid_from=timezone.now() - dt.timedelta(hours=1)
    )
    client, values = client_of(officer), written(plate=ownership.label, lot=sale.lot.pk)
    first = client.post(ADD, values)
    assert "may stand there" in first.content.decode()
    assert not Ticket.objects.exists()
    assert client.post(ADD, values | {"confirmed": "on"}).status_code == 302
    assert Ticket.objects.get().person == buyer


def test_the_list_shows_no_pin_and_finds_numbers_and_plates(client_of, clerk):
    ticket, other = make_ticket(), make_ticket()
    client = client_of(clerk)
    for typed in (ticket.number.lower().replace("-", " "), ticket.plate.lower()):
        text = client.get(LIST, {"q": typed}).content.decode()
        assert ticket.number in text
        assert ticket.full_number not in text
        assert other.number not in text


def test_an_auditor_sees_no_pin_and_no_deeds(client_of, db):
    ticket = make_ticket()
    text = client_of(make_user(role=AUDITOR)).get(page(ticket)).content.decode()
    assert ticket.number in text
    assert ticket.full_number not in text
    assert "Spoil" not in text


@pytest.mark.parametrize("name", ["spoil", "cancel", "lower", "recall", "enter_appeal"])
def test_an_officer_of_enforcement_may_only_issue(client_of, name):
    ticket = make_ticket()
    client = client_of(make_user(role=ENFORCEMENT_OFFICER))
    assert client.get(page(ticket, name)).status_code == 403
    client.post(page(ticket, name), {"reason": "Because", "password": PASSWORD})
    assert reload(ticket).status == TicketStatus.OPEN


def test_a_ticket_is_spoiled_with_a_reason(client_of, clerk):
    ticket, client = make_ticket(), client_of(clerk)
    assert client.post(page(ticket, "spoil"), {"reason": ""}).status_code == 422
    assert client.post(page(ticket, "spoil"), {"reason": "Wrong plate"}).status_code == 302
    assert (reload(ticket).status, reload(ticket).closing_reason) == (TicketStatus.SPOILED, "Wrong plate")


def test_cancelling_a_paid_ticket_asks_the_password_and_gives_the_money_back(client_of, clerk):
    offer_method("demo-bank")
    ticket = make_ticket(make_buyer()[0])
    pay_tickets(ticket)
    client = client_of(clerk)
    assert client.post(page(ticket, "cancel"), {"reason": "Machine broken"}).status_code == 422
    assert not Refund.objects.exists()
    client.post(page(ticket, "cancel"), {"reason": "Machine broken", "password": PASSWORD})
    assert reload(ticket).status == TicketStatus.CANCELLED
    assert Refund.objects.get().amount == Decimal("25.00")


def test_only_an_adjustable_fine_is_lowered(client_of, clerk):
    fixed, adjustable = make_ticket(), make_ticket(offence=make_offence(is_adjustable=True))
    client = client_of(clerk)
    assert "Lower the fine" not in client.get(page(fixed)).content.decode()
    assert client.post(page(fixed, "lower"), {"amount": "5", "reason": "Kind"}).status_code == 422
    assert client.post(page(adjustable, "lower"), {"amount": "30", "reason": "Kind"}).status_code == 422
    assert client.post(page(adjustable, "lower"), {"amount": "5", "reason": "Kind"}).status_code == 302
    assert reload(adjustable).set_amount == Decimal("5.00")


def test_an_appeal_on_paper_needs_a_reason_when_it_is_late(client_of, clerk):
    ticket, client = make_ticket(), client_of(clerk)
    age(ticket, 20)
    values = {
        "appellant": "Pat Birch",
        "reason": "I was ill.",
        "received_on": local_date().isoformat(),
        "language": "en",
    }
    late = client.post(page(ticket, "enter_appeal"), values)
    assert late.status_code == 422
    assert "Enter why it is accepted all the same." in late.content.decode()
    values |= {"late_reason": "In hospital", "enclosed": [photo("note.jpg")]}
    assert client.post(page(ticket, "enter_appeal"), values).status_code == 302
    appeal = Appeal.objects.get()
    assert (appeal.who, appeal.entered_by, appeal.late_reason) == ("Pat Birch", clerk, "In hospital")
    assert appeal.evidence.count() == 1


def test_a_rule_that_is_overdue_before_its_appeal_days_end_is_warned_of(client_of, administrator):
    offence = make_offence()
    values = {
        name: getattr(offence, name) for name in ("code", "fine", "fee", "discount", "discount_days", "repeat_days")
    }
    values |= {"category": offence.category_id, "description_en": "Late", "description_fr_ca": "Tard", "grace_days": 0}
    values |= {"due_days": 10, "appeal_days": 30, "position": 0, "by_law": ""}
    for inline in ("late_fees", "steps"):
        values |= {f"{inline}-TOTAL_FORMS": 0, f"{inline}-INITIAL_FORMS": 0}
    response = client_of(administrator).post(
        reverse("admin:violations_offence_change", args=[offence.pk]), values, follow=True
    )
    assert "overdue after 10 days" in response.content.decode()
    assert Offence.objects.get().due_days == 10


@pytest.mark.parametrize(("field", "value"), [("discount", "35.00"), ("discount", "99"), ("discount_days", "31")])
def test_a_rule_that_leaves_nothing_to_pay_is_refused(client_of, administrator, field, value):
    offence = make_offence(late_fees=[])
    names = ("code", "fine", "fee", "discount", "discount_days", "repeat_days", "due_days", "appeal_days")
    values = {name: getattr(offence, name) for name in names} | {field: value}
    values |= {"category": offence.category_id, "description_en": "Late", "grace_days": 0, "position": 0}
    for inline in ("late_fees", "steps"):
        values |= {f"{inline}-TOTAL_FORMS": 0, f"{inline}-INITIAL_FORMS": 0}
    address = reverse("admin:violations_offence_change", args=[offence.pk])
    assert client_of(administrator).post(address, values).status_code == 200
    offence.refresh_from_db()
    assert offence.discount == Decimal("10.00")
    assert offence.discount_days == 7


def test_the_paper_has_the_pin_and_the_code_that_opens_the_guests_page(client_of, officer):
    ticket = make_ticket()
    text = client_of(officer).get(page(ticket, "paper")).content.decode()
    assert ticket.full_number in text
    assert "data:image/svg+xml" in text
    assert "$25.00" in text
    assert client_of(make_user(role=AUDITOR)).get(page(ticket, "paper")).status_code == 403


def test_photos_are_the_offices_business(client_of, resident):
    ticket = make_ticket()
    (kept,) = keep_photos(ticket=ticket, photos=[picture_file()], actor=None)
    address = reverse("admin:violations_ticket_photo", args=[kept.code])
    assert client_of(resident).get(address).status_code in (302, 404)


@pytest.mark.parametrize("rows", [1, 3])
def test_list_queries_are_flat(client_of, administrator, rows, django_assert_num_queries):
    for _row in range(rows):
        make_ticket(make_buyer()[0])
    client = client_of(administrator)
    client.get(LIST)
    with django_assert_num_queries(QUERIES):
        client.get(LIST)


QUERIES = 9


@pytest.mark.parametrize("name", ["ticket", "appeal", "notice", "association"])
def test_lists_find_a_number_however_it_is_typed(client_of, administrator, name):
    owner, other = make_user(last_name="Quill"), make_user()
    ticket = make_ticket(owner)
    associate(ticket=ticket, person=other)
    make_appeal(ticket)
    address = reverse(f"admin:violations_{name}_changelist")
    client = client_of(administrator)
    for typed in (ticket.number, ticket.number.lower().replace("-", " "), ticket.full_number):
        assert ticket.number in client.get(address, {"q": typed}).content.decode(), typed
    person = other if name == "association" else owner
    assert ticket.number in client.get(address, {"q": person.last_name}).content.decode()
    assert ticket.number not in client.get(address, {"q": "TT-99999"}).content.decode()


def test_list_finds_an_address_with_digits(client_of, administrator):
    ticket = make_ticket(make_user(email="quill.7@example.org"))
    assert ticket.number in client_of(administrator).get(LIST, {"q": "quill.7@example"}).content.decode()


def test_inputs_for_files_bring_their_own_text_field():
    """The admin's script writes the chosen file's name into the nearest text field, which must not be the plate."""
    for field in (IssueForm()["photos"], PaperAppealForm(ticket=make_ticket(make_user()))["enclosed"]):
        shown = str(field)
        assert shown.index('type="text"') < shown.index('type="file"')
        assert " multiple" in shown
