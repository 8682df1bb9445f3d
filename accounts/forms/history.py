"""Which part of the history to show."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.history import Window, read_place
from accounts.person_parts import HistoryKind
from opscom.provider.selectors import start_of_day


def day_field(label: Any) -> forms.DateField:
    """Return an optional day, chosen in the browser's own calendar."""
    return forms.DateField(
        label=label, required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )


class HistoryForm(forms.Form):
    """Kind and days; `older` and `newer` are the places that the links between pages carry."""

    kind = forms.ChoiceField(label=_("Show"), required=False)
    first_day = day_field(pgettext_lazy("first day", "From"))
    last_day = day_field(pgettext_lazy("last day", "To"))

    def __init__(self, *args: Any, kinds: Sequence[HistoryKind], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [("", _("Everything")), *[(kind.code, kind.label) for kind in kinds]]
        self.fields["kind"].choices = choices  # type: ignore[attr-defined]

    def clean(self) -> None:
        first, last = self.cleaned_data.get("first_day"), self.cleaned_data.get("last_day")
        if first and last and last < first:
            self.add_error("last_day", ValidationError(_("This day is before the first one.")))

    def clean_first_day(self) -> dt.date | None:
        return self._within_calendar("first_day")

    def clean_last_day(self) -> dt.date | None:
        return self._within_calendar("last_day")

    def _within_calendar(self, name: str) -> dt.date | None:
        """The instant at which a day of the year 1 or 9999 begins may lie beyond the calendar in another time zone."""
        day: dt.date | None = self.cleaned_data.get(name)
        if day and not 1900 <= day.year <= 2999:
            raise ValidationError(_("Enter a valid date."))
        return day

    def window(self, *, oldest: dt.datetime | None) -> Window:
        """Return what the valid form asks for, nothing of it before `oldest`."""
        first, last = self.cleaned_data["first_day"], self.cleaned_data["last_day"]
        starts = [moment for moment in (oldest, start_of_day(first) if first else None) if moment]
        return Window(
            kind=self.cleaned_data["kind"],
            since=max(starts, default=None),
            until=start_of_day(last + dt.timedelta(days=1)) if last else None,
            before=read_place(self.data.get("older", "")),
            after=read_place(self.data.get("newer", "")),
        )
