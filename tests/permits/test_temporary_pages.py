"""`Get Temp Permit`, with an account and by the sign's QR code without one."""

import datetime as dt
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse

from opscom.provider.selectors import local_date
from payments.models import Payment
from payments.services.confirming import confirm_payment
from permits.models import Permit, PermitStatus
from tests.factories.payments import offer_method, pay_at_bank
from tests.factories.permits import make_buyer, make_rate_table, make_tax, make_temporary_sale, make_wish, reserve_time

pytestmark = pytest.mark.django_db


@pytest.fixture
def buyer(client: Client):
    person, _ownership = make_buyer()
    client.force_login(person)
    return person


def wish_data(buyer, **fields: object) -> dict[str, object]:
    day = local_date() + dt.timedelta(days=2)
    values = {"way": "hours", "start_day": day.isoformat(), "start_time": "09:00", "hours": 3}
    return values | {"vehicle": buyer.ownerships.order_by("pk").first().code} | fields


def page_of(client: Client, sale, data) -> str:
    return client.get(reverse("permits:temporary", args=[sale.code]), data).content.decode()


def test_the_card_leads_to_the_form(client: Client, buyer) -> None:
    sale = make_temporary_sale(taxes=[make_tax("13")])
    page = client.get(reverse("permits:list")).content.decode()
    assert "Get Temp Permit" in page
    assert "$4.52" in page
    assert reverse("permits:temporary", args=[sale.code]) in page


def test_check_availability_shows_price_times_and_what_is_free_and_reserves_nothing(client: Client, buyer) -> None:
    sale = make_temporary_sale(
        spaces=3, taxes=[make_tax("13")], rate_table=make_rate_table({"rate": Decimal(4)}, maximum_fee=Decimal(10))
    )
    page = page_of(client, sale, wish_data(buyer))
    assert "3 spaces free" in page
    assert "3 hours at $4.00 an hour" in page
    assert "Daily maximum of $10.00" in page
    assert "$11.30" in page
    assert "9 a.m." in page
    assert "noon" in page
    assert not Permit.objects.exists()


def test_reserving_what_was_checked_leads_to_payments(client: Client, buyer) -> None:
    sale = make_temporary_sale()
    answer = client.post(reverse("permits:temporary", args=[sale.code]), wish_data(buyer, price="12.00"))
    assert answer.url == reverse("payments:due")
    permit = Permit.objects.get()
    assert (permit.net, permit.valid_until - permit.valid_from) == (Decimal(12), dt.timedelta(hours=3))
    page = client.get(reverse("permits:detail", args=[permit.code]))
    assert permit.number in page.content.decode()
    assert permit.number in client.get(reverse("payments:due")).content.decode()


@pytest.mark.parametrize("price", ["", "NaN", "-1", "11.99", "1e99"])
def test_another_price_than_shown_reserves_nothing(client: Client, buyer, price: str) -> None:
    sale = make_temporary_sale()
    answer = client.post(reverse("permits:temporary", args=[sale.code]), wish_data(buyer, price=price))
    assert "price has changed" in answer.content.decode()
    assert not Permit.objects.exists()


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"hours": ""}, "Please fill this in."),
        ({"hours": "721"}, "up to 30 days"),
        ({"hours": "99999999999"}, "fewer hours"),
        ({"hours": "-3"}, "greater than or equal to 1"),
        ({"vehicle": "NOTMINE"}, "active vehicles of your own"),
        ({"way": "dates", "first": "2026-01-05", "last": "2026-01-04"}, "must not be before the start"),
        ({"way": "dates", "first": "2026-01-05", "last": "9999-12-31"}, "earlier date"),
        ({"way": "weeks"}, "not one of the available choices"),
    ],
)
def test_what_is_wrong_is_said_at_the_field(client: Client, buyer, fields: dict[str, object], words: str) -> None:
    sale = make_temporary_sale()
    assert words in page_of(client, sale, wish_data(buyer, **fields)).replace("&#x27;", "'")
    assert not Permit.objects.exists()


def test_a_time_that_the_clock_skips_is_named(client: Client, buyer) -> None:
    sale = make_temporary_sale(days_ahead=900)
    page = page_of(client, sale, wish_data(buyer, start_day="2027-03-14", start_time="02:30"))
    assert "this time does not exist" in page
    page = page_of(client, sale, wish_data(buyer, start_day="2026-12-13", start_time="22:00", hours=8))
    assert "EST" in page


def test_thirty_one_days_are_told_to_buy_a_standard_permit(client: Client, buyer) -> None:
    sale = make_temporary_sale()
    first = local_date() + dt.timedelta(days=1)
    data = wish_data(buyer, way="dates", first=first.isoformat(), last=(first + dt.timedelta(days=30)).isoformat())
    page = page_of(client, sale, data)
    assert "buy a standard permit" in page
    assert "Not available" in page


