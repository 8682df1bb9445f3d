"""`User History`: everything on one account, newest first, flat at any length, and nobody else's."""

import datetime as dt
import re
from html import unescape
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts import history
from accounts.history import PAGE, Place, Window, read_history, read_place
from accounts.models import User
from opscom.core import audit
from opscom.provider.selectors import local_date
from payments.services.refunding import refund_line
from permits.services.holding import give_back_reservation
from tests.factories.merging import give_papers
from tests.factories.permits import make_sale, reserve
from tests.factories.provider import set_provider
from tests.factories.vehicles import make_ownership
from tests.office.money import line_of, pay_for_permit

pytestmark = pytest.mark.django_db
PATH = "/history"
QUERIES = 17


def read(client: Client, **wanted: str) -> str:
    response = client.get(PATH, wanted)
    assert response.status_code == 200, response.content
    return unescape(response.content.decode())


def whats(person: User, **window: Any) -> list[str]:
    return [row.happening.what for row in read_history(person, Window(**window)).rows]


def write_deeds(person: User, count: int, *, days: int = 300) -> None:
    """Write deeds of the past into the log, as time would have: a minute between any two, five in each minute."""
    sql = """
        INSERT INTO core_auditentry (at, action, object_kind, object_id, object_label, actor_id, actor_label, facts, request_id)
        SELECT now() - interval '1 day' - (n / 5) * interval '1 minute', 'person.profile_changed', 'accounts.user', %s, '',
               %s, '', '{}', '' FROM generate_series(1, %s) n
    """
    with connection.cursor() as cursor:
        cursor.execute(sql, [person.pk, person.pk, count])


def walk(client: Client, link: str, address: str = PATH) -> tuple[list[str], str]:
    """Follow `next` or `prev` to the end; returns the instants of all rows on the way, and the last page's text."""
    seen: list[str] = []
    while True:
        text = read_address(client, address)
        seen += re.findall(r'<time datetime="([^"]+)"', text.partition('aria-label="History"')[2])
        onward = re.search(rf'rel="{link}" href="([^"]+)"', text)
        if not onward:
            return seen, address
        address = PATH + unescape(onward[1])


def read_address(client: Client, address: str) -> str:
    return client.get(address).content.decode()


def test_everything_stands_there_newest_first(resident):
    ownership = make_ownership(resident, plate="CKMT 482")
    permit = reserve(make_sale(), resident)
    give_back_reservation(permit=permit, actor=resident)
    assert whats(resident) == ["Permit given back", "Permit reserved", "Vehicle added"]
    assert whats(resident, kind="vehicles") == ["Vehicle added"]
    row = read_history(resident, Window(kind="vehicles")).rows[0]
    assert row.happening.detail == ownership.label


def test_the_confirmation_code_leads_to_the_receipt_and_on_to_the_permit(client_of):
    order = pay_for_permit()
    client = client_of(order.payer)
    text = read(client, kind="payments")
    assert f'Confirmation code <a href="/payments/receipt/{order.code}/">{order.code}</a>' in text
    assert "$100.00" in text
    receipt = client.get(f"/payments/receipt/{order.code}/").content.decode()
    permit = order.payer.permits.get()
    assert f'href="/permits/{permit.code}/"' in receipt
    assert f'href="/permits/{permit.code}/"' in read(client, kind="permits")
    assert client.get(f"/permits/{permit.code}/").status_code == 200


def test_a_refund_stands_there_with_its_state(client_of, clerk):
    order = pay_for_permit()
    refund_line(line=line_of(order), actor=clerk)
    text = read(client_of(order.payer), kind="refunds")
    assert "Refund: To be sent" in text
    assert "$100.00" in text


def test_who_acted_for_me_is_named(client_of, resident, manager, clerk):
    audit.record("vehicle.added", make_ownership(resident), actor=manager, on_behalf_of=resident)
    audit.record("person.changed", resident, actor=clerk)
    text = read(client_of(resident))
    assert "by Priya Raman" in text
    assert "by the parking office" in text
    assert "Clara" not in text
    acting = read_history(resident, Window(kind="acting")).rows
    assert [(row.happening.what, row.by) for row in acting] == [("Vehicle added", "Priya Raman")]


