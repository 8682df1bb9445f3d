"""The holder's pages of a running permit: vehicles, replacement car, calendar, phone; and printing a past one."""

import datetime as dt

import pytest
from django.utils import timezone
from icalendar import Calendar

from opscom.provider.selectors import get_time_zone, local_date
from payments.models import OrderLine
from permits.models import Permit, PermitStatus, ReplacementCar
from permits.services.documents import make_document, render_document
from permits.services.ending import end_early
from permits.services.suspending import suspend_permit
from permits.tasks import end_permits
from tests.factories.permits import (
    activate,
    buy,
    make_buyer,
    make_permit_type,
    make_sale,
    make_temporary_sale,
    make_wish,
    reserve,
    reserve_time,
)
from tests.factories.vehicles import make_ownership

pytestmark = pytest.mark.django_db


@pytest.fixture
def permit(db) -> Permit:
    return buy(make_sale(permit_type=make_permit_type(term_kind="rolling_months", months=3, max_vehicles=2)))


@pytest.fixture
def client(permit, client_of):
    return client_of(permit.holder)


def test_permit_information_leads_to_all_of_it(permit, client):
    page = client.get(f"/permits/{permit.code}/").content.decode()
    for name in ("phone", "calendar", "vehicles", "replacement"):
        assert f"/permits/{permit.code}/{name}/" in page
    assert f"/permits/{permit.code}/end/" not in page


def test_vehicles_are_chosen_and_saved(permit, client):
    own = make_ownership(permit.holder)
    first = permit.holder.ownerships.exclude(pk=own.pk).get()
    page = client.get(f"/permits/{permit.code}/vehicles/").content.decode()
    assert "up to 2 vehicles" in page
    name = f"{permit.sale.code}-vehicles"
    client.post(f"/permits/{permit.code}/vehicles/", {name: [first.code, own.code]})
    assert permit.vehicle_links.count() == 2
    answer = client.post(f"/permits/{permit.code}/vehicles/", {name: []})
    assert answer.status_code == 422
    assert permit.vehicle_links.count() == 2


def test_somebody_elses_vehicle_is_no_choice(permit, client):
    other = make_buyer()[1]
    name = f"{permit.sale.code}-vehicles"
    assert client.post(f"/permits/{permit.code}/vehicles/", {name: [other.code]}).status_code == 422
    assert permit.vehicle_links.get().vehicle != other.vehicle


def test_a_replacement_car_is_named_shown_and_ended(permit, client):
    today = local_date()
    values = {
        "stands_in_for": "1",
        "plate": "garage 1",
        "region": "CA-ON",
        "first_day": today.isoformat(),
        "last_day": (today + dt.timedelta(days=2)).isoformat(),
    }
    page = client.post(f"/permits/{permit.code}/replacement/", values, follow=True).content.decode()
    assert "GARAGE 1 may park with" in page
    car = ReplacementCar.objects.get()
    for shown in ("", "phone/"):
        assert "GARAGE 1 stands in for" in client.get(f"/permits/{permit.code}/{shown}").content.decode()
    client.post(f"/permits/{permit.code}/replacement/{car.code}/end/")
    car.refresh_from_db()
    assert car.ends_at <= timezone.now()


@pytest.mark.parametrize(
    "wrong",
    [
        {"stands_in_for": "2"},
        {"stands_in_for": "-1"},
        {"plate": ""},
        {"plate": "%%%"},
        {"region": "XX"},
        {"last_day": "2999-01-01"},
        {"last_day": "not a day"},
        {"first_day": "1999-01-01"},
    ],
)
def test_impossible_replacements_stand_on_the_form(permit, client, wrong):
    today = local_date().isoformat()
    values = {"stands_in_for": "1", "plate": "GARAGE1", "region": "CA-ON", "first_day": today, "last_day": today}
    assert client.post(f"/permits/{permit.code}/replacement/", values | wrong).status_code == 422
    assert not ReplacementCar.objects.exists()


def test_the_calendar_file_has_start_end_zone_and_an_alarm_before_the_end(permit, client):
    answer = client.get(f"/permits/{permit.code}/calendar/")
    assert answer["Content-Type"] == "text/calendar; charset=utf-8"
    assert "attachment" in answer["Content-Disposition"]
    calendar = Calendar.from_ical(answer.content)
    [event] = calendar.events
    assert event.start == permit.valid_from.replace(microsecond=0)
    assert event.end == permit.valid_until
    assert event.end.tzinfo.key == get_time_zone().key
    assert [zone.tz_name for zone in calendar.timezones] == [get_time_zone().key]
    assert permit.number in event["summary"]
    [alarm] = event.alarms.times
    assert alarm.trigger == permit.valid_until - dt.timedelta(days=1)


