"""What a plate is, however it is typed."""

import datetime as dt

import pytest
from django.utils.translation import override

from opscom.provider.selectors import local_date
from vehicles import plates
from vehicles.regions import region_choices, region_codes, region_name

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "typed", ["ABCD123", "abcd 123", " AbCd-123 ", "ABCD–123", "ABCD\u00a0123", "ＡＢＣＤ１２３", "ABCD\u200b123"]
)
def test_plate_reads_the_same_however_it_is_typed(typed: str) -> None:
    assert plates.read_plate(typed) == "ABCD123"


@pytest.mark.parametrize(
    "typed", ["", "  - ", "AB*12", "ÉTÉ 1", "straße", "АВС123", "AB_1", "A.B", "12345678901", "<b>"]
)
def test_plate_that_cannot_be_is_refused_with_a_sentence(typed: str) -> None:
    with pytest.raises(plates.BadPlate) as caught:
        plates.read_plate(typed)
    assert str(caught.value).endswith(".")


def test_shortest_and_longest_plate() -> None:
    assert plates.read_plate("a") == "A"
    assert plates.read_plate("1234567890") == "1234567890"


def test_plate_is_shown_as_typed_in_capitals() -> None:
    assert plates.show_plate(" ckmt  482 ") == "CKMT 482"
    assert plates.show_plate("a-b-c-d-e-f-g-h-i-j") == "ABCDEFGHIJ"


@pytest.mark.parametrize("typed", ["1HGCM82633A00435", "1HGCM82633A0043522", "1HGCM82633A00435O", "IHGCM82633A004352"])
def test_vin_that_cannot_be_is_refused(typed: str) -> None:
    with pytest.raises(plates.BadPlate):
        plates.read_vin(typed)


def test_vin_is_read_without_spaces() -> None:
    assert plates.read_vin("1hgcm 82633 a004352") == "1HGCM82633A004352"


@pytest.mark.parametrize(("years_from_now", "is_possible"), [(1, True), (2, False), (-500, False)])
def test_year_runs_to_next_year(years_from_now: int, is_possible: bool) -> None:
    year = local_date().year + years_from_now
    if is_possible:
        plates.check_year(year)
    else:
        with pytest.raises(plates.BadPlate):
            plates.check_year(year)


def test_oldest_year() -> None:
    plates.check_year(1900)
    with pytest.raises(plates.BadPlate):
        plates.check_year(1899)


@pytest.mark.parametrize(("days", "is_possible"), [(-1, False), (0, True), (366, True), (367, False)])
def test_last_day_is_from_today_to_a_year(days: int, is_possible: bool) -> None:
    day = local_date() + dt.timedelta(days=days)
    if is_possible:
        plates.check_last_day(day)
    else:
        with pytest.raises(plates.BadPlate):
            plates.check_last_day(day)


def test_provinces_then_states_then_other_countries() -> None:
    provinces, states, others = (dict(choices) for _name, choices in region_choices())
    assert len(provinces) == 13
    assert provinces["CA-ON"] == "Ontario"
    assert states["US-NY"] == "New York"
    assert others["FR"] == "France"
    assert not {"CA", "US"} & set(others)
    assert {*provinces, *states, *others} == region_codes()


def test_regions_speak_french_and_are_sorted_in_it() -> None:
    with override("fr-ca"):
        provinces = [name for _code, name in region_choices()[0][1]]
        assert region_name("CA-NS") == "Nouvelle-Écosse"
        assert region_name("US-CA") == "Californie"
        assert region_name("DE") == "Allemagne"
    assert provinces.index("Île-du-Prince-Édouard") < provinces.index("Manitoba")


def test_unknown_region_is_named_by_its_code() -> None:
    assert region_name("XX-YY") == "XX-YY"
    assert region_name("QQ") == "QQ"


def test_plate_is_shown_as_it_is_read_with_nothing_invisible_in_it() -> None:
    assert plates.show_plate("\u202eab 123\u202c\u200b") == "AB 123"
