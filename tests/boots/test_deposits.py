"""Whose a deposit is: nobody else pays or sees it, unless it belongs to what they pay for."""

from decimal import Decimal

import pytest
from django.urls import reverse

from opscom.core.errors import DomainError
from payments.models import Deposit, DepositKind, Order
from payments.purchasables import get_purchasable
from payments.services.deposits import ask_deposit
from payments.services.orders import place_order
from tests.factories.boots import TWENTY, make_booting, make_released, set_policy
from tests.factories.payments import offer_method

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def policy() -> None:
    offer_method("demo-bank", is_for_guests=True)
    set_policy(deposit=TWENTY)


def ordinary_deposit(person) -> Deposit:
    return ask_deposit(person=person, kind=DepositKind.CARD, amount=Decimal(15), actor=person, label="Card 7")


def test_nobody_else_pays_or_sees_an_ordinary_deposit(client_of, resident, other_resident):
    deposit = ordinary_deposit(resident)
    for payer in (other_resident, None):
        assert get_purchasable("deposit").quote([deposit.pk], payer=payer, lock=False) == []
        with pytest.raises(DomainError, match="can no longer be paid"):
            place_order(payer=payer, selection={"deposit": [deposit.pk]}, email="a@b.ca", language="en")
    client = client_of(other_resident)
    page = client.post(reverse("payments:due"), {"selected": [f"deposit:{deposit.pk}"]}).content.decode()
    assert "Card 7" not in page
    assert not Order.objects.exists()
    assert place_order(payer=resident, selection={"deposit": [deposit.pk]}, email="", language="en").total == 15


def test_nobody_pays_or_sees_a_deposit_whose_thing_is_paid_already(resident, other_resident):
    """A deposit that is asked afterwards, about something paid long ago, is its person's alone."""
    booting = make_released(resident)
    Deposit.objects.filter(pk=booting.deposit_id).update(about_kind="", about_id=None)
    late = ask_deposit(
        person=resident, kind=DepositKind.BOOT, amount=TWENTY, actor=resident, about_kind="boot", about_id=booting.pk
    )
    quote = get_purchasable("deposit").quote
    for payer in (other_resident, None):
        assert quote([late.pk], payer=payer, lock=False) == []
    assert [one.object_id for one in quote([late.pk], payer=resident, lock=False)] == [late.pk]


def test_nobody_pays_a_deposit_of_nobody(resident):
    deposit = ask_deposit(person=None, kind=DepositKind.CARD, amount=TWENTY, actor=resident)
    with pytest.raises(DomainError):
        place_order(payer=None, selection={"deposit": [deposit.pk]}, email="a@b.ca", language="en")


def test_stranger_cannot_begin_with_a_boots_deposit(client_of, resident, other_resident):
    booting = make_booting(resident)
    client = client_of(other_resident)
    for chosen in (f"deposit:{booting.deposit_id}", f"boot:{booting.pk}", f"ticket:{booting.ticket_id}"):
        page = client.post(reverse("payments:due"), {"selected": [chosen]})
        assert page.status_code == 422
        assert booting.ticket.number not in page.content.decode()
    assert not Order.objects.exists()
