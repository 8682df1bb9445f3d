"""On a lot's page: why it is, or is not, for sale to a user type."""

import datetime as dt

import pytest
from django.utils import timezone

from opscom.provider.models import Lot
from opscom.provider.selectors import local_date
from permits.eligibility import sale_conditions
from permits.models import Closure, Sale
from tests.factories.accounts import make_user_type
from tests.factories.permits import make_lot, make_permit_type, make_sale, reserve
from tests.factories.vehicles import make_owner

pytestmark = pytest.mark.django_db

NOW = timezone.now()
DAY = dt.timedelta(days=1)


def hide_lot(sale):
    Lot.objects.filter(pk=sale.lot_id).update(is_visible=False)


def stop_type(sale):
    type(sale.permit_type).objects.filter(pk=sale.permit_type_id).update(is_active=False)


def change_sale(**fields):
    return lambda sale: Sale.objects.filter(pk=sale.pk).update(**fields)


def restrict_type(sale):
    sale.permit_type.user_types.set([make_user_type("staff")])


def drop_numbers(sale):
    sale.slots.all().delete()


def fix_terms(sale):
    type(sale.permit_type).objects.filter(pk=sale.permit_type_id).update(term_kind="fixed")


def end_dates(sale):
    today = local_date()
    change_sale(valid_from=today - 9 * DAY, valid_until=today)(sale)


def take_all(sale):
    for _number in range(2):
        reserve(sale)


def close_lot(sale):
    Closure.objects.create(
        lot=sale.lot, starts_at=NOW - DAY, ends_at=NOW + DAY, reason="snow", made_by=make_owner(first_name="Office")
    )


# What is planted -> the conditions that then fail, and what the page says of the whole.
FAULTS = {
    "lot_visible": (hide_lot, ["The lot is visible"], "Not shown."),
    "type_active": (stop_type, ["The permit type is in use"], "Not shown."),
    "sale_active": (change_sale(is_active=False), ["The sale is switched on"], "Not shown."),
    "user_type": (restrict_type, ["The permit type is for this user type"], "Not shown."),
    "allotted": (drop_numbers, ["Permit numbers are allotted to the sale", "A number is free"], "Not shown."),
    "dates_set": (fix_terms, ["A sale of fixed terms has its dates"], "Not shown."),
    "opened": (change_sale(opens_at=NOW + DAY), ["The sale has opened"], "Shown, but not for sale: On sale from"),
    "not_closed": (
        change_sale(closes_at=NOW - dt.timedelta(hours=1)),
        ["The sale has not closed"],
        "Shown, but not for sale: The sale ended on",
    ),
    "not_over": (end_dates, ["Its dates are not over"], "Not shown."),
    "closed": (close_lot, ["The lot is not closed now"], "Shown, but not for sale: The lot is closed until"),
    "free": (take_all, ["A number is free"], "Shown, but not for sale: Full"),
}


def failing(text: str) -> list[str]:
    """Return the conditions that the page marks as failing."""
    rows = text.split('<li class="office-failing">')[1:]
    return [row.split("</li>")[0].split("<span>")[1].split("<")[0].strip() for row in rows]


def open_lot(page_of, person, sale, user_type):
    return page_of(person, f"/admin/provider/lot/{sale.lot_id}/change/", user_type=user_type.pk)


@pytest.mark.parametrize("code", FAULTS)
def test_the_page_names_the_condition_that_fails(page_of, clerk, code):
    sale, user_type = make_sale(numbers=2), make_user_type("student")
    assert failing(open_lot(page_of, clerk, sale, user_type)) == []
    plant, names, outcome = FAULTS[code]
    plant(sale)
    text = open_lot(page_of, clerk, sale, user_type)
    assert failing(text) == names
    assert outcome in text


def test_every_condition_has_its_fault():
    sale = Sale(lot=make_lot(), permit_type=make_permit_type(), opens_at=NOW)
    conditions = sale_conditions(sale, None, now=NOW, allotted=1, free=1)
    assert {condition.code for condition in conditions} == set(FAULTS)


def test_the_type_that_new_people_get_is_chosen_first(page_of, clerk):
    sale = make_sale()
    sale.permit_type.user_types.set([make_user_type("student", is_default=True)])
    address = f"/admin/provider/lot/{sale.lot_id}/change/"
    assert "Shown and for sale." in page_of(clerk, address)
    assert failing(page_of(clerk, address, user_type="none")) == ["The permit type is for this user type"]


def test_a_lot_without_a_sale_says_so(page_of, clerk):
    text = page_of(clerk, f"/admin/provider/lot/{make_lot().pk}/change/", user_type="7; drop")
    assert "no sale has been made for this lot" in text


def test_who_may_not_see_sales_gets_no_checklist(page_of, officer):
    assert "office-check" not in page_of(officer, f"/admin/provider/lot/{make_sale().lot_id}/change/")
