"""What a person fills in about a vehicle."""

import dataclasses
import datetime as dt
from collections.abc import Callable, Collection
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from unfold.widgets import INPUT_CLASSES, SELECT_CLASSES

from opscom.core.errors import DomainError, Refused
from opscom.provider.models import Provider
from opscom.provider.selectors import get_provider
from vehicles import plates
from vehicles.models import Colour, Ownership, PlateType, VehicleKind
from vehicles.regions import region_choices
from vehicles.selectors import can_add_vehicle, default_plate_type
from vehicles.services import VehicleData

# What the provider may ask beside the plate: `Provider.vehicle_fields` names those that are shown.
EXTRA_FIELDS = ("kind", "make", "model", "colour")


class VehicleForm(forms.Form):
    """Plate, state/province, plate type and year; what else the provider asks; a VIN while there is no plate."""

    plate = forms.CharField(
        label=_("Plate"),
        required=False,
        max_length=24,
        help_text=_("Capital or small letters, with or without spaces and dashes: all are read the same."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"}),
    )
    region = forms.ChoiceField(label=_("State/Province"), choices=region_choices)
    plate_type = forms.ModelChoiceField(label=_("Plate Type"), queryset=PlateType.objects.none(), empty_label=None)
    year = forms.IntegerField(
        label=_("Vehicle Year"), widget=forms.TextInput(attrs={"inputmode": "numeric", "maxlength": 4})
    )
    kind = forms.ChoiceField(label=_("Kind"), required=False, choices=[("", "---------"), *VehicleKind.choices])
    make = forms.CharField(label=_("Make"), required=False, max_length=40)
    model = forms.CharField(label=_("Model"), required=False, max_length=40)
    colour = forms.ChoiceField(label=_("Colour"), required=False, choices=[("", "---------"), *Colour.choices])
    vin = forms.CharField(
        label=_("VIN"),
        required=False,
        max_length=24,
        help_text=_("The 17 letters and digits on the registration and behind the windshield. Only without a plate."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"}),
    )
    temporary_plate_until = forms.DateField(
        label=_("Last day without its own plate"),
        required=False,
        help_text=_("For a VIN, a dealer plate or a temporary plate. Enter the new plate here when it has come."),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )

    def __init__(self, *args: Any, provider: Provider, ownership: Ownership | None = None, **kwargs: Any) -> None:
        self.ownership = ownership
        kwargs["initial"] = {**initial_of(ownership, provider), **(kwargs.get("initial") or {})}
        super().__init__(*args, **kwargs)
        self.hide_extras(shown=provider.vehicle_fields or ())
        # A type that is no longer offered stays possible for the plate that has it.
        current = ownership.vehicle.plate_type_id if ownership else None
        types: forms.ModelChoiceField = self.fields["plate_type"]  # type: ignore[assignment]
        types.queryset = PlateType.objects.filter(Q(is_active=True) | Q(pk=current))

    def hide_extras(self, *, shown: Collection[str]) -> None:
        """Leave out what the provider does not ask."""
        for name in EXTRA_FIELDS:
            if name not in shown:
                del self.fields[name]

    def extra_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in EXTRA_FIELDS if name in self.fields]

    @property
    def is_plate_missing(self) -> bool:
        """Say whether to open the part for vehicles without a plate: something stands in it, or is wrong there."""
        names = ("vin", "temporary_plate_until")
        return any(self[name].errors or self[name].value() for name in names)

    def clean_plate(self) -> str:
        plate: str = self.cleaned_data["plate"]
        if plate:
            said(plates.read_plate, plate)
        return plate

    def clean_vin(self) -> str:
        vin: str = self.cleaned_data["vin"]
        return said(plates.read_vin, vin) if vin else ""

    def clean_year(self) -> int:
        year: int = self.cleaned_data["year"]
        said(plates.check_year, year)
        return year

    def clean_temporary_plate_until(self) -> dt.date | None:
        day: dt.date | None = self.cleaned_data["temporary_plate_until"]
        # A day that has passed meanwhile must not stand in the way of another change.
        if day and day != (self.ownership and self.ownership.temporary_plate_until):
            said(plates.check_last_day, day)
        return day

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        plate, vin, plate_type = data.get("plate"), data.get("vin"), data.get("plate_type")
        if not plate and not vin and not self.errors.keys() & {"plate", "vin"}:
            self.add_error("plate", _("Enter the plate, or the VIN below if there is no plate yet."))
        ends = bool(vin and not plate) or bool(plate and plate_type and plate_type.is_temporary)
        if ends and not data.get("temporary_plate_until") and "temporary_plate_until" not in self.errors:
            self.add_error(
                "temporary_plate_until", _("Enter the last day on which the vehicle is without its own plate.")
            )
        return data

    def to_data(self) -> VehicleData:
        """Return what the services take; what was not asked stays as it was."""
        kept = {name: getattr(self.ownership, name) for name in EXTRA_FIELDS} if self.ownership else {}
        asked = {field.name for field in dataclasses.fields(VehicleData)}
        return VehicleData(**{**kept, **{name: value for name, value in self.cleaned_data.items() if name in asked}})


class OfficeVehicleForm(VehicleForm, forms.ModelForm):
    """The same questions for the office, which asks all of them, and names the person of a new vehicle."""

    class Meta:
        model = Ownership
        fields = ["user"]

    def __init__(self, *args: Any, instance: Ownership | None = None, **kwargs: Any) -> None:
        ownership = instance if instance and instance.pk else None
        super().__init__(*args, provider=get_provider(), ownership=ownership, instance=instance, **kwargs)
        # The admin dresses the fields of models by itself; these are ours.
        for name in VehicleForm.base_fields:
            is_choice = isinstance(self.fields[name], forms.ChoiceField)
            self.fields[name].widget.attrs["class"] = " ".join(SELECT_CLASSES if is_choice else INPUT_CLASSES)

    def hide_extras(self, *, shown: Collection[str]) -> None:
        """Keep all: the office may note what people are not asked."""

    def clean(self) -> dict[str, Any]:
        data = super().clean()
        if "user" in data:
            decision = can_add_vehicle(data["user"])
            if isinstance(decision, Refused):
                self.add_error("user", str(decision.reason))
        return data


def initial_of(ownership: Ownership | None, provider: Provider) -> dict[str, Any]:
    """Return what stands in the form at first: the vehicle as it is, or the provider's region and the usual type."""
    usual_type = default_plate_type()
    if ownership is None:
        region = "-".join(part for part in (provider.home_country, provider.home_region) if part)
        return {"region": region, "plate_type": usual_type}
    vehicle = ownership.vehicle
    own = ("plate", "year", "temporary_plate_until", *EXTRA_FIELDS)
    return {
        **{name: getattr(ownership, name) for name in own},
        "region": vehicle.region,
        "plate_type": vehicle.plate_type or usual_type,
        "vin": vehicle.vin,
    }


def said(check: Callable[[Any], Any], value: Any) -> Any:
    """Run a check; what it refuses becomes the field's error."""
    try:
        return check(value)
    except DomainError as error:
        raise ValidationError(str(error)) from error
