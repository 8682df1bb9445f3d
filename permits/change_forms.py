"""What the office types before it changes a permit, or sells one."""

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminRadioSelectWidget,
    UnfoldAdminSelectWidget,
    UnfoldBooleanSwitchWidget,
)

from accounts.forms.office import ConfirmForm
from accounts.models import User
from payments.admin.forms import money_field, words_field
from payments.models import Tender
from permits.models import NumberChangeReason, Permit, PermitStatus, Sale
from vehicles.models import Ownership, Vehicle
from vehicles.plates import normalise_plate
from vehicles.selectors import active_vehicles_of


class WhyForm(forms.Form):
    """Why, in words that the holder reads, too."""

    reason = words_field(_("Reason"), _("The holder reads it."))
    field_order: list[str] = ["reason"]


class EndForm(ConfirmForm, WhyForm):
    """The office ends a permit early: money goes back."""

    shown = forms.DecimalField(widget=forms.HiddenInput)
    field_order = ["reason", "shown", "password", "code"]


class SwitchForm(WhyForm):
    """With whose permit."""

    number = words_field(_("Number of the other permit"))
    field_order = ["number", "reason"]

    def clean_number(self) -> Permit:
        number = self.cleaned_data["number"].strip()
        found = Permit.objects.filter(status=PermitStatus.ACTIVE, number__iexact=number, holder_place__isnull=False)
        permit = found.first()
        if permit is None or found.count() > 1:
            raise ValidationError(_("No active permit has this number."))
        return permit


class MoveForm(WhyForm):
    """To which sale, and to which of its numbers."""

    sale = forms.ModelChoiceField(
        Sale.objects.filter(is_active=True)
        .exclude(permit_type__term_kind="temporary")
        .select_related("lot", "permit_type"),
        label=_("To the sale"),
        widget=UnfoldAdminSelectWidget,
    )
    number = words_field(_("Number"), _("Empty: any free number."), required=False)
    field_order = ["sale", "number", "reason"]


class ReplaceForm(WhyForm):
    """Lost or stolen, with the type's fee or without."""

    why = forms.ChoiceField(
        label=_("What happened"),
        choices=[(one.value, one.label) for one in (NumberChangeReason.LOST, NumberChangeReason.STOLEN)],
        widget=UnfoldAdminRadioSelectWidget,
    )
    with_fee = forms.BooleanField(
        label=_("Ask the fee"), required=False, initial=True, widget=UnfoldBooleanSwitchWidget
    )
    field_order = ["why", "with_fee", "reason"]


def find_person(text: str) -> User:
    """Return whom the office means by an e-mail address, or a plate that one person has; ValidationError when nobody."""
    people = User.objects.filter(merged_into__isnull=True, is_active=True)
    if "@" in text:
        found = people.filter(email__iexact=text.strip())
    else:
        owned = (
            Ownership.objects.usable().filter(vehicle__plate_key=normalise_plate(text)).exclude(vehicle__plate_key="")
        )
        found = people.filter(pk__in=owned.values("user"))
    if found.count() != 1:
        raise ValidationError(_("No one person has this e-mail address, or this plate."))
    return found.get()


class PersonFields(forms.Form):
    """Somebody, and which of their vehicles."""

    person = words_field(_("E-mail of the person, or a plate of theirs"))
    plates = words_field(_("Vehicles"), _("Plates of that person, with commas between them."))

    def clean_person(self) -> User:
        return find_person(self.cleaned_data["person"])

    def clean_plates(self) -> list[Vehicle]:
        """Return the vehicles; the person is looked at before."""
        person = self.cleaned_data.get("person")
        keys = {normalise_plate(plate) for plate in self.cleaned_data["plates"].split(",") if plate.strip()}
        owned = active_vehicles_of(person) if person else []
        found = [one.vehicle for one in owned if one.vehicle.plate_key in keys]
        if person and (not keys or {vehicle.plate_key for vehicle in found} != keys):
            raise ValidationError(_("These are not all active vehicles of that person."))
        return found


class PersonForm(PersonFields, WhyForm):
    """To whom, and for which of their vehicles."""

    field_order = ["person", "plates", "reason"]


class CounterForm(PersonFields, ConfirmForm):
    """A permit sold at the counter: to whom, and what lies there."""

    amount = money_field(_("Amount received"), _("Tax included."), least="0")
    tender = forms.ChoiceField(label=_("Brought as"), choices=Tender.choices, widget=UnfoldAdminRadioSelectWidget)
    reference = words_field(_("Cheque or receipt number"), required=False)
    field_order = ["person", "plates", "amount", "tender", "reference", "password", "code"]

    def clean_reference(self) -> str:
        reference: str = self.cleaned_data["reference"]
        if not reference and self.cleaned_data.get("tender") == Tender.CHEQUE:
            raise ValidationError(_("A cheque has a number: when it bounces, it is found by that."))
        return reference