def test_a_deed_that_two_feeds_have_stands_once(resident, manager):
    ownership = make_ownership(resident)
    audit.record("vehicle.changed", ownership, actor=manager, on_behalf_of=resident)
    assert whats(resident).count("Vehicle changed") == 1
    [row] = [row for row in read_history(resident, Window()).rows if row.happening.what == "Vehicle changed"]
    assert row.kind.code == "vehicles"


def test_nothing_of_others_stands_there(client_of, resident, other_resident):
    make_ownership(resident, plate="CKMT 482")
    give_papers(resident)
    for thing in (resident.documents.get(), resident.document_requests.get(), resident.holds.get(), resident):
        audit.record("person.changed", thing, actor=resident, on_behalf_of=resident)
    pay_for_permit()
    assert len(whats(resident)) == 6
    assert whats(other_resident) == []
    assert "Nothing has happened yet" in read(client_of(other_resident))


@pytest.mark.parametrize("rows", [1, 3, 5000])
def test_history_costs_the_same_at_any_length(resident, rows, django_assert_num_queries):
    make_ownership(resident)
    write_deeds(resident, rows)
    with django_assert_num_queries(QUERIES):
        read_history(resident, Window())


def test_a_page_fetches_no_more_than_a_page_of_each_table(resident, monkeypatch):
    write_deeds(resident, 5000)
    fetched: list[int] = []
    whole = history._slice
    monkeypatch.setattr(history, "_slice", lambda *args: fetched.append(len(rows := list(whole(*args)))) or rows)
    place = Place(timezone.now() - dt.timedelta(days=1, minutes=500), "core.auditentry", 10**9)
    assert len(read_history(resident, Window(before=place)).rows) == PAGE
    assert max(fetched) == PAGE + 1


def test_a_page_reads_nobody_elses_rows(resident, other_resident):
    """The planner goes by the index of the record, however long the log is."""
    write_deeds(other_resident, 20000)
    write_deeds(resident, 5000)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE core_auditentry")
        cursor.execute("ANALYZE accounts_user")
    [feed] = [feed for feed in history._feeds(resident, [resident.pk]) if feed.kind.code == "account"][:1]
    plan = history._slice(feed, Window()).explain()
    assert "Seq Scan on core_auditentry" not in plan
    assert "core_auditentry_object" in plan


def test_walking_down_and_up_shows_each_row_once(client_of, resident):
    make_ownership(resident)
    write_deeds(resident, 3 * PAGE + 4)
    client = client_of(resident)
    down, last = walk(client, "next")
    assert len(down) == 3 * PAGE + 5
    assert down == sorted(down, reverse=True)
    up, first = walk(client, "prev", last)
    assert len(up) >= len(down)
    assert set(up) == set(down)
    assert read_history(resident, Window()).newer == ""
    assert first != last


def test_rows_of_one_instant_keep_their_order(resident):
    with connection.cursor() as cursor:
        for kind, pk in (("accounts.user", resident.pk), ("vehicles.ownership", make_ownership(resident).pk)):
            cursor.execute(
                "INSERT INTO core_auditentry (at, action, object_kind, object_id, object_label, actor_label, facts, request_id)"
                " SELECT '2026-10-01 12:00Z', 'x.' || n, %s, %s, '', '', '{}', '' FROM generate_series(1, 40) n",
                [kind, pk],
            )
    whole: list[str] = []
    window: Window | None = Window(until=dt.datetime(2026, 10, 2, tzinfo=dt.UTC))
    while window:
        page = read_history(resident, window)
        whole += [f"{row.record}{row.happening.what}" for row in page.rows]
        window = Window(until=window.until, before=read_place(page.older)) if page.older else None
    assert len(whole) == len(set(whole)) == 80


