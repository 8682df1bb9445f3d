"""The office's pages about rolling a sale: choose, look, export, run with the password, watch, stop."""

import datetime as dt

import pytest
from django.urls import reverse

from opscom.provider.selectors import local_date
from permits.models import Permit, PermitStatus, RollRun, RollStatus, Sale
from permits.tasks import roll_sales
from tests.factories.permits import make_buyer, make_lot, make_permit_type, make_sale, reserve
from tests.factories.rollover import pay_permit
from tests.factories.stored import offer_storing

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)
PASSWORD = "correct-horse-9"


@pytest.fixture
def terms() -> tuple[Sale, Sale]:
    offer_storing()
    lot, kind, end = make_lot(), make_permit_type(term_kind="fixed"), local_date() + 20 * DAY
    fall = make_sale(lot=lot, permit_type=kind, valid_from=local_date() - 60 * DAY, valid_until=end)
    return fall, make_sale(lot=lot, permit_type=kind, valid_from=end, valid_until=end + 90 * DAY)


@pytest.fixture
def office(administrator, client_of):
    administrator.set_password(PASSWORD)
    administrator.save()
    return client_of(administrator)


def hold(sale: Sale, **person) -> Permit:
    permit = reserve(sale, make_buyer(**person)[0])
    pay_permit(permit)
    return permit


def page(sale: Sale, target: Sale | None = None, **more: str) -> str:
    address = reverse("admin:permits_sale_roll", args=[sale.pk])
    if target is None:
        return address
    values = {"target": target.pk, "pay_by": (local_date() + 10 * DAY).isoformat(), **more}
    return f"{address}?{'&'.join(f'{name}={value}' for name, value in values.items())}"


def test_it_asks_into_which_sale(office, terms):
    answer = office.get(page(terms[0]))
    assert answer.status_code == 200
    assert str(terms[1].valid_from) in answer.content.decode()


def test_it_shows_who_and_how_much_and_why_not(office, terms):
    fall, winter = terms
    good = hold(fall)
    bad = hold(fall)
    bad.holder.ownerships.update(is_active=False)
    text = office.get(page(fall, winter)).content.decode()
    assert good.number in text
    assert "$100.00" in text
    assert "Choose active vehicles of your own." in text
    assert not RollRun.objects.exists()


def test_days_that_make_no_sense_are_named_at_their_field(office, terms):
    fall, winter = terms
    answer = office.get(page(fall, winter, pay_by="2020-01-01"))
    assert answer.status_code == 422
    assert "The last day to pay is over." in answer.content.decode()
    assert office.get(page(winter, fall)).status_code == 422


def test_the_export_holds_everybody_and_runs_nothing(office, terms):
    fall, winter = terms
    hold(fall, first_name="=HYPERLINK")
    answer = office.get(page(fall, winter, format="csv"))
    assert answer["Content-Type"].startswith("text/csv")
    text = answer.content.decode()
    assert "'=HYPERLINK" in text
    assert "100.00" in text


def test_it_runs_with_the_password_and_shows_how_far_it_is(office, terms):
    fall, winter = terms
    permit = hold(fall)
    assert office.post(page(fall, winter), {"password": "wrong"}).status_code == 422
    assert not RollRun.objects.exists()
    answer = office.post(page(fall, winter), {"password": PASSWORD})
    run = RollRun.objects.get()
    assert answer["Location"] == reverse("admin:permits_rollrun_change", args=[run.pk])
    text = office.get(answer["Location"]).content.decode()
    assert "0 / 1" in text
    assert 'hx-trigger="every 2s"' in text
    roll_sales()
    progress = office.get(reverse("admin:permits_rollrun_progress", args=[run.pk])).content.decode()
    assert "1 / 1" in progress
    assert "hx-trigger" not in progress
    assert Permit.objects.get(renews=permit).status == PermitStatus.RESERVED


def test_it_can_be_stopped(office, terms):
    fall, winter = terms
    hold(fall)
    office.post(page(fall, winter), {"password": PASSWORD})
    run = RollRun.objects.get()
    office.post(reverse("admin:permits_rollrun_stop", args=[run.pk]))
    run.refresh_from_db()
    assert run.status == RollStatus.STOPPED
    assert not Permit.objects.filter(sale=winter).exists()


def test_a_clerk_looks_and_does_not_roll(clerk, client_of, terms):
    fall, winter = terms
    hold(fall)
    browser = client_of(clerk)
    assert browser.get(page(fall, winter)).status_code == 403
    assert browser.post(page(fall, winter), {"password": "x"}).status_code == 403
    assert browser.get(reverse("admin:permits_rollrun_changelist")).status_code == 200
    assert not RollRun.objects.exists()


@pytest.mark.parametrize("count", [1, 3])
def test_the_look_costs_the_same_for_one_and_three(count, office, terms, django_assert_max_num_queries):
    fall, winter = terms
    for _person in range(count):
        hold(fall)
    office.get(page(fall, winter))
    with django_assert_max_num_queries(32) as seen:
        office.get(page(fall, winter))
    LOOKS.add(len(seen))
    assert len(LOOKS) == 1


LOOKS: set[int] = set()
