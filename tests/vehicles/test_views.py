"""The pages of vehicles, as a browser and as somebody with bad intentions use them."""

import datetime as dt

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import User
from opscom.provider.models import Disclaimer
from opscom.provider.selectors import local_date
from opscom.provider.services import save_disclaimer
from tests.factories.vehicles import make_owner, make_ownership, plate_type, set_provider
from vehicles.models import Ownership, Vehicle

pytestmark = pytest.mark.django_db

LIST = "/vehicles/"
ADD = "/vehicles/add/"


@pytest.fixture
def owner() -> User:
    set_provider(is_vehicle_deletion_on=True, vehicle_fields=[])
    return make_owner()


@pytest.fixture
def browser(client: Client, owner: User) -> Client:
    client.force_login(owner)
    return client


def filled(**changes: object) -> dict[str, object]:
    fields = {"plate": "ckmt 482", "region": "CA-ON", "plate_type": plate_type().pk, "year": "2021"}
    return {**fields, **changes}


def page(response) -> str:
    assert response.status_code == 200
    return response.content.decode()


# The list


def test_empty_list_says_what_to_do_next(browser: Client) -> None:
    text = page(browser.get(LIST))
    assert "No vehicles yet" in text
    assert f'href="{ADD}"' in text


def test_list_queries_are_flat(browser: Client, owner: User) -> None:
    owner.user_type.max_active_vehicles = 9
    owner.user_type.save()
    counts = []
    for rows in (1, 3):
        while Ownership.objects.count() < rows:
            make_ownership(owner)
        browser.get(LIST)
        with CaptureQueriesContext(connection) as queries:
            text = page(browser.get(LIST))
        assert text.count('role="switch"') == rows
        counts.append(len(queries))
    # Session, person, type, and four for the list and its count; the rest is what the base template shows of the cart.
    assert counts[0] == counts[1] <= 12


def test_list_shows_plate_region_and_switch(browser: Client, owner: User) -> None:
    make_ownership(owner, plate="ckmt 482", make="Mazda", model="CX-5")
    text = page(browser.get(LIST))
    for words in ("CKMT 482", "Ontario", "2021 Mazda CX-5", "Passenger", 'aria-checked="true"', "1 of 2 vehicles"):
        assert words in text


def test_list_is_paged(browser: Client, owner: User) -> None:
    owner.user_type.max_active_vehicles = 99
    owner.user_type.save()
    for _row in range(21):
        make_ownership(owner)
    assert page(browser.get(LIST)).count('role="switch"') == 20
    assert page(browser.get(LIST + "?page=2")).count('role="switch"') == 1
    assert page(browser.get(LIST + "?page=nonsense")).count('role="switch"') == 20


def test_ended_temporary_plate_is_marked(browser: Client, owner: User) -> None:
    ownership = make_ownership(owner, plate_type=plate_type("temporary"), temporary_plate_until=local_date())
    Ownership.objects.filter(pk=ownership.pk).update(temporary_plate_until=local_date() - dt.timedelta(days=1))
    assert "edit it to enter the new plate" in page(browser.get(LIST))


def test_list_in_french(browser: Client, owner: User) -> None:
    make_ownership(owner, region="CA-NS")
    browser.cookies["language"] = "fr-ca"
    owner.language = "fr-ca"
    owner.save()
    text = page(browser.get(LIST))
    assert "Nouvelle-Écosse" in text
    assert "Véhicule de promenade" in text


