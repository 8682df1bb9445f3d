"""Among the provider's settings the office switches payment gateways on and off."""

from django.test import Client
from django.urls import reverse

from opscom.provider.models import Provider
from opscom.provider.selectors import forget_cached
from payments.gateways.registry import offered_gateways
from tests.factories.vehicles import set_provider


def post_settings(office: Client, **changes: object) -> None:
    page = reverse("admin:provider_provider_change", args=[1])
    form = office.get(page).context["adminform"].form
    data = {name: form.get_initial_for_field(field, name) for name, field in form.fields.items()}
    data = {
        name: value for name, value in data.items() if value is not None and value is not False and name != "logo"
    } | changes
    words = data.pop("opening_hours", None) or {}
    data |= {f"opening_hours_{code.replace('-', '_')}": text for code, text in words.items()}
    answer = office.post(page, data)
    assert answer.status_code == 302, answer.context["adminform"].form.errors


def test_the_office_switches_a_gateway_on_and_off(client_of, administrator) -> None:
    set_provider(gateways_on=[])
    office = client_of(administrator)
    post_settings(office, gateways_on=["demo-bank"], office_weekdays=[0, 1, 2])
    forget_cached()
    assert [gateway.code for gateway in offered_gateways()] == ["demo-bank"]
    post_settings(office, gateways_on=[], office_weekdays=[0, 1, 2])
    forget_cached()
    assert offered_gateways() == []
    assert Provider.objects.get().gateways_on == []
