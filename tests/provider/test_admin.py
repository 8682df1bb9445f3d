"""The office's pages for the provider."""

import pytest
from django.contrib.auth import get_user_model
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from opscom.core.models import AuditEntry
from opscom.provider.models import Disclaimer, Holiday, Lot, Provider
from opscom.provider.selectors import get_provider
from tests.factories.provider import make_lot
from tests.people import show_code
from tests.provider.pictures import picture

pytestmark = pytest.mark.django_db


@pytest.fixture
def office(client, admin_site_opens):
    return client


@pytest.fixture
def admin_site_opens(client, monkeypatch):
    """Sign the administrator in, with a one-time password shown."""
    user = get_user_model().objects.create_superuser("office@example.org", "x", first_name="Olga", last_name="Roy")
    client.force_login(user)
    show_code(client, user)
    return user


def provider_data(**changes):
    """Return the provider's form as the browser would send it unchanged."""
    from django.forms.models import model_to_dict

    from opscom.provider.forms import ProviderForm

    data = {k: v for k, v in model_to_dict(Provider.objects.get(), ProviderForm.Meta.fields).items() if v is not None}
    for name in ("opening_hours", "logo"):
        data.pop(name)
    return {**data, "opening_hours_en": "", "opening_hours_fr_ca": "", **changes}


def test_list_leads_to_the_one_row(office):
    response = office.get(reverse("admin:provider_provider_changelist"))
    assert response["Location"] == reverse("admin:provider_provider_change", args=[1])
    assert office.get(response["Location"]).status_code == 200
    assert office.get(reverse("admin:provider_provider_add")).status_code == 403


def test_saving_is_seen_and_logged(office, django_capture_on_commit_callbacks):
    get_provider()
    address = reverse("admin:provider_provider_change", args=[1])
    with django_capture_on_commit_callbacks(execute=True):
        response = office.post(address, provider_data(name="Lakeshore"))
    assert response.status_code == 302, response.context["adminform"].form.errors
    assert get_provider().name == "Lakeshore"
    assert AuditEntry.objects.get(action="provider.changed").facts["changed"] == ["name"]


def test_logo_is_checked_by_content_and_named_by_it(office):
    address = reverse("admin:provider_provider_change", args=[1])
    bad = SimpleUploadedFile("logo.png", b"<svg onload=alert(1)>", "image/png")
    assert office.post(address, provider_data(logo=bad)).status_code == 200
    assert not Provider.objects.get().logo
    good = SimpleUploadedFile("evil.html", picture("PNG"), "text/html")
    assert office.post(address, provider_data(logo=good)).status_code == 302
    assert Provider.objects.get().logo.name.endswith(".png")


def test_office_must_close_after_it_opens(office):
    address = reverse("admin:provider_provider_change", args=[1])
    assert office.post(address, provider_data(office_closes="08:00")).status_code == 200


def test_disclaimer_text_raises_its_version(office):
    disclaimer = Disclaimer.objects.get(kind="vehicle")
    address = reverse("admin:provider_disclaimer_change", args=[disclaimer.pk])
    assert office.post(address, {"text_en": "Park well.", "text_fr_ca": ""}).status_code == 302
    disclaimer.refresh_from_db()
    assert (str(disclaimer.text), disclaimer.version) == ("Park well.", 2)
    assert office.get(address).status_code == 200


@pytest.mark.parametrize("name", ["disclaimer", "term", "holiday", "lot"])
def test_lists_and_forms_open(office, name):
    make_lot()
    assert office.get(reverse(f"admin:provider_{name}_changelist")).status_code == 200
    expected = 403 if name == "disclaimer" else 200
    assert office.get(reverse(f"admin:provider_{name}_add")).status_code == expected


def test_history_of_a_lot(office):
    assert office.get(reverse("admin:provider_lot_history", args=[make_lot().pk])).status_code == 200


def test_lot_with_free_hours(office):
    data = {"code": "102", "name_en": "North", "name_fr_ca": "Nord", "place_en": "", "place_fr_ca": ""}
    data |= {
        "description_en": "",
        "description_fr_ca": "",
        "stalls": "40",
        "temporary_spaces": "0",
        "is_visible": "on",
        "position": "0",
    }
    data |= {"free_hours-TOTAL_FORMS": "1", "free_hours-INITIAL_FORMS": "0"}
    data |= {"free_hours-0-weekdays": ["5", "6"], "free_hours-0-from_time": "00:00", "free_hours-0-until_time": "00:00"}
    response = office.post(reverse("admin:provider_lot_add"), data)
    assert response.status_code == 302, response.context["errors"]
    assert Lot.objects.get().free_hours.get().weekdays == [5, 6]


def test_a_new_holiday_is_seen_at_once(office, django_capture_on_commit_callbacks):
    from opscom.provider.selectors import local_date, next_holidays

    assert next_holidays() == []
    with django_capture_on_commit_callbacks(execute=True):
        office.post(reverse("admin:provider_holiday_add"), {"on": local_date(), "name_en": "Today", "name_fr_ca": ""})
    assert [holiday.on for holiday in next_holidays()] == list(Holiday.objects.values_list("on", flat=True))