@pytest.mark.parametrize("path", [LIST, ADD])
def test_strangers_are_sent_to_sign_in(client: Client, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 302
    assert response.url.startswith(reverse("account_login"))


# Adding


def test_adding_leads_back_to_the_list(browser: Client, owner: User) -> None:
    response = browser.post(ADD, filled(), follow=True)
    assert response.redirect_chain == [(LIST, 302)]
    assert "CKMT 482" in page(response)
    ownership = Ownership.objects.get()
    assert (ownership.user, ownership.year, ownership.vehicle.plate_key) == (owner, 2021, "CKMT482")


def test_adding_leads_back_to_where_one_came_from(browser: Client) -> None:
    lot = "/permits/?lot=102"
    assert 'name="next" value="/permits/?lot=102"' in page(browser.get(ADD, {"next": lot}))
    assert browser.post(ADD, filled(next=lot)).url == lot


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example", "javascript:alert(1)", "\\\\evil"])
def test_adding_never_leads_to_another_site(browser: Client, elsewhere: str) -> None:
    assert elsewhere not in page(browser.get(ADD, {"next": elsewhere}))
    assert browser.post(ADD, filled(next=elsewhere)).url == LIST


def test_form_begins_with_the_home_region_and_passenger(browser: Client) -> None:
    text = page(browser.get(ADD))
    assert '<option value="CA-ON" selected>' in text
    assert f'<option value="{plate_type().pk}" selected>' in text
    for label in ("Plate", "State/Province", "Plate Type", "Vehicle Year", "Save Changes"):
        assert label in text


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"plate": "A*B"}, "only the letters A to Z"),
        ({"plate": ""}, "Enter the plate, or the VIN"),
        ({"plate": "ABCDEFGHIJK"}, "at most 10"),
        ({"region": "CA-XX"}, "valid choice"),
        ({"plate_type": "999999"}, "valid choice"),
        ({"year": ""}, "required"),
        ({"year": "1899"}, "year from 1900"),
        ({"year": "soon"}, "whole number"),
        ({"year": "99999999999999999999"}, "year from 1900"),
        ({"plate": "", "vin": "123"}, "17 letters"),
        ({"plate": "", "vin": "1HGCM82633A004352"}, "last day"),
        ({"plate": "A\x00B"}, "Null characters"),
    ],
)
def test_bad_input_is_answered_at_the_field(browser: Client, changes: dict, words: str) -> None:
    text = page(browser.post(ADD, filled(**changes)))
    assert words in text
    assert "data-error-summary" in text
    assert not Vehicle.objects.exists()


def test_dealer_plate_asks_for_its_last_day(browser: Client) -> None:
    dealer = plate_type("dealer").pk
    text = page(browser.post(ADD, filled(plate_type=dealer)))
    assert "Enter the last day" in text
    assert '<details class="choice mb-3" open>' in text
    assert browser.post(ADD, filled(plate_type=dealer, temporary_plate_until=str(local_date()))).status_code == 302


def test_vin_without_a_plate(browser: Client) -> None:
    data = filled(plate="", vin="1hgcm82633a004352", temporary_plate_until=str(local_date()))
    assert browser.post(ADD, data).status_code == 302
    assert "No plate yet" in page(browser.get(LIST))


def test_plate_type_that_is_not_offered_cannot_be_chosen(browser: Client) -> None:
    hidden = plate_type("historic")
    hidden.is_active = False
    hidden.save()
    assert "valid choice" in page(browser.post(ADD, filled(plate_type=hidden.pk)))


def test_details_are_asked_as_the_provider_says(browser: Client) -> None:
    assert 'name="make"' not in page(browser.get(ADD))
    browser.post(ADD, filled(plate="A1", make="Mazda", colour="red"))
    assert (Ownership.objects.get().make, Ownership.objects.get().colour) == ("", "")
    set_provider(vehicle_fields=["make", "colour"])
    text = page(browser.get(ADD))
    assert 'name="make"' in text
    assert 'name="kind"' not in text
    browser.post(ADD, filled(plate="A2", make="Mazda", colour="red", kind="trailer"))
    ownership = Ownership.objects.get(plate="A2")
    assert (ownership.make, ownership.colour, ownership.kind) == ("Mazda", "red", "")


def test_at_the_limit_the_page_says_why_and_whom_to_ask(browser: Client, owner: User) -> None:
    set_provider(is_vehicle_deletion_on=False, email="office@example.org")
    make_ownership(owner), make_ownership(owner)
    for response in (browser.get(ADD), browser.post(ADD, filled()), browser.get(LIST)):
        text = page(response)
        assert "Mark your vehicle as &#x27;inactive&#x27; before adding a new one." in text
        assert "office@example.org" in text
        assert "Save Changes" not in text
    assert Ownership.objects.count() == 2


