"""Permit types, sales, numbers and permits in the office's site."""

import pytest

from opscom.core.models import AuditEntry
from permits.models import Permit, PermitType, Sale, Slot
from tests.factories.permits import make_buyer, make_lot, make_permit_type, make_sale, reserve
from tests.factories.vehicles import make_ownership
from tests.office.money import pay_for_permit

pytestmark = pytest.mark.django_db


def allot(client, sale, **changes):
    fields = {"prefix": "NG-", "first": "1", "last": "20", "width": "3"} | changes
    return client.post(f"/admin/permits/sale/{sale.pk}/allot/", fields)


def test_clerk_allots_numbers(client_of, clerk):
    sale = make_sale(numbers=0)
    client = client_of(clerk)
    assert "Allot" in client.get(f"/admin/permits/sale/{sale.pk}/allot/").content.decode()
    assert allot(client, sale).status_code == 302
    assert list(sale.slots.values_list("number", flat=True))[::19] == ["NG-001", "NG-020"]
    assert AuditEntry.objects.get(action="sale.numbers_allotted").actor == clerk


def test_allotting_beyond_the_lot_says_why_not(client_of, clerk):
    sale = make_sale(numbers=0, lot=make_lot(stalls=19))
    response = allot(client_of(clerk), sale)
    assert response.status_code == 422
    assert "has room for 19 more permit numbers" in response.content.decode()
    assert not Slot.objects.exists()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"last": "0"}, "must not be smaller"),
        ({"first": ""}, "This field is required"),
        ({"last": "999999999"}, "at most eight digits"),
        ({"last": "20001"}, "between 1 and 20000 numbers"),
    ],
)
def test_wrong_ranges_are_named(client_of, clerk, change, words):
    sale = make_sale(numbers=0, lot=make_lot(stalls=50_000))
    response = allot(client_of(clerk), sale, **change)
    assert response.status_code == 422
    assert words in response.content.decode()


def test_officer_allots_nothing(client_of, officer):
    sale = make_sale(numbers=0)
    assert allot(client_of(officer), sale).status_code == 403
    assert not Slot.objects.exists()


def test_idle_numbers_are_retired_and_held_ones_stay(client_of, clerk):
    sale = make_sale(numbers=2)
    permit = reserve(sale)
    data = {"action": "retire", "_selected_action": list(sale.slots.values_list("pk", flat=True))}
    text = client_of(clerk).post("/admin/permits/slot/", data, follow=True).content.decode()
    assert sorted(sale.slots.values_list("state", flat=True)) == ["held", "retired"]
    assert permit.slot.state == "held"
    assert "Numbers that somebody holds stay in use." in text
    assert AuditEntry.objects.get(action="slot.retired").actor == clerk


def test_sales_show_what_became_of_their_numbers(page_of, clerk):
    sale = make_sale(numbers=7)
    reserve(sale)
    text = page_of(clerk, "/admin/permits/sale/")
    assert 'allotted">' in text.replace("field-allotted", 'allotted">')
    for column, count in (("free", 6), ("held", 1), ("taken", 0)):
        cell = text.split(f"field-{column}")[1].split("</td>")[0]
        assert cell.rstrip().endswith(str(count)), column


def test_sale_with_contradicting_dates_is_refused_at_the_field(client_of, clerk):
    sale = make_sale(numbers=0)
    data = {
        "lot": sale.lot_id,
        "permit_type": sale.permit_type_id,
        "is_active": "on",
        "opens_at_0": "2027-01-02",
        "opens_at_1": "10:00",
        "closes_at_0": "2027-01-01",
        "closes_at_1": "10:00",
        "valid_until": "2027-01-01",
    }
    text = client_of(clerk).post(f"/admin/permits/sale/{sale.pk}/change/", data).content.decode()
    assert "The sale must close after it opens." in text
    assert "Give the first day, too." in text
    assert "Constraint" not in text


def test_times_are_the_office_s_own(client_of, clerk):
    sale = make_sale(numbers=0)
    data = {
        "lot": sale.lot_id,
        "permit_type": sale.permit_type_id,
        "is_active": "on",
        "opens_at_0": "2027-01-04",
        "opens_at_1": "08:00",
    }
    assert client_of(clerk).post(f"/admin/permits/sale/{sale.pk}/change/", data).status_code == 302
    assert Sale.objects.get().opens_at.isoformat() == "2027-01-04T13:00:00+00:00"
    entry = AuditEntry.objects.get(action="sale.changed")
    assert (entry.actor, "sells from" in str(entry.facts).lower()) == (clerk, True)