def test_what_is_not_shown_is_not_found(client: Client, buyer) -> None:
    sale = make_temporary_sale()
    sale.lot.is_visible = False
    sale.lot.save()
    assert client.get(reverse("permits:temporary", args=[sale.code])).status_code == 404
    closed = make_temporary_sale(spaces=0)
    assert client.get(reverse("permits:temporary", args=[closed.code])).status_code == 404


@pytest.mark.parametrize("rows", [1, 3])
def test_queries_of_the_check_are_flat(client: Client, buyer, rows: int, django_assert_num_queries) -> None:
    sale = make_temporary_sale(spaces=9, taxes=[make_tax()])
    start = dt.datetime.combine(local_date() + dt.timedelta(days=2), dt.time(9), tzinfo=dt.UTC)
    for row in range(rows):
        reserve_time(make_wish(sale, start=start))
        other = reserve_time(make_wish(sale, buyer, start=start + dt.timedelta(days=row + 1), hours=1))
        assert other.holder == buyer
    data = wish_data(buyer)
    page_of(client, sale, data)
    with django_assert_num_queries(23):
        page_of(client, sale, data)


# By the sign


def guest_data(**fields: object) -> dict[str, object]:
    return {"way": "hours", "start_day": local_date().isoformat(), "hours": 2, "plate": "gst 100"} | {
        "region": "CA-ON",
        **fields,
    }


@pytest.fixture
def at_bank() -> None:
    offer_method("demo-bank", is_for_guests=True)


def test_the_sign_leads_to_what_the_lot_sells(client: Client) -> None:
    sale = make_temporary_sale()
    answer = client.get(reverse("park:lot", args=[sale.lot.code.lower()]))
    assert answer.url == reverse("park:stay", args=[sale.code])
    make_temporary_sale(lot=sale.lot)
    assert client.get(reverse("park:lot", args=[sale.lot.code])).content.decode().count("Get Temp Permit") >= 2
    assert client.get(reverse("park:lot", args=["nowhere"])).status_code == 404
    empty = make_temporary_sale(is_for_guests=False)
    page = client.get(reverse("park:lot", args=[empty.lot.code]))
    assert "No temporary parking is sold here" in page.content.decode()


def test_who_is_signed_in_buys_with_their_account(client: Client, buyer) -> None:
    sale = make_temporary_sale()
    answer = client.get(reverse("park:lot", args=[sale.lot.code]))
    assert answer.url == reverse("permits:temporary", args=[sale.code])


def test_a_guest_pays_and_is_parked(client: Client, at_bank) -> None:
    sale = make_temporary_sale()
    address = reverse("park:stay", args=[sale.code])
    assert "2 hours at $4.00 an hour" in client.get(address, guest_data()).content.decode()
    answer = client.post(address, guest_data(price="8.00", method="demo-bank", email="guest@example.org"))
    assert answer.status_code == 302, answer.content.decode()
    payment = Payment.objects.get()
    pay_at_bank(payment)
    confirm_payment(payment)
    permit = Permit.objects.get()
    assert (permit.status, permit.holder, permit.guest_email) == (PermitStatus.ACTIVE, None, "guest@example.org")
    assert permit.vehicle_links.get().vehicle.plate_key == "GST100"


def test_a_guest_who_comes_back_may_try_again(client: Client, at_bank) -> None:
    sale = make_temporary_sale(spaces=1)
    address = reverse("park:stay", args=[sale.code])
    for _turn in range(2):
        answer = client.post(address, guest_data(price="8.00", method="demo-bank", email="guest@example.org"))
        assert answer.status_code == 302
    assert sorted(Permit.objects.values_list("status", flat=True)) == ["lapsed", "reserved"]
    # The first page at the bank is still open: its money goes back, the second's buys the space.
    first, second = Payment.objects.order_by("pk")
    for payment in (second, first):
        pay_at_bank(payment)
        confirm_payment(payment)
    assert sorted(Permit.objects.values_list("status", flat=True)) == ["active", "lapsed"]
    assert list(first.order.lines.values_list("status", flat=True)) == ["refund_due"]


def test_a_guest_cannot_hoard_spaces(client: Client, at_bank) -> None:
    sale = make_temporary_sale(spaces=50)
    address = reverse("park:stay", args=[sale.code])
    for turn in range(8):
        data = guest_data(price="8.00", method="demo-bank", email="guest@example.org", plate=f"HOARD{turn}")
        answer = client.post(address, data)
    assert answer.status_code == 422
    assert "Too many tries" in answer.content.decode()
    assert Permit.objects.count() == 6


def test_what_is_not_for_guests_is_not_found(client: Client) -> None:
    sale = make_temporary_sale(is_for_guests=False)
    assert client.get(reverse("park:stay", args=[sale.code])).status_code == 404