def test_plate_of_somebody_else_is_linked_without_a_word(browser: Client, owner: User) -> None:
    other = make_ownership(make_owner(first_name="Secretia"), plate="CK-MT 482", make="Mazda", colour="red")
    set_provider(vehicle_fields=["make", "colour"])
    text = page(browser.post(ADD, filled(), follow=True))
    mine = Ownership.objects.get(user=owner)
    assert mine.vehicle == other.vehicle
    for shown in (text, page(browser.get(f"/vehicles/{mine.code}/"))):
        for secret in ("Secretia", "Mazda", "CK-MT 482", other.code):
            assert secret not in shown


def test_fields_that_are_not_asked_are_not_taken(browser: Client, owner: User) -> None:
    other = make_owner()
    extra = {"user": other.pk, "owner": other.pk, "is_active": "", "code": "MINE", "removed_at": "2020-01-01"}
    browser.post(ADD, filled(**extra, vehicle="1", plate_key="XX", id="77"))
    ownership = Ownership.objects.get()
    assert (ownership.user, ownership.is_active, ownership.removed_at) == (owner, True, None)
    assert ownership.code != "MINE"
    assert ownership.vehicle.plate_key == "CKMT482"


# The disclaimer


@pytest.fixture
def disclaimer(owner: User) -> Disclaimer:
    row, _made = Disclaimer.objects.get_or_create(kind="vehicle")
    return save_disclaimer(disclaimer=row, text={"en": "Park with care.", "fr-ca": "Prudence."}, actor=owner)


@pytest.mark.usefixtures("disclaimer")
def test_disclaimer_comes_first_and_only_once(browser: Client) -> None:
    response = browser.get(ADD, {"next": "/permits/"}, follow=True)
    assert response.redirect_chain[0][0].startswith(reverse("provider:agree", args=["vehicle"]))
    text = page(response)
    assert "Park with care." in text
    assert "I Agree" in text
    form = {"version": response.context["disclaimer"].version, "next": "/vehicles/add/?next=/permits/"}
    assert browser.post(response.redirect_chain[0][0], form).url == "/vehicles/add/?next=/permits/"
    assert "Save Changes" in page(browser.get(ADD))


@pytest.mark.usefixtures("disclaimer")
def test_form_cannot_be_sent_past_the_disclaimer(browser: Client) -> None:
    assert browser.post(ADD, filled()).url.startswith(reverse("provider:agree", args=["vehicle"]))
    assert not Ownership.objects.exists()


# Editing


def test_editing_saves_and_leads_back(browser: Client, owner: User) -> None:
    ownership = make_ownership(owner, plate="CKMT 482", make="Mazda")
    text = page(browser.get(f"/vehicles/{ownership.code}/"))
    assert 'value="CKMT 482"' in text
    assert ">Save</button>" in text
    assert browser.post(f"/vehicles/{ownership.code}/", filled(year="1999", next="/permits/")).url == "/permits/"
    ownership.refresh_from_db()
    # The make is not asked by this provider, and stays.
    assert (ownership.year, ownership.make, ownership.is_active) == (1999, "Mazda", True)


def test_editing_the_plate_shows_the_new_one(browser: Client, owner: User) -> None:
    ownership = make_ownership(owner, plate="CKMT 482")
    text = page(browser.post(f"/vehicles/{ownership.code}/", filled(plate="BLUE 77"), follow=True))
    assert "BLUE 77" in text
    assert "CKMT 482" not in text
    assert browser.get(f"/vehicles/{ownership.code}/").status_code == 404


def test_editing_to_a_plate_in_the_list_says_so(browser: Client, owner: User) -> None:
    make_ownership(owner, plate="BLUE 77")
    ownership = make_ownership(owner, plate="CKMT 482")
    text = page(browser.post(f"/vehicles/{ownership.code}/", filled(plate="blue-77")))
    assert "already in your list" in text


def test_plate_type_that_is_no_longer_offered_stays_with_its_plate(browser: Client, owner: User) -> None:
    historic = plate_type("historic")
    ownership = make_ownership(owner, plate="OLD 1", plate_type=historic)
    historic.is_active = False
    historic.save()
    data = filled(plate="OLD 1", plate_type=historic.pk, year="1930")
    assert browser.post(f"/vehicles/{ownership.code}/", data).status_code == 302


# The switch


