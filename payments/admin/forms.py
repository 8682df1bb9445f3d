"""What the office types before it moves money."""

from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminDecimalFieldWidget, UnfoldAdminTextInputWidget

from accounts.forms.office import ConfirmForm


def money_field(label: Any, help_text: Any = "", *, least: str | None = "0.01", required: bool = True) -> Any:
    """Return a field for a sum in the provider's currency; `least` None lets a minus through."""
    return forms.DecimalField(
        label=label,
        help_text=help_text,
        required=required,
        max_digits=10,
        decimal_places=2,
        min_value=None if least is None else Decimal(least),
        widget=UnfoldAdminDecimalFieldWidget(attrs={"step": "0.01", "autocomplete": "off"}),
    )


def words_field(label: Any, help_text: Any = "", *, required: bool = True) -> Any:
    """Return a field for one line of words."""
    return forms.CharField(
        label=label, help_text=help_text, required=required, max_length=300, widget=UnfoldAdminTextInputWidget()
    )


class RefundForm(ConfirmForm):
    """How much goes back, and why."""

    amount = money_field(_("Amount"), _("Empty: all that is left."), required=False)
    note = words_field(_("Note"), _("For the log"), required=False)
    field_order = ["amount", "note", "password", "code"]


class AdjustForm(ConfirmForm):
    """By how much a price changes, and why."""

    amount = money_field(_("Change, with tax"), _("With a minus it becomes cheaper."), least=None)
    reason = words_field(_("Reason"), _("The payer reads it."))
    field_order = ["amount", "reason", "password", "code"]

    def clean_amount(self) -> Decimal:
        amount: Decimal = self.cleaned_data["amount"]
        if not amount:
            raise ValidationError(_("An adjustment by nothing changes nothing."))
        return amount


class NoteForm(ConfirmForm):
    """Why, or how."""

    note = words_field(_("Note"), _("For the log"))
    field_order = ["note", "password", "code"]


class DecideDepositForm(ConfirmForm):
    """How much of a deposit goes back; the rest is kept."""

    returned = money_field(_("Goes back"), _("The rest is kept, for good."), least="0.00")
    reason = words_field(_("Reason"), _("Needed when something is kept. The payer reads it."), required=False)
    field_order = ["returned", "reason", "password", "code"]
