"""What the office types about types, sales and numbers."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminTextInputWidget,
)

from opscom.provider.forms import weekday_field
from permits.models import TermKind
from permits.services.allotting import NumberRange
from vehicles.models import VehicleKind


class PermitTypeForm(forms.ModelForm):
    """A permit type, with checkboxes where a list is kept."""

    vehicle_kinds = forms.MultipleChoiceField(
        label=_("Only for these kinds of vehicle"),
        choices=VehicleKind.choices,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        required=False,
        help_text=_("None ticked means every kind."),
    )


class ValidityForm(forms.ModelForm):
    """Where and when a type is valid beyond its own lot."""

    weekdays = weekday_field(label=_("Weekdays"), required=False, help_text=_("None ticked means every day."))


class SaleForm(forms.ModelForm):
    """A sales window; dates that contradict each other are named at the field."""

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        opens, closes = data.get("opens_at"), data.get("closes_at")
        first, after_last = data.get("valid_from"), data.get("valid_until")
        if opens and closes and closes <= opens:
            self.add_error("closes_at", _("The sale must close after it opens."))
        if after_last and not first:
            self.add_error("valid_from", _("Give the first day, too."))
        elif first and after_last and after_last <= first:
            self.add_error("valid_until", _("The dates must end after they begin."))
        kind = data.get("permit_type")
        if kind and kind.term_kind == TermKind.FIXED and not after_last and "valid_until" not in self.errors:
            self.add_error(
                "valid_until", _("This type has fixed dates: give the first day and the day after the last.")
            )
        return data


class AllotNumbersForm(forms.Form):
    """A range of numbers: NG-, 1, 120, 3 gives NG-001 to NG-120."""

    # A declared field is taken off the class, so it does not hide the form's own `prefix`.
    prefix = forms.CharField(  # type: ignore[assignment]
        label=_("Prefix"), max_length=12, required=False, widget=UnfoldAdminTextInputWidget, help_text=_("Such as NG-")
    )
    first = forms.IntegerField(label=_("First number"), min_value=0, widget=UnfoldAdminIntegerFieldWidget)
    last = forms.IntegerField(label=_("Last number"), min_value=0, widget=UnfoldAdminIntegerFieldWidget)
    width = forms.IntegerField(
        label=_("Digits"),
        min_value=1,
        max_value=8,
        initial=3,
        widget=UnfoldAdminIntegerFieldWidget,
        help_text=_("Filled with zeros: 3 gives 001."),
    )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        first, last = data.get("first"), data.get("last")
        if first is not None and last is not None:
            if last < first:
                self.add_error("last", _("The last number must not be smaller than the first."))
            elif last >= 10**8:
                self.add_error("last", _("A number has at most eight digits."))
        return data

    def to_range(self) -> NumberRange:
        """Return the range as the service takes it."""
        return NumberRange(**self.cleaned_data)
