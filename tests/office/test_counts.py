"""Each figure of the counts is what its list holds; a month shows the most at one instant; no cell is a formula."""

import datetime as dt
import io

import openpyxl
import pytest
from django.urls import reverse
from django.utils import timezone

from opscom.provider.selectors import local_date, start_of_day
from permits import counts
from permits.counts import FIGURES, Chosen, count_all
from permits.models import Permit, PermitStatus
from tests.factories.permits import (
    make_buyer,
    make_full_sale,
    make_lot,
    make_sale,
    make_temporary_sale,
    make_wish,
    offered_to,
    reserve,
    reserve_time,
    wait_for,
)

pytestmark = pytest.mark.django_db


def activate_now(permit: Permit, **changes) -> Permit:
    values = {"status": PermitStatus.ACTIVE, "activated_at": timezone.now(), "held_until": None} | changes
    Permit.objects.filter(pk=permit.pk).update(**values)
    permit.refresh_from_db()
    return permit


@pytest.fixture
def a_bit_of_all() -> None:
    sale, _permit = make_full_sale()
    wait_for(sale), wait_for(sale)
    offered_to(make_buyer()[0])
    open_sale = make_sale(numbers=4)
    reserve(open_sale)
    temporary = make_temporary_sale()
    activate_now(reserve_time(make_wish(temporary)), valid_from=timezone.now() - dt.timedelta(hours=1))
    activate_now(reserve_time(make_wish(temporary, start=timezone.now() + dt.timedelta(days=3))))


def test_each_figure_is_what_its_list_holds(client_of, administrator, a_bit_of_all) -> None:
    client, now = client_of(administrator), timezone.now()
    rows = count_all(Chosen(), now)
    seen = set()
    for row in rows:
        for name in FIGURES:
            count, link = getattr(row, name), row.links.get(name)
            if link is None:
                assert count == 0
                continue
            answer = client.get(link)
            assert answer.status_code == 200, (name, link)
            assert answer.context["cl"].result_count == count, (name, link)
            seen |= {name} if count else set()
    assert seen == set(FIGURES), "the test has every figure"


def test_filters_narrow_the_figures(client_of, clerk) -> None:
    one, _other = make_sale(numbers=2), make_sale(numbers=3)
    client, page = client_of(clerk), reverse("admin:permits_sale_counts")
    shown = client.get(page, {"lot": one.lot.pk, "permit_type": one.permit_type.pk})
    assert [(row.lot, row.allotted) for row in shown.context["rows"]] == [(one.lot, 2)]
    assert client.get(page, {"lot": "999999999999999999999"}).status_code == 422


def test_the_export_has_the_figures_and_no_formula(client_of, clerk) -> None:
    lot = make_lot(name={"en": "=HYPERLINK(1)"})
    make_sale(lot=lot, numbers=3)
    client, page = client_of(clerk), reverse("admin:permits_sale_counts")
    text = client.get(page, {"csv": "1"}).content.decode()
    assert "'=HYPERLINK(1)" in text
    assert ",3,0,0,0,0,0" in text
    book = openpyxl.load_workbook(io.BytesIO(client.get(page, {"xlsx": "1"}).content))
    assert [cell.value for cell in book.active[2]][2:] == [3, 0, 0, 0, 0, 0]
    assert all(cell.data_type != "f" for line in book.active for cell in line)


def test_who_may_not_see_sales_counts_nothing(client_of, officer) -> None:
    for name in ("counts", "occupancy"):
        assert client_of(officer).get(reverse(f"admin:permits_sale_{name}")).status_code == 403


def test_a_month_shows_the_most_at_one_instant(client_of, clerk) -> None:
    sale, day = make_sale(), local_date() + dt.timedelta(days=1)
    day = day.replace(day=10)
    start, hour = start_of_day(day), dt.timedelta(hours=1)
    for begins, ends in [(8, 12), (9, 10), (12, 14)]:
        activate_now(reserve(sale), valid_from=start + begins * hour, valid_until=start + ends * hour)
    ended = activate_now(reserve(sale), valid_from=start + 9 * hour, valid_until=start + 90 * hour)
    Permit.objects.filter(pk=ended.pk).update(status=PermitStatus.CANCELLED, closed_at=start + 9.5 * hour)
    unpaid = reserve(sale)
    Permit.objects.filter(pk=unpaid.pk).update(valid_from=start, valid_until=start + 24 * hour)
    found = {one.day: one for one in counts.occupancy(sale.lot, day)}
    assert (found[day].standard, found[day].temporary) == (3, 0)
    assert found[day + dt.timedelta(days=1)].standard == 0
    page = client_of(clerk).get(reverse("admin:permits_sale_occupancy"), {"lot": sale.lot.pk, "month": f"{day:%Y-%m}"})
    assert page.status_code == 200
    for bad in ("2026-13", "x", "99999-01", ""):
        answer = client_of(clerk).get(reverse("admin:permits_sale_occupancy"), {"lot": sale.lot.pk, "month": bad})
        assert answer.status_code == 422, bad
