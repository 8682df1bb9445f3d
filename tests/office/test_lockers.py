"""The office's pages about lockers: added, looked at, emptied, switched, released."""

from decimal import Decimal
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from accounts.roles import ADMINISTRATOR
from lockers.models import Area, Locker, Rental, RentalStatus
from lockers.services.combinations import read_combination
from opscom.core.models import AuditEntry
from payments.models import Deposit, DepositStatus
from tests.factories.accounts import PASSWORD
from tests.factories.lockers import free_locker, let_end, make_area, make_locker_sale, rent_one, reserve_one
from tests.factories.payments import offer_method
from tests.factories.violations import picture_file

pytestmark = pytest.mark.django_db
FORTY = Decimal("40.00")


@pytest.fixture(autouse=True)
def bank() -> None:
    offer_method("demo-bank")


@pytest.fixture
def office(client_of: Any, administrator: Any) -> Any:
    assert administrator.groups.filter(name=ADMINISTRATOR).exists()
    return client_of(administrator)


def of(deed: str, row: Any) -> str:
    return reverse(f"admin:lockers_{row._meta.model_name}_{deed}", args=[row.pk])


def test_added_by_range_and_by_list(office) -> None:
    area = make_area(1)
    rows = {"columns": "5", "size": "small", "is_visible": "on"}
    typed = {"first": "1", "last": "12", "before": "R-", "after": "b", "digits": "2"}
    assert office.post(of("add_lockers", area), {**rows, **typed}).status_code == 302
    assert set(area.lockers.values_list("number", flat=True)) > {"R-01b", "R-12b"}
    assert office.post(of("add_lockers", area), {**rows, "numbers": "A1, A2"}).status_code == 302
    assert area.lockers.count() == 15
    for wrong in (
        {},
        {**typed, "numbers": "A9"},
        {"numbers": "=cmd|x"},
        {"first": "9", "last": "1"},
        {"numbers": "A1"},
    ):
        answer = office.post(of("add_lockers", area), {**rows, **wrong})
        assert answer.status_code == 422, wrong
    assert area.lockers.count() == 15


def test_no_combination_on_any_page_but_the_one_that_shows_it(office, resident) -> None:
    rental = rent_one(resident, make_locker_sale(make_area(2, combination="31-41-59")))
    locker = rental.locker
    pages = [
        reverse("admin:lockers_locker_changelist"),
        reverse("admin:lockers_rental_changelist"),
        *[of("change", row) for row in (locker, rental, rental.sale, rental.sale.area)],
        *[of(deed, locker) for deed in ("look", "set_combination", "maintain", "history")],
        reverse("admin:core_auditentry_changelist"),
        reverse("admin:messaging_message_changelist"),
    ]
    for page in pages:
        answer = office.get(page)
        assert answer.status_code == 200, page
        assert "31-41-59" not in answer.content.decode(), page
    answer = office.post(of("look", locker))
    assert "31-41-59" in answer.content.decode()
    assert "no-store" in answer["Cache-Control"]
    assert AuditEntry.objects.filter(action="locker.combination_seen").count() == 1


def test_looking_needs_its_right(client_of, officer, resident) -> None:
    locker = rent_one(resident).locker
    answer = client_of(officer).post(of("look", locker))
    assert answer.status_code == 403


def test_a_combination_that_was_typed_is_never_shown_again(office) -> None:
    locker = make_area(1).lockers.get()
    answer = office.post(of("set_combination", locker), {"combination": "?!secret"})
    assert answer.status_code == 422
    assert "?!secret" not in answer.content.decode()
    assert office.post(of("set_combination", locker), {"combination": "7-8-9"}).status_code == 302
    locker.refresh_from_db()
    assert read_combination(locker) == "7-8-9"


def test_emptied_with_a_part_of_the_deposit_kept(office, resident) -> None:
    rental = rent_one(resident, make_locker_sale(make_area(2, deposit=FORTY)))
    let_end(rental)
    listed = office.get(reverse("admin:lockers_locker_changelist"), {"queue": "to_empty"}).content.decode()
    assert rental.locker.number in listed
    assert "Lockers to be emptied" in office.get(reverse("admin:index")).content.decode()
    sent = {"combination": "9-9-9", "kept": "15", "reason": "Bent door"}
    assert office.post(of("emptied", rental.locker), {**sent, "password": "wrong"}).status_code == 422
    assert Deposit.objects.get().status == DepositStatus.HELD
    answer = office.post(of("emptied", rental.locker), {**sent, "password": PASSWORD})
    assert answer.status_code == 302
    assert Deposit.objects.get().kept_amount == Decimal(15)
    assert Locker.objects.get(pk=rental.locker_id).to_empty_since is None


def test_switched_released_and_held_for_maintenance(office, resident, other_resident) -> None:
    rental = rent_one(resident)
    to = free_locker(rental.sale)
    assert office.post(of("switch", rental), {"locker": to.pk, "reason": "Water"}).status_code == 302
    rental.refresh_from_db()
    assert rental.locker == to
    former = Locker.objects.exclude(to_empty_since=None).get()
    assert office.post(of("switch", rental), {"locker": former.pk, "reason": "Back"}).status_code == 422
    assert office.post(of("release", rental)).status_code == 302
    rental.refresh_from_db()
    assert rental.status == RentalStatus.ENDED
    waiting = reserve_one(other_resident, rental.sale)
    assert office.post(of("release", waiting)).status_code == 302
    assert Rental.objects.get(pk=waiting.pk).status == RentalStatus.CANCELLED
    assert office.post(of("maintain", waiting.locker), {"reason": "Hinge"}).status_code == 302
    assert Locker.objects.get(pk=waiting.locker_id).out_of_order == "Hinge"


def test_a_photo_is_judged_by_its_content(office, client_of, resident) -> None:
    area = make_area(1)
    fields = {
        "building": area.building_id,
        "name_en": "Pool",
        "position": "0",
        "max_per_person": "1",
        "hold_minutes": "30",
        "reminder_days": "14",
        "lock_kind": "combination",
    }
    bad = SimpleUploadedFile("photo.png", b"<script>", content_type="image/png")
    answer = office.post(of("change", area), {**fields, "photo": bad})
    assert "Please choose a PNG or JPEG picture." in answer.content.decode()
    assert not Area.objects.get(pk=area.pk).photo
    good = SimpleUploadedFile("evil.html", picture_file().checked.content.read(), content_type="text/html")
    assert office.post(of("change", area), {**fields, "photo": good}).status_code == 302
    stored = Area.objects.get(pk=area.pk)
    assert stored.photo.name.endswith((".png", ".jpg"))
    shown = client_of(resident).get(reverse("lockers:photo", args=[area.code]))
    assert shown["Content-Type"] in ("image/png", "image/jpeg")


@pytest.mark.parametrize("rows", [1, 3])
@pytest.mark.parametrize("model", ["locker", "rental", "area", "lockersale"])
def test_lists_are_flat(client_of, administrator, django_assert_max_num_queries, model, rows) -> None:
    for _row in range(rows):
        let_end(rent_one(None, make_locker_sale(make_area(2, deposit=FORTY))))
        rent_one()
    client = client_of(administrator)
    client.get("/admin/")
    most = {"locker": 10, "rental": 9, "area": 8, "lockersale": 8}[model]
    with django_assert_max_num_queries(most):
        assert client.get(reverse(f"admin:lockers_{model}_changelist")).status_code == 200
