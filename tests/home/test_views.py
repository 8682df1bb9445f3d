import datetime as dt

import pytest
from django.urls import reverse
from django.utils import timezone

from tests.factories.accounts import make_user_type
from tests.factories.permits import make_sale, reserve
from tests.factories.vehicles import make_ownership, set_provider
from tests.home.helpers import make_active

HOME = "/"
QUERIES = 12


@pytest.fixture
def resident(resident):
    """The resident, of a type that may have many vehicles."""
    resident.user_type = make_user_type(max_active_vehicles=9)
    resident.save()
    return resident


@pytest.fixture
def page(client_of, resident):
    """Return a function that reads the first page of `resident` as text."""
    return lambda: client_of(resident).get(HOME).content.decode()


def test_a_stranger_is_led_to_sign_in(anonymous):
    response = anonymous.get(HOME)
    assert (response.status_code, response.url) == (302, f"{reverse('account_login')}?next=/")


def test_a_new_person_is_told_what_to_do_next(page):
    text = page()
    assert "No vehicles yet" in text
    assert "No permit at the moment" in text


def test_cards_show_this_account_only(page, resident, other_resident):
    make_ownership(resident, plate="MINE 1")
    make_ownership(other_resident, plate="THEIRS 1")
    mine, theirs = make_active(resident), make_active(other_resident)
    text = page()
    assert "MINE 1" in text
    assert mine.number in text
    assert "THEIRS 1" not in text
    assert theirs.number not in text


def test_permit_number_opens_its_window(page, resident):
    make_ownership(resident)
    permit = make_active(resident)
    assert f'href="{reverse("permits:detail", args=[permit.code])}">{permit.number}</a>' in page()


def test_what_is_held_is_named_with_its_time_and_in_the_cart(page, resident):
    make_ownership(resident)
    permit = reserve(make_sale(numbers=1), resident)
    text = page()
    assert "is held for you until" in text
    assert "$100.00" in text
    assert permit.number not in text.split("Active Permits")[1]


def test_a_permit_that_is_over_has_left(page, resident):
    make_ownership(resident)
    permit = make_active(resident)
    now = timezone.now()
    type(permit).objects.filter(pk=permit.pk).update(valid_from=now - dt.timedelta(days=9), valid_until=now)
    assert permit.number not in page()


@pytest.mark.parametrize("rows", [1, 3])
def test_queries_are_flat(rows, client_of, resident, django_assert_num_queries):
    for _ in range(rows):
        make_ownership(resident)
        make_active(resident)
    client = client_of(resident)
    client.get(HOME)
    with django_assert_num_queries(QUERIES):
        client.get(HOME)


def test_long_lists_say_how_many_more(page, resident):
    for _ in range(7):
        make_ownership(resident)
    assert "and 2 more" in page()


def test_provider_css_is_for_everyone_and_kept_by_its_name(anonymous, db):
    set_provider(colour="#FFD400")
    response = anonymous.get("/provider.css?v=ffd400")
    assert response["Content-Type"] == "text/css"
    assert "--brand: #ffd400; --brand-ink: #000000;" in response.content.decode()
    assert "immutable" in response["Cache-Control"]
    assert "immutable" not in anonymous.get("/provider.css?v=111111")["Cache-Control"]
