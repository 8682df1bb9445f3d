"""The permit pages: what a resident sees, is refused, holds, prints; what a stranger does not."""

import datetime as dt
import io

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pypdf import PdfReader

from permits.models import Permit, PermitPrint, PermitStatus, Slot, SlotState
from permits.services import documents
from permits.tasks import end_permits, make_missing_documents
from tests.factories.payments import go_to_bank, order_permit, pay_at_bank
from tests.factories.permits import (
    lapse_hold,
    make_buyer,
    make_lot,
    make_permit_type,
    make_sale,
    make_tax,
    offer_demo_bank,
    reserve,
)
from tests.factories.vehicles import make_owner, make_ownership, set_provider

pytestmark = pytest.mark.django_db


@pytest.fixture
def buyer(client: Client):
    person, _ownership = make_buyer()
    client.force_login(person)
    return person


def active_permit(permit: Permit) -> Permit:
    """Pay for a reserved permit."""
    from payments.services.confirming import confirm_payment

    offer_demo_bank()
    payment = go_to_bank(order_permit(permit))
    pay_at_bank(payment)
    confirm_payment(payment)
    permit.refresh_from_db()
    return permit


def post_reserve(client: Client, sale, ownership):
    field = f"{sale.code}-vehicles"
    return client.post(reverse("permits:reserve", args=[sale.code]), {field: ownership.code})


def test_without_a_vehicle_one_is_sent_to_vehicles_first(client: Client) -> None:
    client.force_login(make_owner())
    make_sale()
    response = client.get(reverse("permits:list"))
    assert response.status_code == 302
    assert response.url.startswith(reverse("vehicles:list"))
    assert "permits" in response.url


def test_a_lot_shows_what_is_left_and_its_price_with_tax(client: Client, buyer) -> None:
    kind = make_permit_type(taxes=[make_tax("13")])
    sale = make_sale(numbers=7, permit_type=kind)
    page = client.get(reverse("permits:list")).content.decode()
    assert str(sale.lot) in page
    assert "7 left" in page
    assert "$113.00" in page
    assert "Reserve Permit" in page


def test_reserving_holds_a_number_and_leads_to_payments(client: Client, buyer) -> None:
    sale = make_sale()
    response = post_reserve(client, sale, buyer.ownerships.get())
    assert response.url == reverse("payments:due")
    permit = Permit.objects.get(holder=buyer)
    assert permit.status == PermitStatus.RESERVED
    assert permit.slot.state == SlotState.HELD
    assert dt.timedelta(minutes=29) < permit.held_until - timezone.now() <= dt.timedelta(minutes=30)


def test_a_second_one_is_refused_with_the_rule_and_until_when(client: Client, buyer) -> None:
    sale = make_sale()
    first = reserve(sale, buyer)
    response = post_reserve(client, sale, buyer.ownerships.get())
    page = response.content.decode()
    assert response.status_code == 422
    assert first.number in page
    assert "1 permit of this kind at a time" in page
    assert Permit.objects.count() == 1


def test_without_a_choice_the_card_says_what_to_choose(client: Client, buyer) -> None:
    make_ownership(buyer)
    sale = make_sale()
    response = client.post(reverse("permits:reserve", args=[sale.code]), {})
    assert response.status_code == 422
    assert "Choose the vehicle that will park." in response.content.decode()


def test_a_strangers_vehicle_cannot_be_put_on_a_permit(client: Client, buyer) -> None:
    _other, strange = make_buyer()
    response = post_reserve(client, make_sale(), strange)
    assert response.status_code == 422
    assert Permit.objects.count() == 0


def test_a_full_lot_says_full_in_place_of_the_price(client: Client, buyer) -> None:
    sale = make_sale(numbers=1)
    reserve(sale)
    page = client.get(reverse("permits:list")).content.decode()
    assert "Full" in page
    assert "Reserve Permit" not in page
    assert post_reserve(client, sale, buyer.ownerships.get()).status_code == 422


def test_a_sale_that_has_not_opened_says_when(client: Client, buyer) -> None:
    make_sale(opens_at=timezone.now() + dt.timedelta(days=3))
    page = client.get(reverse("permits:list")).content.decode()
    assert "On sale from" in page


def test_another_user_types_sale_is_not_shown_and_cannot_be_bought(client: Client, buyer) -> None:
    sale = make_sale(permit_type=make_permit_type(user_types=[make_owner().user_type]))
    assert str(sale.lot) not in client.get(reverse("permits:list")).content.decode()
    assert post_reserve(client, sale, buyer.ownerships.get()).status_code == 422
    assert Permit.objects.count() == 0


def test_a_hold_can_be_extended_once(client: Client, buyer) -> None:
    permit = reserve(make_sale(), buyer)
    Permit.objects.filter(pk=permit.pk).update(held_until=timezone.now() + dt.timedelta(minutes=2))
    client.post(reverse("permits:extend", args=[permit.code]))
    permit.refresh_from_db()
    assert permit.held_until > timezone.now() + dt.timedelta(minutes=25)
    response = client.post(reverse("permits:extend", args=[permit.code]), follow=True)
    assert "already extended once" in response.content.decode()


