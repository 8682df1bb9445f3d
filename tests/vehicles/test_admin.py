"""The office's pages about vehicles."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from opscom.core.models import AuditEntry
from opscom.provider.forms import ProviderForm
from opscom.provider.selectors import get_provider, local_date
from tests.factories.vehicles import make_owner, make_ownership, plate_type, set_provider
from tests.people import show_code
from vehicles.models import Ownership, Vehicle

pytestmark = pytest.mark.django_db

VEHICLES = "/admin/vehicles/vehicle/"
OWNERSHIPS = "/admin/vehicles/ownership/"


@pytest.fixture
def clerk() -> User:
    return make_owner(is_staff=True, is_superuser=True, first_name="Office")


@pytest.fixture
def office(client: Client, clerk: User) -> Client:
    client.force_login(clerk)
    show_code(client, clerk)
    return client


def page(response) -> str:
    assert response.status_code == 200
    return response.content.decode()


def filled(**changes: object) -> dict[str, object]:
    fields = {"plate": "ckmt 482", "region": "CA-ON", "plate_type": plate_type().pk, "year": "2021"}
    return {**fields, **changes}


@pytest.mark.parametrize("words", ["ckmt 482", "CK-MT", "dana drive", "driver"])
@pytest.mark.parametrize("path", [VEHICLES, OWNERSHIPS])
def test_search_finds_plates_in_any_spelling_and_people(office: Client, path: str, words: str) -> None:
    make_ownership(make_owner(first_name="Dana", last_name="Driver"), plate="CKMT 482")
    make_ownership(make_owner(first_name="Zoe", last_name="Quill"), plate="ZZZ 1")
    text = page(office.get(path, {"q": words}))
    assert "CKMT 482" in text
    if words != "driver":
        assert "ZZZ 1" not in text


def test_office_sees_both_owners_of_a_vehicle(office: Client) -> None:
    first = make_ownership(make_owner(first_name="Ann"), plate="CKMT 482")
    make_ownership(make_owner(first_name="Bea"), plate="CKMT 482")
    text = page(office.get(f"{VEHICLES}{first.vehicle_id}/change/"))
    assert "Ann" in text
    assert "Bea" in text


def test_identity_of_a_vehicle_cannot_be_rewritten(office: Client) -> None:
    ownership = make_ownership(make_owner(), plate="CKMT 482")
    office.post(f"{VEHICLES}{ownership.vehicle_id}/change/", {"plate": "STOLEN", "region": "CA-QC"})
    ownership.vehicle.refresh_from_db()
    assert (ownership.vehicle.plate, ownership.vehicle.region) == ("CKMT 482", "CA-ON")


def test_office_adds_a_vehicle_for_somebody(office: Client, clerk: User) -> None:
    owner = make_owner()
    page(office.get(f"{OWNERSHIPS}add/"))
    response = office.post(f"{OWNERSHIPS}add/", filled(user=owner.pk, make="Mazda"))
    assert response.status_code == 302
    ownership = Ownership.objects.get()
    assert (ownership.user, ownership.make, ownership.vehicle.plate_key) == (owner, "Mazda", "CKMT482")
    entry = AuditEntry.objects.get(action="vehicle.added")
    assert (entry.actor, entry.on_behalf_of) == (clerk, owner)


def test_office_is_told_of_the_limit_at_the_field(office: Client) -> None:
    owner = make_owner(limit=1)
    make_ownership(owner)
    text = page(office.post(f"{OWNERSHIPS}add/", filled(user=owner.pk)))
    assert "Mark your vehicle as" in text
    assert Ownership.objects.count() == 1


def test_office_is_told_what_the_service_refuses(office: Client) -> None:
    owner = make_owner()
    make_ownership(owner, plate="CKMT 482")
    text = page(office.post(f"{OWNERSHIPS}add/", filled(user=owner.pk), follow=True))
    assert "already in your list" in text
    assert Ownership.objects.count() == 1


def test_office_changes_a_plate(office: Client) -> None:
    ownership = make_ownership(make_owner(), plate="CKMT 482")
    path = f"{OWNERSHIPS}{ownership.pk}/change/"
    assert 'value="CKMT 482"' in page(office.get(path))
    assert office.post(path, filled(plate="BLUE 77")).status_code == 302
    ownership.refresh_from_db()
    assert ownership.removed_at is not None
    assert Ownership.objects.current().get().vehicle.plate_key == "BLUE77"
    # What has left the list is history: to be looked at, not changed.
    page(office.get(path))
    assert office.post(path, filled(plate="RED 1")).status_code == 403


def test_office_corrects_an_ended_plate(office: Client) -> None:
    ownership = make_ownership(make_owner(), plate_type=plate_type("dealer"), temporary_plate_until=local_date())
    data = filled(plate=ownership.plate, plate_type=plate_type("dealer").pk, temporary_plate_until="2020-01-01")
    assert "This day is over" in page(office.post(f"{OWNERSHIPS}{ownership.pk}/change/", data))


def test_actions_go_through_the_services(office: Client) -> None:
    set_provider(is_vehicle_deletion_on=False)
    ownership = make_ownership(make_owner())
    for action, is_active in (("switch_off", False), ("switch_on", True), ("remove", False)):
        office.post(OWNERSHIPS, {"action": action, "_selected_action": [ownership.pk]})
        ownership.refresh_from_db()
        assert ownership.is_active is is_active
    assert ownership.removed_at is not None
    assert Vehicle.objects.exists()
    assert AuditEntry.objects.filter(object_kind="vehicles.ownership").count() == 4


def test_a_refused_action_says_why_and_stops_no_other(office: Client) -> None:
    full, free = make_owner(limit=1), make_owner(limit=1)
    stuck = make_ownership(full, plate="STUCK", is_active=False)
    make_ownership(full)
    other = make_ownership(free, is_active=False)
    data = {"action": "switch_on", "_selected_action": [stuck.pk, other.pk]}
    text = page(office.post(OWNERSHIPS, data, follow=True))
    assert "STUCK: You may have 1 active vehicle" in text
    other.refresh_from_db()
    assert other.is_active


def test_plate_types_are_in_both_languages(office: Client) -> None:
    assert "Passenger" in page(office.get("/admin/vehicles/platetype/"))
    assert plate_type("motorcycle").name == {"en": "Motorcycle", "fr-ca": "Motocyclette"}
    page(office.get(f"/admin/vehicles/platetype/{plate_type().pk}/change/"))


@pytest.mark.parametrize("path", [VEHICLES, OWNERSHIPS])
def test_lists_of_the_office_cost_the_same_with_more_rows(office: Client, path: str) -> None:
    counts = []
    for rows in (1, 3):
        while Ownership.objects.count() < rows:
            make_ownership(make_owner(last_name="Driver"))
        office.get(path)
        with CaptureQueriesContext(connection) as queries:
            assert page(office.get(path)).count("TST ") >= rows
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_office_chooses_which_details_are_asked(office: Client) -> None:
    form = ProviderForm(instance=get_provider())
    data = {**form.initial, "vehicle_fields": ["make", "colour"], "office_weekdays": [0], "address": ""}
    filled_form = ProviderForm(data, instance=get_provider())
    assert "vehicle_fields" not in filled_form.errors
    assert filled_form.cleaned_data["vehicle_fields"] == ["make", "colour"]
    assert "vehicle_fields" in ProviderForm({**data, "vehicle_fields": ["user"]}, instance=get_provider()).errors