def test_days_are_the_providers(client_of, resident):
    set_provider(time_zone="America/Vancouver")
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO core_auditentry (at, action, object_kind, object_id, object_label, actor_label, facts, request_id)"
            " VALUES ('2026-10-02 06:30Z', 'person.email_proved', 'accounts.user', %s, '', '', '{}', '')",
            [resident.pk],
        )
    client = client_of(resident)
    text = read(client, first_day="2026-10-01", last_day="2026-10-01")
    assert "E-mail proved" in text
    assert "Oct. 1, 2026, 11:30 p.m." in text
    assert "E-mail proved" not in read(client, first_day="2026-10-02")


def test_history_reaches_as_far_back_as_the_provider_says(client_of, resident):
    set_provider(history_months=3, phone="613 555-0142")
    old = timezone.now() - dt.timedelta(days=120)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO core_auditentry (at, action, object_kind, object_id, object_label, actor_label, facts, request_id)"
            " VALUES (%s, 'person.email_proved', 'accounts.user', %s, '', '', '{}', '')",
            [old, resident.pk],
        )
    client = client_of(resident)
    assert "E-mail proved" not in read(client)
    assert "E-mail proved" not in read(client, first_day=str(local_date(old) - dt.timedelta(days=1)))
    assert "If you need to see more history, you can contact your parking provider." in read(client)
    assert "613 555-0142" in read(client)
    set_provider(history_months=6)
    assert "E-mail proved" in read(client)


@pytest.mark.parametrize("months", [1, 12, 14, 24, 32767])
def test_any_number_of_months_has_a_first_day(months):
    set_provider(history_months=months)
    assert history.first_instant() < timezone.now() - dt.timedelta(days=27)


@pytest.mark.parametrize(
    "wanted",
    [
        {"kind": "nothing"},
        {"first_day": "yesterday"},
        {"first_day": "2026-02-02", "last_day": "2026-02-01"},
        {"first_day": "0001-01-01"},
        {"last_day": "9999-12-31"},
    ],
)
def test_a_wrong_filter_says_so(client_of, resident, wanted):
    response = client_of(resident).get(PATH, wanted)
    assert response.status_code == 422
    assert "Please check what you entered" in response.content.decode()


@pytest.mark.parametrize(
    "place", ["x", "~~", "2026-01-01~a~b", "9999-12-31T23:59:59~a~1", "\x00~\x00~1", "1~2~" + "9" * 99]
)
def test_a_forged_place_is_no_fault(client_of, resident, place):
    client = client_of(resident)
    assert client.get(PATH, {"older": place}).status_code == 200
    assert client.get(PATH, {"newer": place}).status_code == 200


def test_htmx_gets_the_part_that_changes(client_of, resident):
    text = client_of(resident).get(PATH, headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in text
    assert "Filter" in text


def test_the_name_menu_has_its_entry(client_of, resident):
    text = client_of(resident).get("/").content.decode()
    assert f'href="{PATH}"' in text


def test_the_office_sees_the_same_and_further_back(client_of, clerk, officer, resident):
    set_provider(history_months=1)
    order = pay_for_permit()
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO core_auditentry (at, action, object_kind, object_id, object_label, actor_label, facts, request_id)"
            " VALUES ('2020-01-01', 'person.email_proved', 'accounts.user', %s, '', '', '{}', '')",
            [order.payer_id],
        )
    address = f"/admin/accounts/user/{order.payer_id}/user-history/"
    text = unescape(client_of(clerk).get(address).content.decode())
    assert f"/admin/payments/order/{order.pk}/change/" in text
    assert order.code in text
    assert "E-mail proved" in text
    assert "E-mail proved" not in read(client_of(order.payer))
    assert "User History" in client_of(clerk).get(f"/admin/accounts/user/{order.payer_id}/change/").content.decode()
    only = client_of(clerk).get(address, {"kind": "payments"}).content.decode()
    assert "E-mail proved" not in only
    assert client_of(clerk).get(address, {"first_day": "x"}).status_code == 422
    assert client_of(officer).get(address).status_code in (403, 404)
    assert client_of(resident).get(address).status_code == 302
