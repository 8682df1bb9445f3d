"""Letters about tickets, and tickets in collections."""

from decimal import Decimal

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from payments.models import Order, Payment
from tests.factories.accounts import PASSWORD
from tests.factories.permits import make_buyer
from tests.factories.vehicles import make_owner, make_ownership
from tests.factories.violations import make_ticket, reload
from violations.models import CollectionExport, Notice, NoticeWay, TicketStatus
from violations.services.collecting import send_to_collections

pytestmark = pytest.mark.django_db
NOTICES = reverse("admin:violations_notice_changelist")
SEND = reverse("admin:violations_collectionexport_add")


def by_letter(**address: str) -> Notice:
    """Return the letter about a ticket of somebody without e-mail."""
    person = make_owner(email_proved_at=None)
    type(person).objects.filter(pk=person.pk).update(email=None, **address)
    person.refresh_from_db()
    make_ownership(person)
    return make_ticket(person).notices.get()


def test_a_letter_waits_by_whether_it_can_be_delivered(client_of, clerk):
    whole = by_letter(street="1 Main St", city="Ottawa", postal_code="K1A 0A1", country="CA")
    broken = by_letter(street="2 Main St")
    assert whole.way == broken.way == NoticeWay.LETTER
    client = client_of(clerk)
    printable = client.get(NOTICES, {"letters": "printable"}).content.decode()
    assert whole.ticket.number in printable
    assert broken.ticket.number not in printable
    assert broken.ticket.number in client.get(NOTICES, {"letters": "unprintable"}).content.decode()


def test_letters_are_printed_and_then_marked(client_of, clerk):
    whole = by_letter(street="1 Main St", city="Ottawa", postal_code="K1A 0A1", country="CA", language="fr-ca")
    broken = by_letter(street="2 Main St")
    client = client_of(clerk)
    values = {"action": "print_letters", "_selected_action": [whole.pk, broken.pk]}
    text = client.post(NOTICES, values).content.decode()
    assert "1 Main St" in text
    assert "2 Main St" not in text
    assert whole.ticket.full_number not in text
    assert Notice.objects.filter(printed_at=None).count() == 2
    client.post(reverse("admin:violations_notice_printed"), {"notice": [whole.pk, "x", broken.pk * 1000]})
    whole.refresh_from_db()
    assert whole.printed_by == clerk


def test_an_officer_prints_nothing(client_of, officer):
    whole = by_letter(street="1 Main St", city="Ottawa", postal_code="K1A 0A1", country="CA")
    response = client_of(officer).post(reverse("admin:violations_notice_printed"), {"notice": [whole.pk]})
    assert response.status_code == 403
    whole.refresh_from_db()
    assert whole.printed_at is None


# Collections


def test_overdue_tickets_are_looked_at_then_sent_with_a_password(client_of, cashier):
    person = make_buyer(student_number="S-1", street="=cmd|1")[0]
    late, fresh = make_ticket(person, days_ago=100), make_ticket(person)
    client = client_of(cashier)
    look = client.get(SEND, {"overdue_days": "60"}).content.decode()
    assert "$50.00" in look
    assert client.post(SEND, {"overdue_days": "60", "password": "wrong"}).status_code == 422
    assert not CollectionExport.objects.exists()
    assert client.post(SEND, {"overdue_days": "60", "password": PASSWORD}).status_code == 302
    assert (reload(late).status, reload(fresh).status) == (TicketStatus.COLLECTIONS, TicketStatus.OPEN)
    export = CollectionExport.objects.get()
    file = client.get(reverse("admin:violations_collectionexport_download", args=[export.pk])).content.decode()
    assert f"{late.number},50.00" in file
    assert "S-1" in file
    assert ",=cmd" not in file
    assert late.pin + "," not in file


def test_results_are_looked_at_and_count_once(client_of, cashier):
    paid, refused = make_ticket(make_buyer()[0], days_ago=100), make_ticket(make_buyer()[0], days_ago=100)
    export = send_to_collections(overdue_days=0, actor=cashier)
    client = client_of(cashier)
    address = reverse("admin:violations_collectionexport_read_results", args=[export.pk])
    content = f"reference,result,amount,reason\n{paid.number},paid,50.00,\n{refused.number},refused,,Moved away\nTT-1,paid,1,\n"
    look = client.post(address, {"file": SimpleUploadedFile("results.csv", content.encode())})
    assert "is not in this file" in look.content.decode()
    assert reload(paid).status == TicketStatus.COLLECTIONS
    lines = look.context["form"].initial["lines"]
    for _time in range(2):
        assert client.post(address, {"lines": lines, "password": PASSWORD}).status_code == 302
    assert (reload(paid).status, reload(refused).status) == (TicketStatus.PAID, TicketStatus.COLLECTIONS)
    payment = Payment.objects.get()
    assert (payment.gateway, payment.amount) == ("collections", Decimal("50.00"))
    assert Order.objects.get().payer is None


def test_another_sum_is_settled_by_hand(client_of, cashier):
    ticket = make_ticket(make_buyer()[0], days_ago=100)
    export = send_to_collections(overdue_days=0, actor=cashier)
    content = f"reference,result,amount\n{ticket.number},paid,12.00\n"
    look = client_of(cashier).post(
        reverse("admin:violations_collectionexport_read_results", args=[export.pk]),
        {"file": SimpleUploadedFile("results.csv", content.encode())},
    )
    assert "Please settle it by hand." in look.content.decode()
