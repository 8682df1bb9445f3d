"""What people type about themselves."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from localflavor.ca.forms import CAPostalCodeField
from localflavor.us.forms import USZipCodeField

from accounts.answers import load, make_answer_field, store
from accounts.forms.inputs import AddressField
from accounts.models import FieldGroup, MailingAddress, User
from accounts.profile import COUNTRIES_WITH_REGIONS, make_form_field
from accounts.selectors import Asked, answers_of, asked_fields, missing_fields, offered_languages
from accounts.sso.selectors import mapped_fields
from opscom.provider.selectors import get_provider

POSTAL_CODES: dict[str, type[forms.CharField]] = {"CA": CAPostalCodeField, "US": USZipCodeField}
LETTER_LINES = ("street", "unit", "city", "region", "postal_code", "country")
NEEDED_LINES = {"street", "city", "region", "country"}


class ProfileFieldsForm(forms.Form):
    """The profile fields that the provider asks for, in its order: built-in ones and the office's own."""

    def add_profile_fields(self, asked: list[Asked], languages: list[tuple[str, str]]) -> None:
        """Add an input for each; a greyed-out one is disabled, so that whatever is posted for it is ignored."""
        self.asked = asked
        for one in asked:
            field = make_answer_field(one) if one.is_own else make_form_field(one.name, languages)
            field.required = one.is_required and one.is_editable and one.name != "region"
            field.disabled = not one.is_editable
            self.fields[one.name] = field

    def clean(self) -> None:
        country = self.value_of("country")
        self.check_region(country)
        code = self.cleaned_data.get("postal_code")
        if code and country in POSTAL_CODES and not self.fields["postal_code"].disabled:
            try:
                self.cleaned_data["postal_code"] = POSTAL_CODES[country]().clean(code.upper())
            except ValidationError as error:
                self.add_error("postal_code", error)

    def check_region(self, country: str) -> None:
        """A region belongs to its country; where a country has none here, none is kept."""
        if "region" not in self.fields or self.fields["region"].disabled or "region" in self.errors:
            return
        region, known = self.cleaned_data.get("region"), COUNTRIES_WITH_REGIONS.get(country)
        is_required = any(one.name == "region" and one.is_required for one in self.asked)
        if country and known is None:
            self.cleaned_data["region"] = ""
        elif region and known and region not in known:
            self.add_error("region", _("This province or state is not in the country chosen."))
        elif is_required and not region:
            self.add_error("region", self.fields["region"].error_messages["required"])

    def value_of(self, name: str) -> str:
        """Return what was entered, or what is known where the field is not asked."""
        return str(self.cleaned_data.get(name, self.initial.get(name) or ""))

    def groups(self) -> list[tuple[str, list[forms.BoundField]]]:
        """Return (heading, fields) for each group that asks for something."""
        shown = [(group, [self[one.name] for one in self.asked if one.group == group]) for group in FieldGroup]
        return [(str(group.label), fields) for group, fields in shown if fields]

    def profile(self) -> dict[str, Any]:
        """Return the cleaned values of the profile fields that may be changed, answers as they are stored."""
        values = [(one, self.cleaned_data[one.name]) for one in self.asked if one.is_editable]
        return {one.name: store(value) if one.is_own else value for one, value in values}


class RegistrationForm(ProfileFieldsForm):
    """`Create Account`: the address, and the profile questions asked at registration."""

    email = AddressField()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # The language was chosen on the way here.
        asked = [one for one in asked_fields() if one.is_asked_at_registration and one.name != "language"]
        self.add_profile_fields([one for one in asked if one.is_editable], [])


class PersonFieldsForm(ProfileFieldsForm):
    """Profile fields of somebody who is here already, filled with what is known. Subclasses choose which."""

    def __init__(self, *args: Any, person: User, **kwargs: Any) -> None:
        asked, languages = self.choose(person, asked_fields()), offered_languages()
        if len(languages) < 2:
            asked = [one for one in asked if one.name != "language"]
        kwargs["initial"] = known_values(person, asked)
        super().__init__(*args, **kwargs)
        self.add_profile_fields(as_asked_of(person, asked, self.initial), languages)

    def choose(self, person: User, asked: list[Asked]) -> list[Asked]:
        """Return the fields that this form asks."""
        return asked


class ProfileForm(PersonFieldsForm):
    """`Your Profile`: all but the address, which has a page of its own; while something of it is missing, that too."""

    def choose(self, person: User, asked: list[Asked]) -> list[Asked]:
        missing = missing_fields(person)
        is_address_due = any(one.group == FieldGroup.ADDRESS and one.name in missing for one in asked)
        return [one for one in asked if one.group != FieldGroup.ADDRESS or is_address_due]


class HomeAddressForm(PersonFieldsForm):
    """`Edit Address`: the home address."""

    def choose(self, person: User, asked: list[Asked]) -> list[Asked]:
        return [one for one in asked if one.group == FieldGroup.ADDRESS]


class MailingAddressForm(ProfileFieldsForm):
    """`Edit Address`: where letters go, the same as the home address or one of its own."""

    is_same = forms.BooleanField(label=_("Same as the home address"), required=False)

    def __init__(self, *args: Any, person: User, **kwargs: Any) -> None:
        own = MailingAddress.objects.filter(person=person).first()
        lines = {name: getattr(own, name) if own else "" for name in LETTER_LINES}
        country = lines["country"] or get_provider().home_country
        kwargs["initial"] = {**lines, "country": country, "is_same": own is None}
        super().__init__(*args, **kwargs)
        self.add_profile_fields([ask_line(name) for name in LETTER_LINES], [])
        for name in LETTER_LINES:
            # Whether they are needed depends on the box above them.
            self.fields[name].required = False

    def clean(self) -> None:
        if self.cleaned_data.get("is_same"):
            for name in LETTER_LINES:
                self.errors.pop(name, None)
            return
        super().clean()
        for one in self.asked:
            if one.is_required and one.name != "region" and not self.value_of(one.name) and one.name not in self.errors:
                self.add_error(one.name, self.fields[one.name].error_messages["required"])

    def lines(self) -> dict[str, str] | None:
        """Return the address; None where letters go home."""
        if self.cleaned_data["is_same"]:
            return None
        return {name: str(self.cleaned_data[name]) for name in LETTER_LINES}


def ask_line(name: str) -> Asked:
    """Return one line of a mailing address, asked like a profile field."""
    return Asked(name, FieldGroup.ADDRESS, name in NEEDED_LINES, is_editable=True, is_asked_at_registration=False)


def known_values(person: User, asked: Iterable[Asked]) -> dict[str, Any]:
    """Return what is known of the person, as the inputs take it; always with a country, for what depends on it."""
    asked = list(asked)
    answers = answers_of(person, asked)
    values = {
        one.name: load(one, answers.get(one.name, "")) if one.is_own else getattr(person, one.name) for one in asked
    }
    return {**values, "country": person.country or get_provider().home_country}


def as_asked_of(person: User, asked: list[Asked], values: Mapping[str, Any]) -> list[Asked]:
    """Return the fields as this person is asked them: THE place that decides what is greyed out for whom.

    Beside what the office decided for everybody, what the person's identity provider has filled is not for them to change.
    """
    mapped = {name for name in mapped_fields(person) if str(values.get(name) or "").strip()}
    return [replace(one, is_editable=False) if one.name in mapped else one for one in asked]
