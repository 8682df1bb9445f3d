"""The demo's first page names a ticket of nobody's vehicle, as its paper would."""

import pytest
from django.urls import reverse

from demo.data.tickets import STRANGERS_PLATE
from tests.factories.provider import set_provider
from tests.factories.violations import make_ticket
from violations.models import Ticket, TicketStatus

pytestmark = pytest.mark.django_db
ADDRESS = reverse("demo:index")


def test_an_unpaid_ticket_of_nobody_is_named(client):
    make_ticket()
    assert "Pay your Ticket" not in client.get(ADDRESS).text
    ticket = make_ticket(plate=STRANGERS_PLATE)
    shown = client.get(ADDRESS).text
    assert ticket.full_number in shown
    assert ticket.pay_code not in shown


def test_it_goes_once_it_is_paid(client):
    ticket = make_ticket(plate=STRANGERS_PLATE)
    Ticket.objects.update(status=TicketStatus.PAID, closed_at=ticket.issued_at)
    assert ticket.number not in client.get(ADDRESS).text


def test_switched_off_guest_payment_offers_nothing(client):
    make_ticket(plate=STRANGERS_PLATE)
    set_provider(is_guest_payment_on=False)
    assert "Pay your Ticket" not in client.get(ADDRESS).text
