"""The page on which a holder ends a permit: it says the sum first, and does what it said or nothing."""

from decimal import Decimal

import pytest

from payments.models import Refund
from permits.models import Permit, PermitStatus
from tests.factories.permits import buy
from tests.permits.test_ending import make_term_sale

pytestmark = pytest.mark.django_db


def test_the_page_shows_the_sum_and_the_button_gives_it_back(client_of):
    permit = buy(make_term_sale())
    client = client_of(permit.holder)
    page = client.get(f"/permits/{permit.code}/end/").content.decode()
    assert "29 of 30 days not begun" in page
    assert "-$5.00" in page
    assert "$53.00" in page

    answer = client.post(f"/permits/{permit.code}/end/", {"shown": "53.00"}, follow=True)

    assert "$53.00 goes back to where it came from." in answer.content.decode()
    permit.refresh_from_db()
    assert permit.status == PermitStatus.ENDED
    assert Refund.objects.get().amount == Decimal("53.00")


@pytest.mark.parametrize("shown", ["", "60.00", "53.01", "-53.00", "NaN", "Infinity", "1e9", "53.000", "x"])
def test_any_other_sum_ends_nothing(client_of, shown):
    permit = buy(make_term_sale())
    answer = client_of(permit.holder).post(f"/permits/{permit.code}/end/", {"shown": shown})
    assert answer.status_code in (302, 422)
    assert Permit.objects.get().status == PermitStatus.ACTIVE
    assert not Refund.objects.exists()


def test_a_stranger_does_not_find_it_and_the_office_is_no_holder(client_of, other_resident, clerk):
    permit = buy(make_term_sale())
    for somebody in (other_resident, clerk):
        assert client_of(somebody).get(f"/permits/{permit.code}/end/").status_code == 404
        assert client_of(somebody).post(f"/permits/{permit.code}/end/", {"shown": "53.00"}).status_code == 404
    assert Permit.objects.get().status == PermitStatus.ACTIVE


def test_where_the_type_does_not_allow_it_the_page_says_so(client_of):
    permit = buy(make_term_sale(may_end_early=False))
    client = client_of(permit.holder)
    assert "runs until its last day" in client.get(f"/permits/{permit.code}/end/").content.decode()
    assert client.post(f"/permits/{permit.code}/end/", {"shown": "53.00"}).status_code == 422
    assert Permit.objects.get().status == PermitStatus.ACTIVE