def test_permit_type_is_made_with_validity(client_of, administrator):
    lot = make_lot()
    data = {
        "code": "evening",
        "name_0": "Evening",
        "name_en": "Evening",
        "price": "40",
        "term_kind": "calendar_months",
        "months": "1",
        "max_vehicles": "1",
        "limit_group": "evening",
        "max_per_person": "1",
        "hold_minutes": "30",
        "max_prints": "1",
        "most_hours": "720",
        "days_ahead": "90",
        "proration": "days",
        "may_end_early": "on",
        "early_end_fee": "5.00",
        "replacement_fee": "25",
        "replacement_car_days": "14",
        "replacement_cars_per_year": "2",
        "vehicle_kinds": ["electric"],
        "validities-TOTAL_FORMS": "1",
        "validities-INITIAL_FORMS": "0",
        "validities-0-lots": [lot.pk],
        "validities-0-weekdays": ["0", "4"],
        "validities-0-from_time": "17:00",
        "validities-0-until_time": "00:00",
    }
    response = client_of(administrator).post("/admin/permits/permittype/add/", data)
    assert response.status_code == 302, response.content.decode()
    kind = PermitType.objects.get()
    validity = kind.validities.get()
    assert (kind.proration, kind.may_end_early, kind.second_price) == ("days", True, None)
    assert (kind.vehicle_kinds, validity.weekdays, list(validity.lots.all())) == (["electric"], [0, 4], [lot])


@pytest.mark.parametrize("words", ["number", "ckmt 4-82", "dana quill", "quill"])
def test_permits_are_found(page_of, clerk, words):
    buyer, _ownership = make_buyer(first_name="Dana", last_name="Quill")
    buyer.ownerships.all().delete()
    make_ownership(buyer, plate="CKMT 482")
    permit, other = reserve(make_sale(), buyer), reserve(make_sale())
    text = page_of(clerk, "/admin/permits/permit/", q=permit.number if words == "number" else words)
    assert f">{permit.number}<" in text
    assert f">{other.number}<" not in text


def test_another_print_is_allowed_from_list_and_page(client_of, clerk):
    pay_for_permit()
    permit = Permit.objects.get()
    client = client_of(clerk)
    client.post("/admin/permits/permit/", {"action": "allow_print", "_selected_action": [permit.pk]})
    path = f"/admin/permits/permit/{permit.pk}/allow-print/"
    assert client.get(path).status_code == 200
    permit.refresh_from_db()
    assert permit.extra_prints == 1, "looking at the question allows nothing"
    assert client.post(path).status_code == 302
    permit.refresh_from_db()
    assert permit.extra_prints == 2
    assert AuditEntry.objects.filter(action="permit.print_allowed", actor=clerk).count() == 2


def test_a_refused_print_says_why(client_of, clerk, cashier):
    permit = reserve(make_sale())
    data = {"action": "allow_print", "_selected_action": [permit.pk]}
    assert (
        "Only a permit that is active"
        in client_of(clerk).post("/admin/permits/permit/", data, follow=True).content.decode()
    )
    assert client_of(cashier).post(f"/admin/permits/permit/{permit.pk}/allow-print/").status_code == 403


def test_permits_are_not_changed_by_hand(client_of, administrator):
    permit = reserve(make_sale())
    client = client_of(administrator)
    path = f"/admin/permits/permit/{permit.pk}"
    assert client.post(f"{path}/change/", {"status": "active", "number": "FREE-1"}).status_code == 403
    assert client.post(f"{path}/delete/", {"post": "yes"}).status_code == 403
    assert client.get("/admin/permits/permit/add/").status_code == 403
    permit.refresh_from_db()
    assert (permit.status, permit.number.startswith("N")) == ("reserved", True)


def test_lot_and_type_of_a_sale_stay_once_numbers_are_allotted(client_of, clerk):
    sale, other = make_sale(numbers=1), make_permit_type()
    data = {"permit_type": other.pk, "opens_at_0": "2027-01-04", "opens_at_1": "08:00"}
    client_of(clerk).post(f"/admin/permits/sale/{sale.pk}/change/", data)
    kept = sale.permit_type
    sale.refresh_from_db()
    assert sale.permit_type == kept
