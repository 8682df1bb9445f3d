"""From when until when somebody wants to park, and with which vehicle."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from opscom.core.errors import DomainError
from opscom.provider.selectors import get_provider, get_time_zone, local_date
from permits.models import Sale
from permits.temporary import PATIENCE, Stay, stay_by_dates, stay_by_hours
from vehicles.models import Ownership, Vehicle
from vehicles.plates import read_plate, show_plate
from vehicles.regions import region_choices
from vehicles.services import identify_vehicle

DATES, HOURS = "dates", "hours"
WAYS = {DATES: gettext_lazy("By dates"), HOURS: gettext_lazy("By number of hours")}


class StayForm(forms.Form):
    """Start and end dates, or a start and a number of hours, as the permit type allows.

    `seen_at` is when the price was shown: a stay that begins "now" keeps that instant for a few minutes.
    """

    way = forms.ChoiceField(label=gettext_lazy("How long"), widget=forms.RadioSelect)
    first = forms.DateField(label=gettext_lazy("Start date"), required=False)
    last = forms.DateField(label=gettext_lazy("End date"), required=False)
    start_day = forms.DateField(label=gettext_lazy("Day"), required=False)
    start_time = forms.TimeField(
        label=gettext_lazy("From"),
        required=False,
        widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
        help_text=gettext_lazy("Empty: from now on."),
    )
    hours = forms.IntegerField(label=gettext_lazy("Number of hours"), required=False, min_value=1)
    seen_at = forms.DateTimeField(required=False, widget=forms.HiddenInput)

    stay: Stay
    seen_or_now: dt.datetime

    def __init__(self, *args: Any, sale: Sale, now: dt.datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.sale, self.now = sale, now
        kind, today = sale.permit_type, local_date(now)
        ways = [way for way, is_on in ((DATES, kind.is_by_dates), (HOURS, kind.is_by_hours)) if is_on]
        self.fields["way"].choices = [(way, WAYS[way]) for way in ways]  # type: ignore[attr-defined]
        self.fields["way"].initial = ways[-1]
        last_day = today + dt.timedelta(days=kind.days_ahead)
        for name in ("first", "last", "start_day"):
            attrs = {"type": "date", "min": today.isoformat()}
            if name != "last":
                attrs["max"] = last_day.isoformat()
            self.fields[name].widget = forms.DateInput(attrs=attrs, format="%Y-%m-%d")
            self.fields[name].initial = today
        self.fields["hours"].widget.attrs["max"] = kind.most_hours
        self.fields["hours"].initial = min(2, kind.most_hours)
        if DATES not in ways:
            del self.fields["first"], self.fields["last"]
        if HOURS not in ways:
            del self.fields["start_day"], self.fields["start_time"], self.fields["hours"]

    @property
    def is_by_hours(self) -> bool:
        return bool(self.cleaned_data["way"] == HOURS)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        way = data.get("way")
        wanted = {DATES: ["first", "last"], HOURS: ["start_day", "hours"]}.get(str(way), [])
        for name in wanted:
            if name not in self.errors and data.get(name) is None:
                self.add_error(name, _("Please fill this in."))
        if way and not self.errors:
            self._read_stay(data)
        return data

    def _read_stay(self, data: dict[str, Any]) -> None:
        now = self.seen_or_now = self._as_seen(data.get("seen_at"))
        if data["way"] == DATES:
            if data["last"] < data["first"]:
                self.add_error("last", _("The end must not be before the start."))
            elif data["last"].year > self.now.year + 10:
                self.add_error("last", _("Please choose an earlier date."))
            else:
                self.stay = stay_by_dates(data["first"], data["last"], now)
        else:
            self._read_hours(data, now)

    def _read_hours(self, data: dict[str, Any], now: dt.datetime) -> None:
        day, time = data["start_day"], data.get("start_time")
        if data["hours"] > 10_000:
            self.add_error("hours", _("Please choose fewer hours."))
            return
        if time is None and day > local_date(now):
            time = dt.time.min
        if time is None:
            start = now
        else:
            start = dt.datetime.combine(day, time.replace(second=0, microsecond=0), tzinfo=get_time_zone())
            if start.astimezone(dt.UTC).astimezone(get_time_zone()).replace(tzinfo=None) != start.replace(tzinfo=None):
                self.add_error("start_time", _("The clocks are put forward that night: this time does not exist."))
                return
        self.stay = stay_by_hours(start, data["hours"])

    def _as_seen(self, seen_at: dt.datetime | None) -> dt.datetime:
        if seen_at and self.now - PATIENCE <= seen_at <= self.now:
            return seen_at
        return self.now


class TemporaryForm(StayForm):
    """A stay of somebody with an account: one of their vehicles."""

    vehicle = forms.ChoiceField(
        label=gettext_lazy("Vehicle"),
        widget=forms.RadioSelect,
        error_messages={
            "required": gettext_lazy("Choose the vehicle that will park."),
            "invalid_choice": gettext_lazy("Choose active vehicles of your own."),
        },
    )

    def __init__(self, *args: Any, ownerships: Sequence[Ownership], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.by_code = {ownership.code: ownership.vehicle for ownership in ownerships}
        choices = [(ownership.code, ownership.label) for ownership in ownerships]
        self.fields["vehicle"].choices = choices  # type: ignore[attr-defined]
        self.fields["vehicle"].initial = choices[0][0] if choices else None

    def chosen_vehicle(self) -> Vehicle:
        """Return the vehicle behind the chosen code."""
        return self.by_code[self.cleaned_data["vehicle"]]


class GuestStayForm(StayForm):
    """A stay of somebody without an account: the plate as they type it."""

    plate = forms.CharField(
        label=gettext_lazy("Plate"),
        max_length=24,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"}),
    )
    region = forms.ChoiceField(label=gettext_lazy("State/Province"), choices=region_choices)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        provider = get_provider()
        self.fields["region"].initial = f"{provider.home_country}-{provider.home_region}"

    def clean_plate(self) -> str:
        try:
            read_plate(self.cleaned_data["plate"])
        except DomainError as error:
            raise forms.ValidationError(str(error)) from error
        return show_plate(self.cleaned_data["plate"])

    def find_vehicle(self) -> Vehicle:
        """Return the vehicle with this plate, made when nobody has named it before."""
        return identify_vehicle(plate=self.cleaned_data["plate"], region=self.cleaned_data["region"])
