"""The pages about lockers: the disclaimer first, the picture of the room, the way to the payments, and the history."""

import datetime as dt
from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils import timezone

from lockers.models import Locker, Rental
from tests.factories.companies import log_in_as
from tests.factories.lockers import (
    free_locker,
    let_end,
    make_area,
    make_locker_sale,
    make_term,
    rent_one,
    reserve_one,
)
from tests.factories.payments import offer_method
from tests.factories.provider import set_disclaimer, set_provider

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def bank() -> None:
    offer_method("demo-bank")


@pytest.fixture
def mine(client_of, resident):
    return client_of(resident)


def text(client, address, data=None) -> str:
    return client.get(address, data or {}).content.decode()


def test_the_tab_stands_only_while_lockers_are_rented(mine) -> None:
    assert reverse("lockers:list") not in text(mine, "/")
    assert mine.get(reverse("lockers:list")).status_code == 404
    make_locker_sale()
    assert reverse("lockers:list") in text(mine, "/")
    assert "Active Lockers" in text(mine, "/")


def test_the_disclaimer_comes_first_and_not_again(mine) -> None:
    sale = make_locker_sale()
    set_disclaimer("locker", "Keep no food in it.")
    answer = mine.get(reverse("lockers:list"), follow=True)
    page = answer.content.decode()
    assert "Locker Disclaimer" in page
    assert "I Agree" in page
    assert mine.get(reverse("lockers:choose", args=[sale.code])).status_code == 302
    agree = {"version": answer.context["disclaimer"].version, "next": reverse("lockers:list")}
    mine.post(reverse("provider:agree", args=["locker"]), agree)
    assert "Get Locker" in text(mine, reverse("lockers:list"))


def test_from_the_location_to_payments_due(mine, resident) -> None:
    sale = make_locker_sale()
    page = text(mine, reverse("lockers:list"))
    assert "4 free" in page
    assert "$25.00" in page
    choose = reverse("lockers:choose", args=[sale.code])
    locker = free_locker(sale)
    page = text(mine, choose)
    assert "Reserve Locker" in page
    assert f'value="{locker.pk}"' in page
    answer = mine.post(choose, {"locker": locker.pk}, follow=True)
    page = answer.content.decode()
    assert "Payments Due" in page
    assert "Next" in page
    assert "Continue to Checkout" not in page
    assert f"Locker {locker}" in page
    assert Rental.objects.get().renter == resident


@pytest.mark.parametrize("typed", ["", "0", "999999", "=cmd", "1 OR 1"])
def test_a_choice_that_is_none_is_refused_in_words(mine, typed) -> None:
    answer = mine.post(reverse("lockers:choose", args=[make_locker_sale().code]), {"locker": typed})
    assert answer.status_code == 422
    assert not Rental.objects.exists()


def test_one_that_was_taken_meanwhile_is_refused_in_words(mine, other_resident) -> None:
    rental = reserve_one(other_resident)
    answer = mine.post(reverse("lockers:choose", args=[rental.sale.code]), {"locker": rental.locker_id})
    assert answer.status_code == 422
    assert "taken a moment ago" in answer.content.decode()


def test_the_picture_shows_rows_sizes_and_what_is_taken(mine, other_resident) -> None:
    rental = reserve_one(other_resident)
    Locker.objects.filter(number="L-2").update(size="large", is_accessible=True)
    Locker.objects.filter(number="L-3").update(is_visible=False)
    page = text(mine, reverse("lockers:choose", args=[rental.sale.code]))
    assert page.count("locker taken") == 1
    assert "accessible" in page
    assert "L-3" not in page
    listed = text(mine, reverse("lockers:choose", args=[rental.sale.code]), {"view": "list"})
    assert "Large" in listed
    assert "locker taken" not in listed


def test_the_combination_stands_on_the_renters_page_alone(mine, client_of, other_resident, resident) -> None:
    rental = reserve_one(resident, make_locker_sale(make_area(2, combination="31-41-59")))
    own = reverse("lockers:detail", args=[rental.code])
    assert "31-41-59" not in text(mine, own)
    from tests.factories.lockers import pay_for_locker

    pay_for_locker(rental)
    answer = mine.get(own)
    assert "31-41-59" in answer.content.decode()
    assert "no-store" in answer["Cache-Control"]
    assert client_of(other_resident).get(own).status_code == 404
    let_end(rental)
    assert "31-41-59" not in text(mine, own)


def test_renewed_before_the_general_sale(mine, resident) -> None:
    rental = rent_one(resident)
    opens = timezone.now() + dt.timedelta(days=5)
    later = make_locker_sale(rental.sale.area, term=make_term(100), opens_at=opens, renewal_opens_at=timezone.now())
    assert "Keep locker" in text(mine, reverse("lockers:list"))
    answer = mine.post(reverse("lockers:renew", args=[rental.code]), follow=True)
    assert "is held for you" in answer.content.decode()
    assert Rental.objects.get(sale=later).locker == rental.locker
    assert mine.post(reverse("lockers:choose", args=[later.code]), {"locker": free_locker(later).pk}).status_code == 422


def test_giving_back_asks_first(mine, resident) -> None:
    rental = rent_one(resident)
    address = reverse("lockers:give-back", args=[rental.code])
    assert "no money comes back" in text(mine, address)
    mine.post(address)
    rental.refresh_from_db()
    assert rental.status == "ended"


def test_past_rentals_stand_in_the_history(mine, resident) -> None:
    rental = rent_one(resident)
    let_end(rental)
    page = text(mine, reverse("accounts:history"))
    assert "Locker rental ended" in page
    assert reverse("lockers:detail", args=[rental.code]) in page


@pytest.mark.parametrize("rows", [1, 3])
def test_pages_are_flat(mine, resident, django_assert_max_num_queries, rows) -> None:
    for _row in range(rows):
        sale = make_locker_sale(make_area(4 * rows, deposit=Decimal(20)))
        rental = rent_one(resident, sale)
        make_locker_sale(sale.area, term=make_term(100))
    mine.get("/")
    with django_assert_max_num_queries(QUERIES["list"]):
        mine.get(reverse("lockers:list"))
    with django_assert_max_num_queries(QUERIES["choose"]):
        mine.get(reverse("lockers:choose", args=[sale.code]))
    with django_assert_max_num_queries(QUERIES["detail"]):
        mine.get(reverse("lockers:detail", args=[rental.code]))


QUERIES = {"list": 11, "choose": 12, "detail": 12}


def test_switched_off_the_rented_one_is_still_shown(mine, resident) -> None:
    rental = rent_one(resident)
    set_provider(is_lockers_on=False)
    assert mine.get(reverse("lockers:detail", args=[rental.code])).status_code == 200
    assert mine.get(reverse("lockers:choose", args=[rental.sale.code])).status_code == 404


def test_office_that_acts_for_the_renter_does_not_see_the_combination(client_of, resident, manager) -> None:
    """A manager who works for the office, too, looks on the office's site, where it is written down."""
    rental = rent_one(resident, make_locker_sale(make_area(2, combination="31-41-59")))
    browser = client_of(manager)
    log_in_as(browser, resident)
    own = reverse("lockers:detail", args=[rental.code])
    assert "31-41-59" in text(browser, own)
    manager.is_staff = True
    manager.save(update_fields=["is_staff"])
    page = text(browser, own)
    assert "31-41-59" not in page
    assert "shown to the renter only" in page
