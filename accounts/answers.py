"""Answers to the office's own profile fields: how they are typed, stored as text, and shown."""

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.dateparse import parse_date
from django.utils.formats import date_format, number_format
from django.utils.html import conditional_escape
from django.utils.translation import gettext, gettext_lazy

from accounts.models import FieldKind, ProfileAnswer
from accounts.selectors import Asked

LONGEST = ProfileAnswer._meta.get_field("value").max_length
YES_NO = {"yes": gettext_lazy("Yes"), "no": gettext_lazy("No")}
EMPTY = [("", "—")]


def make_answer_field(asked: Asked) -> forms.Field:
    """Return the input for one of the office's own fields, with its label and help in the reader's language."""
    field = _INPUTS[FieldKind(asked.kind)](asked)
    field.label = str(asked.label)
    # Help is printed as it is, and this one somebody typed.
    field.help_text = conditional_escape(str(asked.help_text))
    field.widget.attrs["autocomplete"] = "off"
    return field


def store(value: Any) -> str:
    """Return a cleaned value as the text that is stored: ISO dates, plain decimals; empty for no answer."""
    if isinstance(value, Decimal):
        return format(value.normalize() if value else Decimal(0), "f")
    if isinstance(value, dt.date):
        return value.isoformat()
    return str(value or "")


def load(asked: Asked, text: str) -> Any:
    """Return a stored answer as its input takes it; a text that does not fit the kind stays a text."""
    if text and asked.kind == FieldKind.DATE:
        return _as_date(text) or text
    if text and asked.kind == FieldKind.NUMBER:
        return _as_number(text) or text
    return text


def show(asked: Asked, text: str) -> str:
    """Return a stored answer in words for a reader."""
    value = load(asked, text)
    if isinstance(value, dt.date):
        return date_format(value)
    if isinstance(value, Decimal):
        return str(number_format(value))
    labels: Mapping[str, Any] = YES_NO if asked.kind == FieldKind.YES_NO else dict(asked.choices)
    return str(labels.get(text, text))


def clean_answer(asked: Asked, text: str) -> str:
    """Return what a machine sent as it is stored; raises ValidationError when it does not fit."""
    return store(make_answer_field(asked).clean(text))


def _as_date(text: str) -> dt.date | None:
    try:
        return parse_date(text)
    except ValueError:
        return None


def _as_number(text: str) -> Decimal | None:
    try:
        return Decimal(text)
    except InvalidOperation:
        return None


class NumberField(forms.DecimalField):
    """A number of ordinary size."""

    def __init__(self) -> None:
        super().__init__(max_digits=20, decimal_places=6, widget=forms.NumberInput(attrs={"inputmode": "decimal"}))
        self.widget.attrs["step"] = "any"


class DayField(forms.DateField):
    """A day, with the browser's own calendar."""

    def __init__(self) -> None:
        super().__init__(widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))

    def to_python(self, value: Any) -> Any:
        """A day that the calendar of the provider's country could hold: browsers let people type year 20."""
        day = super().to_python(value)
        if day is not None and not 1900 <= day.year <= 2200:
            raise ValidationError(gettext("Please write the year with four digits."))
        return day


_INPUTS = {
    FieldKind.TEXT: lambda asked: forms.CharField(max_length=LONGEST),
    FieldKind.NUMBER: lambda asked: NumberField(),
    FieldKind.DATE: lambda asked: DayField(),
    FieldKind.CHOICE: lambda asked: forms.ChoiceField(
        choices=[*EMPTY, *((code, str(label)) for code, label in asked.choices)]
    ),
    FieldKind.YES_NO: lambda asked: forms.ChoiceField(choices=[*EMPTY, *YES_NO.items()]),
}