def test_a_hold_that_ran_out_a_moment_ago_does_not_stand_in_the_way(client: Client, buyer) -> None:
    sale = make_sale()
    dead = reserve(sale, buyer)
    Permit.objects.filter(pk=dead.pk).update(held_until=timezone.now() - dt.timedelta(seconds=1))
    page = client.get(reverse("permits:list")).content.decode()
    assert dead.number not in page
    assert post_reserve(client, sale, buyer.ownerships.get()).url == reverse("payments:due")
    dead.refresh_from_db()
    assert dead.status == PermitStatus.LAPSED
    assert Permit.objects.live().get().holder == buyer


def test_giving_back_frees_the_number(client: Client, buyer, django_capture_on_commit_callbacks) -> None:
    permit = reserve(make_sale(numbers=1), buyer)
    assert client.get(reverse("permits:give-back", args=[permit.code])).status_code == 200
    with django_capture_on_commit_callbacks(execute=True):
        client.post(reverse("permits:give-back", args=[permit.code]))
    permit.refresh_from_db()
    assert permit.status == PermitStatus.CANCELLED
    assert Slot.objects.get().state == SlotState.FREE


def test_a_lapsed_hold_says_so_and_leads_back(client: Client, buyer) -> None:
    permit = lapse_hold(reserve(make_sale(), buyer))
    page = client.get(reverse("permits:detail", args=[permit.code])).content.decode()
    assert "The hold has run out" in page
    assert "Reserve again" in page


@pytest.mark.parametrize("name", ["detail", "print", "extend", "give-back"])
def test_strangers_find_nothing(client: Client, buyer, name: str) -> None:
    strange = reserve(make_sale())
    url = reverse(f"permits:{name}", args=[strange.code])
    assert client.post(url).status_code in (404, 405)
    assert client.get(url).status_code in (404, 405)
    strange.refresh_from_db()
    assert strange.status == PermitStatus.RESERVED


def test_the_pdf_shows_number_lot_plate_and_prints_once(client: Client, buyer) -> None:
    permit = active_permit(reserve(make_sale(), buyer))
    make_missing_documents()
    url = reverse("permits:print", args=[permit.code])
    response = client.post(url)
    assert response["Content-Type"] == "application/pdf"
    assert "attachment" in response["Content-Disposition"]
    text = PdfReader(io.BytesIO(b"".join(response.streaming_content))).pages[0].extract_text()
    for expected in (permit.number, str(permit.lot), buyer.ownerships.get().label):
        assert expected in text
    again = client.post(url)
    assert again["Content-Type"] == "application/pdf"
    assert PermitPrint.objects.count() == 1
    PermitPrint.objects.update(printed_at=timezone.now() - dt.timedelta(minutes=16))
    refused = client.post(url, follow=True).content.decode()
    assert "You can only print this once (last printed" in refused
    documents.allow_another_print(permit=permit, actor=buyer)
    assert client.post(url)["Content-Type"] == "application/pdf"
    assert PermitPrint.objects.count() == 2


def test_while_the_pdf_is_being_made_the_page_says_so(client: Client, buyer) -> None:
    permit = active_permit(reserve(make_sale(), buyer))
    page = client.get(reverse("permits:detail", args=[permit.code])).content.decode()
    assert "is being made" in page
    assert client.post(reverse("permits:print", args=[permit.code])).status_code == 302
    assert PermitPrint.objects.count() == 0


def test_an_unpaid_permit_cannot_be_printed(client: Client, buyer) -> None:
    permit = reserve(make_sale(), buyer)
    client.post(reverse("permits:print", args=[permit.code]))
    assert PermitPrint.objects.count() == 0


def test_the_status_page_tells_anyone_validity_and_no_name(client: Client) -> None:
    permit = active_permit(reserve(make_sale()))
    url = reverse("permits:status", args=[permit.public_code])
    page = client.get(url).content.decode()
    assert '<h1 class="h2 text-success">Valid</h1>' in page
    for private in (permit.holder.last_name, permit.holder.email, permit.holder.ownerships.get().label):
        assert private not in page
    Permit.objects.filter(pk=permit.pk).update(valid_until=timezone.now(), valid_from=timezone.now() - dt.timedelta(1))
    end_permits()
    assert "Not valid" in client.get(url).content.decode()
    assert client.get(reverse("permits:status", args=["NOSUCHCODE"])).status_code == 404


@pytest.mark.parametrize("rows", [1, 3])
def test_permit_list_queries_are_flat(client: Client, buyer, rows: int, django_assert_num_queries) -> None:
    kind = make_permit_type(max_per_person=5, taxes=[make_tax()], user_types=[buyer.user_type])
    for _row in range(rows):
        reserve(make_sale(permit_type=kind, lot=make_lot()), buyer)
    client.get(reverse("permits:list"))
    with django_assert_num_queries(22):
        response = client.get(reverse("permits:list"))
    assert response.content.decode().count('<details class="choice"') == rows


def test_disclaimer_comes_first_and_is_asked_once(client: Client, buyer) -> None:
    from opscom.provider.models import Disclaimer

    Disclaimer.objects.filter(kind="permit").update(text={"en": "Park straight."})
    set_provider()
    make_sale()
    response = client.get(reverse("permits:list"))
    assert response.status_code == 302
    page = client.get(response.url).content.decode()
    assert "Park straight." in page
    assert "I Agree" in page
