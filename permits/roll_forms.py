"""What the office types to roll the holders of one sale into another."""

import datetime as dt
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminSingleDateWidget,
    UnfoldBooleanSwitchWidget,
)

from accounts.models import UserType
from opscom.core.errors import Refused
from opscom.provider.selectors import local_date
from permits.models import Sale, TermKind
from permits.rolling import Plan
from permits.services.rolling import can_roll

DAYS_TO_PAY = dt.timedelta(days=14)


class SaleChoice(forms.ModelChoiceField):
    """A sale with its dates: two sales of a type in a lot differ in nothing else."""

    def label_from_instance(self, obj: Any) -> str:
        if obj.valid_from is None:
            return str(obj)
        last = f"{obj.valid_until - dt.timedelta(days=1)}" if obj.valid_until else ""
        return f"{obj}, {obj.valid_from} – {last}"


class RollForm(forms.Form):
    """Into which sale, whom, until when they pay, and when who has a stored method is charged."""

    target = SaleChoice(label=_("Into the sale"), queryset=Sale.objects.none(), widget=UnfoldAdminSelectWidget)
    user_types = forms.ModelMultipleChoiceField(
        label=_("User types"),
        queryset=UserType.objects.order_by("pk"),
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text=_("None ticked means every type."),
    )
    pay_by = forms.DateField(label=_("Last day to pay"), widget=UnfoldAdminSingleDateWidget)
    charge_on = forms.DateField(
        label=_("Charge stored methods on"),
        required=False,
        widget=UnfoldAdminSingleDateWidget,
        help_text=_("Empty: everybody pays by themselves."),
    )
    skips_switched_off = forms.BooleanField(
        label=_("Leave out who has Permit Rollover switched off"), required=False, widget=UnfoldBooleanSwitchWidget
    )

    def __init__(self, *args: Any, source: Sale, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.source = source
        others = Sale.objects.exclude(pk=source.pk).exclude(permit_type__term_kind=TermKind.TEMPORARY)
        target: Any = self.fields["target"]
        # One that is not switched on yet, too: the office may roll before it sells to others.
        target.queryset = others.select_related("lot", "permit_type").order_by("-pk")
        self.fields["pay_by"].initial = local_date() + DAYS_TO_PAY

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("target") and data.get("pay_by"):
            decision = can_roll(self.to_plan(), local_date())
            if isinstance(decision, Refused):
                self.add_error(_field_of(decision.code), str(decision.reason))
        return data

    def to_plan(self) -> Plan:
        """Return what was typed as the services take it."""
        data = self.cleaned_data
        return Plan(
            source=self.source,
            target=data["target"],
            pay_by=data["pay_by"],
            charge_on=data.get("charge_on"),
            user_types=frozenset(kind.pk for kind in data.get("user_types", [])),
            skips_switched_off=data.get("skips_switched_off", False),
        )


def _field_of(code: str) -> str:
    return code if code in ("pay_by", "charge_on") else "target"
