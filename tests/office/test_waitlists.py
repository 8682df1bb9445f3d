"""The office's pages about waitlists: counts, the line, picking, more time, withdrawing, classes."""

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from opscom.core.models import AuditEntry
from opscom.messaging.models import Message
from opscom.provider.selectors import get_time_zone
from permits.models import EntryStatus, Permit, WaitlistEntry, WaitlistOffer
from permits.services.holding import end_next
from permits.services.promoting import promote_everywhere
from tests.factories.accounts import make_hold
from tests.factories.permits import make_full_sale, make_permit_type, set_provider, wait_for

pytestmark = pytest.mark.django_db


def free(permit: Permit) -> None:
    now = timezone.now()
    Permit.objects.filter(pk=permit.pk).update(
        valid_until=now - dt.timedelta(seconds=1), valid_from=now - dt.timedelta(days=9)
    )
    end_next()
    promote_everywhere()


def page_of(entry: WaitlistEntry, deed: str) -> str:
    return reverse(f"admin:permits_waitlistentry_{deed}", args=[entry.pk])


@pytest.fixture
def line() -> list[WaitlistEntry]:
    """Three who wait where the office picks, and one number that is kept for them."""
    set_provider(is_waitlist_managed=True, waitlist_emails="lists@example.org")
    sale, permit = make_full_sale(permit_type=make_permit_type(term_kind="rolling_months"))
    entries = [wait_for(sale) for _one in range(3)]
    free(permit)
    return entries


def test_the_list_counts_and_its_page_shows_the_line(client_of, administrator, line):
    client = client_of(administrator)
    page = client.get(reverse("admin:permits_waitlist_changelist")).content.decode()
    assert ">3</a>" in page
    page = client.get(reverse("admin:permits_waitlist_change", args=[line[0].waitlist_id])).content.decode()
    assert [page.index(str(entry.person)) for entry in line] == sorted(page.index(str(entry.person)) for entry in line)
    assert "Numbers kept for this list" in page


def test_list_and_line_cost_the_same_for_one_and_three(client_of, administrator):
    sale, _permit = make_full_sale()
    client = client_of(administrator)
    costs = []
    for rows in (1, 2):
        entries = [wait_for(sale) for _one in range(rows)]
        addresses = [
            reverse("admin:permits_waitlist_changelist"),
            reverse("admin:permits_waitlist_change", args=[entries[0].waitlist_id]),
            reverse("admin:permits_waitlistentry_changelist"),
        ]
        for address in addresses:
            client.get(address)
        with CaptureQueriesContext(connection) as seen:
            for address in addresses:
                client.get(address)
        costs.append(len(seen))
    assert costs[0] == costs[1]


def test_the_first_in_line_is_picked_without_a_reason(client_of, administrator, line):
    client_of(administrator).post(page_of(line[0], "offer"), {"reason": ""})
    offer = WaitlistOffer.objects.get()
    assert (offer.entry, offer.offered_by, offer.skip_reason) == (line[0], administrator, "")


def test_out_of_order_needs_a_reason_that_is_kept(client_of, administrator, line):
    client = client_of(administrator)
    refused = client.post(page_of(line[1], "offer"), {"reason": "  "})
    assert (refused.status_code, WaitlistOffer.objects.count()) == (422, 0)
    client.post(page_of(line[1], "offer"), {"reason": "Wheelchair"})
    assert WaitlistOffer.objects.get().skip_reason == "Wheelchair"
    assert AuditEntry.objects.get(action="waitlist.offered").facts["reason"] == "Wheelchair"
    # There was one number.
    refused = client.post(page_of(line[0], "offer"), {"reason": ""})
    assert "No number is kept" in refused.content.decode()


def test_who_may_not_have_it_is_not_picked_and_the_page_says_why(client_of, administrator, line):
    make_hold(line[0].person)
    refused = client_of(administrator).post(page_of(line[0], "offer"), {"reason": ""})
    assert refused.status_code == 422
    assert "on hold" in refused.content.decode()


def test_more_time_and_withdrawing(client_of, administrator, line):
    client = client_of(administrator)
    client.post(page_of(line[0], "offer"), {"reason": ""})
    later = (timezone.now() + dt.timedelta(days=20)).astimezone(get_time_zone()).replace(second=0, microsecond=0)
    client.post(page_of(line[0], "extend"), {"until_0": later.date().isoformat(), "until_1": "12:00"})
    offer = WaitlistOffer.objects.get()
    shown = offer.deadline.astimezone(get_time_zone())
    assert (shown.date(), shown.hour) == (later.date(), 12), "typed at the provider's clock"
    client.post(page_of(line[0], "release"), {"reason": "A mistake"})
    line[0].refresh_from_db()
    assert line[0].status == EntryStatus.WAITING
    assert Message.objects.filter(template="permits/waitlist_released").count() == 1
    deeds = AuditEntry.objects.filter(action__in=["waitlist.extended", "waitlist.released"])
    assert [deed.actor for deed in deeds] == [administrator] * 2


def test_another_class_and_off_the_list_with_reasons(client_of, administrator, line):
    client = client_of(administrator)
    for wrong in (
        {"priority": "-1", "reason": "x"},
        {"priority": "1e9", "reason": "x"},
        {"priority": "1", "reason": ""},
    ):
        assert client.post(page_of(line[2], "change_class"), wrong).status_code == 422
    client.post(page_of(line[2], "change_class"), {"priority": "1", "reason": "Night shift"})
    assert line[0].waitlist.entries.in_line().first() == line[2]
    assert client.post(page_of(line[1], "take_off"), {"reason": ""}).status_code == 422
    client.post(page_of(line[1], "take_off"), {"reason": "Moved away"})
    line[1].refresh_from_db()
    assert line[1].status == EntryStatus.REMOVED
    assert Message.objects.get(template="permits/waitlist_removed").context["reason"] == "Moved away"


def test_the_first_page_names_numbers_that_wait_for_a_pick(client_of, administrator, line):
    client = client_of(administrator)
    assert "Numbers to offer from waitlists" in client.get(reverse("admin:index")).content.decode()
    client.post(page_of(line[0], "offer"), {"reason": ""})
    assert "Numbers to offer from waitlists" not in client.get(reverse("admin:index")).content.decode()


def test_an_officer_picks_nobody(client_of, officer, line):
    assert client_of(officer).post(page_of(line[0], "offer"), {"reason": ""}).status_code in (302, 403, 404)
    assert not WaitlistOffer.objects.exists()


def test_the_office_is_told_of_a_lapsed_offer(client_of, administrator, line):
    client_of(administrator).post(page_of(line[0], "offer"), {"reason": ""})
    Permit.objects.filter(offer__isnull=False).update(held_until=timezone.now() - dt.timedelta(seconds=1))
    from permits.tasks import release_lapsed_holds

    release_lapsed_holds()
    assert Message.objects.filter(template="permits/waitlist_office_lapsed", to="lists@example.org").count() == 1