def test_switch_works_without_scripts(browser: Client, owner: User) -> None:
    ownership = make_ownership(owner)
    for value, is_active in (("0", False), ("0", False), ("1", True)):
        response = browser.post(f"/vehicles/{ownership.code}/active/", {"is_active": value, "next": LIST + "?page=1"})
        assert response.url == LIST + "?page=1"
        ownership.refresh_from_db()
        assert ownership.is_active is is_active


def test_switch_swaps_its_row_and_the_count(browser: Client, owner: User) -> None:
    ownership = make_ownership(owner)
    response = browser.post(f"/vehicles/{ownership.code}/active/", {"is_active": "0"}, headers={"HX-Request": "true"})
    text = page(response)
    assert "<html" not in text
    assert 'aria-checked="false"' in text
    assert 'hx-swap-oob="true"' in text
    assert "0 of 2 vehicles active" in text
    assert "before adding a new one" not in text
    assert "HX-Request" in response["Vary"]


def test_switch_at_the_limit_says_why_in_both_ways(browser: Client, owner: User) -> None:
    idle = make_ownership(owner, is_active=False)
    make_ownership(owner), make_ownership(owner)
    path = f"/vehicles/{idle.code}/active/"
    words = "Mark another one as &#x27;inactive&#x27; first."
    assert words in page(browser.post(path, {"is_active": "1"}, follow=True))
    swapped = page(browser.post(path, {"is_active": "1"}, headers={"HX-Request": "true"}))
    assert words in swapped
    assert 'aria-checked="false"' in swapped
    idle.refresh_from_db()
    assert not idle.is_active


def test_looking_changes_nothing(browser: Client, owner: User) -> None:
    ownership = make_ownership(owner)
    assert browser.get(f"/vehicles/{ownership.code}/active/").status_code == 405
    browser.get(f"/vehicles/{ownership.code}/remove/")
    ownership.refresh_from_db()
    assert ownership.is_active
    assert ownership.removed_at is None


# Removing


def test_removing_asks_first(browser: Client, owner: User) -> None:
    ownership = make_ownership(owner, plate="CKMT 482")
    assert "Remove CKMT 482?" in page(browser.get(f"/vehicles/{ownership.code}/remove/"))
    text = page(browser.post(f"/vehicles/{ownership.code}/remove/", follow=True))
    assert "No vehicles yet" in text


def test_removing_that_is_switched_off_is_not_offered_and_not_done(browser: Client, owner: User) -> None:
    set_provider(is_vehicle_deletion_on=False)
    ownership = make_ownership(owner)
    path = f"/vehicles/{ownership.code}/remove/"
    assert path not in page(browser.get(LIST))
    assert "Contact your parking provider to delete" in page(browser.get(path))
    browser.post(path)
    ownership.refresh_from_db()
    assert ownership.removed_at is None


# Others


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("page_name", ["", "active/", "remove/"])
def test_vehicles_of_others_are_not_found(browser: Client, owner: User, page_name: str, method: str) -> None:
    # Even of a plate that is mine as well.
    make_ownership(owner, plate="CKMT 482")
    other = make_ownership(make_owner(), plate="CKMT 482", make="Mazda")
    if (page_name, method) == ("active/", "get"):
        return
    response = getattr(browser, method)(f"/vehicles/{other.code}/{page_name}", filled(plate="STOLEN", is_active="0"))
    assert response.status_code == 404
    other.refresh_from_db()
    assert (other.is_active, other.removed_at, other.make) == (True, None, "Mazda")


def test_tokens_are_asked_for(owner: User) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(owner)
    ownership = make_ownership(owner)
    for path in (ADD, f"/vehicles/{ownership.code}/", f"/vehicles/{ownership.code}/active/"):
        assert browser.post(path, filled(is_active="0")).status_code == 403


def test_being_sent_here_for_want_of_a_vehicle(browser: Client, owner: User) -> None:
    lot = "/permits/?lot=102"
    assert "next=%2Fpermits%2F%3Flot%3D102" in page(browser.get(LIST, {"next": lot}))
    ownership = make_ownership(owner, is_active=False)
    assert "To go on, switch one" in page(browser.get(LIST, {"next": lot}))
    Ownership.objects.filter(pk=ownership.pk).update(is_active=True)
    assert f'href="{lot}"' in page(browser.get(LIST, {"next": lot}))
