"""What the office types about documents and holds."""

import datetime as dt
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from unfold.widgets import (
    INPUT_CLASSES,
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)


def moment_field(**kwargs: Any) -> forms.DateTimeField:
    """Return an input for an instant at the provider's place, with the browser's own calendar."""
    attrs = {"type": "datetime-local", "class": " ".join(INPUT_CLASSES)}
    return forms.DateTimeField(widget=forms.DateTimeInput(attrs=attrs, format="%Y-%m-%dT%H:%M"), **kwargs)


class AskForDocumentForm(forms.Form):
    """What is needed."""

    what = forms.CharField(
        label=_("What is needed"),
        max_length=200,
        widget=UnfoldAdminTextInputWidget(),
        help_text=_("Such as: proof of address, not older than three months. The person reads it as you write it."),
    )


class DecisionForm(forms.Form):
    """The mark of what was shown."""

    seen = forms.IntegerField(widget=forms.HiddenInput())


class DeclineForm(DecisionForm):
    """Why what came is not good."""

    reason = forms.CharField(
        label=_("Reason"),
        max_length=1000,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text=_("The person reads it as you write it."),
    )


class HoldForm(forms.Form):
    """A hold on an account."""

    reason = forms.CharField(
        label=_("Reason"),
        max_length=300,
        widget=UnfoldAdminTextInputWidget(),
        help_text=_("The person reads it as you write it."),
    )
    amount = forms.DecimalField(
        label=_("Amount to pay"),
        required=False,
        min_value=Decimal("0.01"),
        max_digits=10,
        decimal_places=2,
        widget=UnfoldAdminDecimalFieldWidget(),
    )
    starts_at = moment_field(
        label=pgettext_lazy("first day", "From"), required=False, help_text=_("Empty: from now on.")
    )
    ends_at = moment_field(label=_("Until"), required=False, help_text=_("Empty: until it is lifted."))

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        starts_at, ends_at = data.get("starts_at") or dt.datetime.now(dt.UTC), data.get("ends_at")
        if ends_at and ends_at <= starts_at:
            self.add_error("ends_at", _("A hold must end after it begins."))
        return data
