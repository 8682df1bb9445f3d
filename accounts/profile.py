"""The built-in profile fields: their groups, what they are by default, and how each is asked."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from django_countries import countries
from localflavor.ca.ca_provinces import PROVINCE_CHOICES
from localflavor.us.us_states import STATE_CHOICES
from phonenumber_field.formfields import PhoneNumberField

from accounts.models import FieldGroup, FieldState, User
from opscom.provider.selectors import get_provider

# Elsewhere a province or state is not asked for, so it can be neither required nor missing.
COUNTRIES_WITH_REGIONS = {
    "CA": {code for code, _name in PROVINCE_CHOICES},
    "US": {code for code, _name in STATE_CHOICES},
}
HIDDEN, VISIBLE, REQUIRED = FieldState.HIDDEN, FieldState.VISIBLE, FieldState.REQUIRED


@dataclass(frozen=True, slots=True)
class BuiltIn:
    """A field of `User` that the provider may ask for. `autocomplete` tells browsers what it is."""

    name: str
    group: FieldGroup
    state: FieldState = VISIBLE
    at_registration: bool = False
    autocomplete: str = "off"


BUILT_IN = [
    BuiltIn("first_name", FieldGroup.PERSONAL, REQUIRED, at_registration=True, autocomplete="given-name"),
    BuiltIn("last_name", FieldGroup.PERSONAL, REQUIRED, at_registration=True, autocomplete="family-name"),
    BuiltIn("mobile_phone", FieldGroup.PERSONAL, autocomplete="tel"),
    BuiltIn("language", FieldGroup.SETTINGS),
    BuiltIn("street", FieldGroup.ADDRESS, autocomplete="address-line1"),
    BuiltIn("unit", FieldGroup.ADDRESS, autocomplete="address-line2"),
    BuiltIn("city", FieldGroup.ADDRESS, autocomplete="address-level2"),
    BuiltIn("region", FieldGroup.ADDRESS, autocomplete="address-level1"),
    BuiltIn("postal_code", FieldGroup.ADDRESS, autocomplete="postal-code"),
    BuiltIn("country", FieldGroup.ADDRESS, autocomplete="country"),
    BuiltIn("employee_number", FieldGroup.EMPLOYEE, HIDDEN),
    BuiltIn("student_number", FieldGroup.STUDENT, HIDDEN),
    BuiltIn("licence_number", FieldGroup.LICENCE, HIDDEN),
]
BY_NAME = {field.name: field for field in BUILT_IN}


def make_form_field(name: str, languages: list[tuple[str, str]]) -> forms.Field:
    """Return the input for one built-in field, with the label and the length that the model gives it."""
    model_field: Any = User._meta.get_field(name)
    makers: dict[str, Callable[[], forms.Field]] = {
        "mobile_phone": lambda: PhoneNumberField(region=get_provider().home_country),
        "language": lambda: forms.ChoiceField(choices=languages),
        "region": lambda: forms.ChoiceField(choices=_region_choices()),
        "country": lambda: forms.ChoiceField(choices=_country_choices()),
    }
    field = makers.get(name, lambda: forms.CharField(max_length=model_field.max_length))()
    field.label = capfirst(model_field.verbose_name)
    field.widget.attrs["autocomplete"] = BY_NAME[name].autocomplete
    if name == "mobile_phone":
        field.widget.attrs["inputmode"] = "tel"
    return field


def _region_choices() -> list[Any]:
    return [("", "—"), (_("Canada"), list(PROVINCE_CHOICES)), (_("United States"), list(STATE_CHOICES))]


def _country_choices() -> list[tuple[str, str]]:
    first = list(dict.fromkeys([get_provider().home_country, "CA", "US"]))
    rest = [(code, str(name)) for code, name in countries]
    names = dict(rest)
    return [
        ("", "—"),
        *((code, names[code]) for code in first if code in names),
        *(c for c in rest if c[0] not in first),
    ]
