"""The resident's pages of waitlists and offers: who sees what, and what comes of each button."""

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from permits.models import EntryStatus, Permit, WaitlistEntry
from permits.services.holding import end_next
from permits.services.promoting import promote_everywhere
from tests.factories.permits import (
    make_buyer,
    make_full_sale,
    make_lot,
    make_permit_type,
    make_sale,
    reserve,
    set_provider,
    wait_for,
)
from tests.factories.vehicles import make_ownership

pytestmark = pytest.mark.django_db


def free(permit: Permit) -> None:
    now = timezone.now()
    Permit.objects.filter(pk=permit.pk).update(
        valid_until=now - dt.timedelta(seconds=1), valid_from=now - dt.timedelta(days=9)
    )
    end_next()
    promote_everywhere()


def join(client, sale, person, **data):
    chosen = {f"{sale.code}-vehicles": person.ownerships.order_by("pk").first().code} | data
    return client.post(reverse("permits:join", args=[sale.code]), chosen, follow=True)


def lots(client) -> str:
    return client.get(reverse("permits:list")).content.decode()


def test_join_and_see_the_place_change_without_reload(client_of):
    sale, _permit = make_full_sale()
    ahead = wait_for(sale)
    person, _ownership = make_buyer()
    client = client_of(person)
    assert "You&#x27;d be 2nd" in lots(client) or "You'd be 2nd" in lots(client)
    join(client, sale, person)
    entry = WaitlistEntry.objects.get(person=person)
    live = reverse("permits:standing", args=[entry.code])
    assert live in lots(client)
    assert "<strong>2nd</strong>" in client.get(live).content.decode()
    client_of(ahead.person).post(reverse("permits:leave", args=[ahead.code]))
    page = client.get(live).content.decode()
    assert "<strong>1st</strong>" in page
    assert f'id="rank-{entry.code}"' in page


def test_full_stands_in_place_of_the_price_and_leads_to_the_list(client_of):
    sale, _permit = make_full_sale()
    page = lots(client_of(make_buyer()[0]))
    assert f'href="#waitlist-{sale.code}"' in page
    assert f'id="waitlist-{sale.code}"' in page


def test_ranks_are_hidden_where_the_provider_wants(client_of):
    set_provider(is_waitlist_rank_shown=False)
    sale, _permit = make_full_sale()
    person, _ownership = make_buyer()
    client = client_of(person)
    assert "You'd be" not in lots(client)
    join(client, sale, person)
    entry = WaitlistEntry.objects.get(person=person)
    for page in (lots(client), client.get(reverse("permits:standing", args=[entry.code])).content.decode()):
        assert "1st" not in page


def test_a_second_click_joins_once_and_says_so(client_of):
    sale, _permit = make_full_sale()
    person, _ownership = make_buyer()
    client = client_of(person)
    join(client, sale, person)
    assert "on this waitlist already" in join(client, sale, person).content.decode()
    assert WaitlistEntry.objects.count() == 1


@pytest.mark.parametrize("vehicle", ["", "NOBODYS", "theirs"])
def test_a_vehicle_that_is_not_ones_own_is_no_choice(client_of, vehicle):
    sale, _permit = make_full_sale()
    person, _ownership = make_buyer()
    make_ownership(person)
    theirs = make_buyer()[1].code
    join(client_of(person), sale, person, **{f"{sale.code}-vehicles": theirs if vehicle == "theirs" else vehicle})
    assert not WaitlistEntry.objects.exists()


def test_strangers_find_nothing_and_links_change_nothing(client_of):
    sale, permit = make_full_sale()
    entry = wait_for(sale)
    stranger = client_of(make_buyer()[0])
    for view in ("standing", "leave"):
        assert stranger.get(reverse(f"permits:{view}", args=[entry.code])).status_code == 404
    assert stranger.post(reverse("permits:leave", args=[entry.code])).status_code == 404
    free(permit)
    code = entry.offers.get().permit.code
    for view in ("offer", "decline"):
        assert stranger.get(reverse(f"permits:{view}", args=[code])).status_code == 404
    assert stranger.post(reverse("permits:decline", args=[code]), {}).status_code == 404
    own = client_of(entry.person)
    own.get(reverse("permits:decline", args=[code]))
    assert own.get(reverse("permits:join", args=[sale.code])).status_code == 405
    entry.refresh_from_db()
    assert entry.status == EntryStatus.OFFERED


@pytest.mark.parametrize(("sent", "status"), [({"stays": "1"}, EntryStatus.OFFERED), ({}, EntryStatus.LEFT)])
def test_declining_by_either_button_twice(client_of, sent, status):
    """The only one in line who stays is offered the number again."""
    sale, permit = make_full_sale()
    entry = wait_for(sale)
    free(permit)
    address = reverse("permits:decline", args=[entry.offers.get().permit.code])
    client = client_of(entry.person)
    client.post(address, sent)
    promote_everywhere()
    again = client.post(address, follow=True)
    assert "This offer is over" in again.content.decode()
    entry.refresh_from_db()
    assert entry.status == status


def test_an_offer_is_in_the_cart_and_says_what_is_given_back(client_of):
    from tests.factories.permits import activate

    old_sale = make_sale(permit_type=make_permit_type(limit_group="one"))
    sale, permit = make_full_sale(permit_type=make_permit_type(limit_group="one"))
    person, _ownership = make_buyer()
    old = activate(reserve(old_sale, person))
    entry = wait_for(sale, person)
    free(permit)
    offered = entry.offers.get().permit
    client = client_of(person)
    assert offered.number in client.get(reverse("payments:due")).content.decode()
    page = client.get(reverse("permits:offer", args=[offered.code])).content.decode()
    assert old.number in page
    assert "give permit" in page


def test_without_a_vehicle_it_cannot_be_paid_yet(client_of):
    sale, permit = make_full_sale()
    entry = wait_for(sale)
    entry.person.ownerships.update(is_active=False)
    free(permit)
    offered = entry.offers.get().permit
    assert not offered.vehicle_links.exists()
    make_ownership(entry.person)
    client = client_of(entry.person)
    assert "names no vehicle yet" in client.get(reverse("payments:due")).content.decode()
    assert client.get(reverse("permits:offer", args=[offered.code])).status_code == 200


def test_lots_with_lists_cost_the_same_for_one_and_three(client_of):
    person, _ownership = make_buyer()
    kind = make_permit_type(max_per_person=9)
    client = client_of(person)
    costs = []
    for rows in (1, 2):
        for _one in range(rows):
            sale, _permit = make_full_sale(lot=make_lot(), permit_type=kind)
            wait_for(sale, person)
        lots(client)
        with CaptureQueriesContext(connection) as seen:
            lots(client)
        costs.append(len(seen))
    assert costs[0] == costs[1]
