"""The office closes a lot in three clicks, sees whom it touches before, changes it and calls it off."""

import datetime as dt

import pytest
from django.urls import reverse
from django.utils import timezone

from opscom.core.models import AuditEntry
from opscom.provider.selectors import get_time_zone
from permits.models import Closure
from tests.factories.closures import close
from tests.factories.permits import make_lot, make_sale, reserve

pytestmark = pytest.mark.django_db


def typed(page: str, client, **changes) -> dict[str, str]:
    """Return what the form holds when it is opened, as a browser would send it."""
    form = client.get(page).context["form"]
    zone, values = get_time_zone(), {}
    for name in ("starts_at", "ends_at"):
        moment = (form.initial[name]).astimezone(zone)
        values |= {f"{name}_0": moment.strftime("%Y-%m-%d"), f"{name}_1": moment.strftime("%H:%M:%S")}
    lot = form.initial.get("lot")
    return values | {"lot": lot.pk if lot else "", "spaces": "", "reason": "snow"} | changes


def test_three_clicks_close_a_lot(client_of, clerk) -> None:
    sale, client = make_sale(), client_of(clerk)
    reserve(sale), reserve(sale)
    there = client.get(reverse("admin:provider_lot_close", args=[sale.lot.pk]))
    page = there["Location"]
    shown = client.post(page, typed(page, client))
    assert not Closure.objects.exists(), "the second click only shows whom it touches"
    facts = {str(label): str(value) for label, value in shown.context["facts"]}
    assert facts["holders who are told by e-mail"] == "2"
    assert facts["permits that are valid in that time"] == "2"
    assert facts["sales that pause"] == str(sale.permit_type)
    done = client.post(page, typed(page, client, mark=shown.context["form"].data["mark"]))
    assert done.status_code == 302
    closure = Closure.objects.get()
    assert (closure.lot, closure.made_by, closure.spaces) == (sale.lot, clerk, None)
    assert closure.ends_at.astimezone(get_time_zone()).hour == 6
    assert AuditEntry.objects.filter(action="closure.made", object_id=closure.pk).exists()


def test_what_is_confirmed_is_what_was_shown(client_of, clerk) -> None:
    sale, client = make_sale(), client_of(clerk)
    page = f"{reverse('admin:permits_closure_add')}?lot={sale.lot.pk}"
    shown = client.post(page, typed(page, client))
    mark = shown.context["form"].data["mark"]
    again = client.post(page, typed(page, client, mark=mark, spaces="5"))
    assert again.status_code == 200
    assert not Closure.objects.exists(), "another wish is shown first"


def test_it_is_changed_and_called_off(client_of, clerk) -> None:
    closure, client = close(make_lot()), client_of(clerk)
    page = reverse("admin:permits_closure_edit", args=[closure.pk])
    shown = client.post(page, typed(page, client, spaces="7"))
    client.post(page, typed(page, client, spaces="7", mark=shown.context["form"].data["mark"]))
    closure.refresh_from_db()
    assert (closure.spaces, closure.edition) == (7, 2)
    off = reverse("admin:permits_closure_call_off", args=[closure.pk])
    assert client.get(off).status_code == 200
    closure.refresh_from_db()
    assert closure.cancelled_at is None, "a page that is opened changes nothing"
    client.post(off)
    closure.refresh_from_db()
    assert closure.cancelled_at is not None
    assert client.get(reverse("admin:permits_closure_change", args=[closure.pk])).status_code == 200


@pytest.mark.parametrize("bad", [{"spaces": "-1"}, {"spaces": "NaN"}, {"reason": "party"}, {"ends_at_0": "1999-01-01"}])
def test_what_cannot_be_closed_is_said_at_the_field(client_of, clerk, bad) -> None:
    lot, client = make_lot(), client_of(clerk)
    page = f"{reverse('admin:permits_closure_add')}?lot={lot.pk}"
    assert client.post(page, typed(page, client, **bad)).status_code == 422
    assert not Closure.objects.exists()


def test_an_officer_closes_nothing(client_of, officer) -> None:
    closure, client = close(make_lot()), client_of(officer)
    for name, args in [("add", []), ("edit", [closure.pk]), ("call_off", [closure.pk])]:
        assert client.post(reverse(f"admin:permits_closure_{name}", args=args)).status_code in (403, 404), name
    closure.refresh_from_db()
    assert closure.cancelled_at is None


@pytest.mark.parametrize("rows", [1, 3])
def test_queries_of_the_list_are_flat(client_of, clerk, rows, django_assert_max_num_queries) -> None:
    lot, client = make_lot(), client_of(clerk)
    for number in range(rows):
        close(lot, start=timezone.now() + dt.timedelta(days=number))
    page = reverse("admin:permits_closure_changelist")
    client.get(page)
    with django_assert_max_num_queries(19):
        assert client.get(page).status_code == 200
