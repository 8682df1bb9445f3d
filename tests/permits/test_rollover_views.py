"""The switch `Permit Rollover` on the permit's page and under `Manage Credit Cards`."""

import pytest
from django.urls import reverse

from accounts.models import User
from permits.models import Permit, PermitStatus, PermitType, Rollover
from permits.services.rollover import switch_on
from tests.factories.companies import log_in_as
from tests.factories.permits import reserve
from tests.factories.rollover import buy_monthly, make_monthly_sale, renewal_of, shift, take_steps
from tests.factories.stored import ROLLOVER, offer_storing, store_card
from tests.factories.vehicles import make_ownership

pytestmark = pytest.mark.django_db


@pytest.fixture
def permit(resident: User) -> Permit:
    make_ownership(resident)
    return buy_monthly(buyer=resident)


@pytest.fixture
def browser(client_of, resident):
    return client_of(resident)


def page_of(permit: Permit) -> str:
    return reverse("permits:detail", args=[permit.code])


def post(browser, permit: Permit, on: str, **more: str):
    return browser.post(reverse("permits:rollover", args=[permit.code]), {"on": on, **more}, follow=True)


def is_on(permit: Permit) -> bool:
    return Rollover.objects.filter(permit=permit, is_on=True).exists()


def test_on_and_off_on_the_permit_s_page(browser, permit):
    page = browser.get(page_of(permit)).content.decode()
    assert "Permit Rollover" in page
    assert 'aria-checked="false"' in page
    assert "$100.00" in page
    page = post(browser, permit, "yes").content.decode()
    assert is_on(permit)
    assert 'aria-checked="true"' in page
    page = post(browser, permit, "no").content.decode()
    assert not is_on(permit)
    assert "ends after" in page


def test_a_double_click_is_one_click(browser, permit):
    for _click in range(2):
        post(browser, permit, "yes")
    assert is_on(permit)
    for _click in range(2):
        post(browser, permit, "no")
    assert not is_on(permit)


def test_under_manage_credit_cards_and_back_there(browser, permit):
    page = browser.get(reverse("payments:cards")).content.decode()
    assert f"{permit.number} · " in page
    answer = post(browser, permit, "yes", back="cards")
    assert answer.redirect_chain[-1][0] == reverse("payments:cards")
    assert "Renews on" in answer.content.decode()
    assert is_on(permit)


def test_without_anything_that_pays_it_leads_there_and_says_why(browser, resident):
    make_ownership(resident)
    permit = buy_monthly(buyer=resident, card="")
    answer = post(browser, permit, "yes")
    assert answer.redirect_chain[-1][0] == reverse("payments:cards")
    assert "First choose what pays for Permit Rollover" in answer.content.decode()
    assert not is_on(permit)


def test_other_types_have_no_switch(browser, permit):
    PermitType.objects.update(is_rollover_offered=False)
    assert "Permit Rollover</h2>" not in browser.get(page_of(permit)).content.decode()
    post(browser, permit, "yes")
    assert not is_on(permit)


def test_a_reservation_has_no_switch(browser, resident):
    make_ownership(resident)
    offer_storing()
    permit = reserve(make_monthly_sale(), resident)
    store_card(resident, ROLLOVER)
    assert "rollover-heading" not in browser.get(page_of(permit)).content.decode()
    post(browser, permit, "yes")
    assert not is_on(permit)


def test_a_stranger_finds_nothing(client_of, other_resident, permit):
    browser = client_of(other_resident)
    assert post(browser, permit, "yes").status_code == 404
    assert not is_on(permit)


def test_a_link_switches_nothing(browser, permit):
    assert browser.get(reverse("permits:rollover", args=[permit.code])).status_code == 405
    assert not is_on(permit)


def test_who_acts_for_the_person_neither_sees_nor_moves_the_switch(client_of, manager, resident, permit):
    browser = client_of(manager)
    log_in_as(browser, resident)
    assert 'role="switch"' not in browser.get(page_of(permit)).content.decode()
    assert browser.post(reverse("permits:rollover", args=[permit.code]), {"on": "yes"}).status_code == 403
    assert not is_on(permit)


def test_the_page_of_the_next_period_carries_the_same_switch(browser, permit):
    switch_on(permit=permit, actor=permit.holder)
    shift(permit, 7)
    take_steps()
    renewal = renewal_of(permit)
    page = browser.get(page_of(renewal)).content.decode()
    assert "The next period is reserved" in page
    post(browser, renewal, "no")
    renewal.refresh_from_db()
    assert (is_on(permit), renewal.status) == (False, PermitStatus.CANCELLED)


def test_the_page_says_why_it_cannot_be_renewed(browser, permit):
    switch_on(permit=permit, actor=permit.holder)
    permit.holder.ownerships.update(is_active=False)
    assert "Choose active vehicles of your own." in browser.get(page_of(permit)).content.decode()


def test_the_next_period_is_in_the_cart_and_can_be_given_back(browser, permit):
    switch_on(permit=permit, actor=permit.holder)
    shift(permit, 7)
    take_steps()
    renewal = renewal_of(permit)
    assert permit.number in browser.get(reverse("payments:due")).content.decode()
    browser.post(reverse("permits:give-back", args=[renewal.code]))
    assert not is_on(permit)


@pytest.mark.parametrize("count", [1, 3])
def test_switches_cost_the_same_for_one_and_three(
    count, resident, client_of, django_assert_max_num_queries, django_assert_num_queries
):
    from payments.switches import switches_of

    make_ownership(resident)
    for _number in range(count):
        buy_monthly(buyer=resident)
    with django_assert_num_queries(1):
        [group] = switches_of(resident)
    assert len(group.switches) == count