def test_a_short_stay_alarms_half_an_hour_before(permit, client):
    Permit.objects.update(valid_until=permit.valid_from + dt.timedelta(hours=3))
    [event] = Calendar.from_ical(client.get(f"/permits/{permit.code}/calendar/").content).events
    [alarm] = event.alarms.times
    assert event.end - alarm.trigger == dt.timedelta(minutes=30)


def test_the_phone_says_valid_or_not_at_a_look_and_runs_no_script(permit, client, clerk):
    answer = client.get(f"/permits/{permit.code}/phone/")
    page = answer.content.decode()
    assert "phone-state good" in page
    assert permit.number in page
    assert permit.vehicle_links.get().vehicle.label in page
    assert "<svg" in page
    assert "<script" not in page
    assert "style=" not in page
    assert "no-store" not in answer["Cache-Control"]
    assert "private" in answer["Cache-Control"]
    suspend_permit(permit=permit, reason="Snow", actor=clerk)
    assert "phone-state bad" in client.get(f"/permits/{permit.code}/phone/").content.decode()


@pytest.mark.parametrize("path", ["vehicles", "replacement", "calendar", "phone", "end"])
def test_strangers_guests_and_the_office_find_none_of_it(permit, client_of, other_resident, clerk, anonymous, path):
    for somebody in (other_resident, clerk):
        assert client_of(somebody).get(f"/permits/{permit.code}/{path}/").status_code == 404
    assert anonymous.get(f"/permits/{permit.code}/{path}/").status_code == 302


def test_another_holder_does_not_end_my_replacement(permit, client_of):
    other = buy(make_sale())
    today = local_date()
    from permits.services.vehicles import add_replacement_car

    car = add_replacement_car(
        permit=permit,
        stands_in_for=permit.vehicle_links.get().vehicle,
        plate="GARAGE1",
        region="CA-ON",
        first_day=today,
        last_day=today,
        actor=permit.holder,
    )
    stranger = client_of(other.holder)
    for code in (permit.code, other.code):
        assert stranger.post(f"/permits/{code}/replacement/{car.code}/end/").status_code == 404


@pytest.mark.parametrize("extra", [0, 2])
def test_the_page_of_a_permit_costs_the_same_with_more_vehicles_and_cars(
    permit, client, extra, django_assert_num_queries
):
    today = local_date()
    from permits.services.vehicles import add_replacement_car

    for number in range(extra):
        add_replacement_car(
            permit=permit,
            stands_in_for=permit.vehicle_links.get().vehicle,
            plate=f"GARAGE{number}",
            region="CA-ON",
            first_day=today + dt.timedelta(days=number),
            last_day=today + dt.timedelta(days=number),
            actor=permit.holder,
        )
    client.get(f"/permits/{permit.code}/replacement/")
    with django_assert_num_queries(8):
        client.get(f"/permits/{permit.code}/replacement/")


def test_a_past_permit_that_was_never_printed_is_printed_once_and_says_that_it_is_over(permit, client):
    Permit.objects.update(valid_until=timezone.now())
    end_permits()
    make_document(permit_id=permit.pk)
    page = client.get(f"/permits/{permit.code}/").content.decode()
    assert "You can only print this once." in page
    answer = client.post(f"/permits/{permit.code}/print/")
    assert answer["Content-Type"] == "application/pdf"
    permit = Permit.objects.get()
    assert permit.status == PermitStatus.ENDED
    assert "This permit is over since" in render_document(permit)


def test_one_ended_early_is_printed_as_over_too(permit, client):
    end_early(permit=permit, actor=permit.holder)
    assert "This permit is over since" in render_document(Permit.objects.get())


def test_a_reservation_shows_no_calendar_and_no_phone_but_its_vehicles(client_of):
    permit = reserve(make_sale())
    page = client_of(permit.holder).get(f"/permits/{permit.code}/").content.decode()
    assert "Change vehicles" in page
    assert "Add to calendar" not in page


@pytest.mark.parametrize("is_past", [False, True])
def test_a_temporary_permit_prints_and_shows_the_same_way(client_of, is_past):
    now = timezone.now()
    permit = activate(reserve_time(make_wish(make_temporary_sale(), start=now, hours=3)))
    if is_past:
        Permit.objects.update(valid_until=timezone.now())
        end_permits()
    make_document(permit_id=permit.pk)
    client = client_of(permit.holder)
    assert "You can only print this once." in client.get(f"/permits/{permit.code}/").content.decode()
    assert client.post(f"/permits/{permit.code}/print/")["Content-Type"] == "application/pdf"
    assert permit.number in client.get(f"/permits/{permit.code}/phone/").content.decode()
    order = OrderLine.objects.get(kind="permit", object_id=permit.pk).order
    assert f"/permits/{permit.code}/" in client.get(f"/payments/receipt/{order.code}/").content.decode()
