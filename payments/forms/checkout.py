"""The checkout's form: how to pay, and where the receipt goes."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from payments.choices import Choice


class ChoiceRows(forms.RadioSelect):
    """One radio button for each choice, each described by the words that stand below it."""

    hints: dict[str, str]

    def create_option(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        option: dict[str, Any] = super().create_option(*args, **kwargs)
        option["hint"] = self.hints[str(option["value"])]
        option["attrs"] |= {"class": "form-check-input", "aria-describedby": f"{option['attrs']['id']}_hint"}
        return option


class PaymentForm(forms.Form):
    """How to pay; the e-mail address only when the order has none."""

    method = forms.ChoiceField(label=_("Payment Method"), widget=ChoiceRows)
    email = forms.EmailField(
        label=_("E-mail for the receipt"), max_length=254, widget=forms.EmailInput(attrs={"autocomplete": "email"})
    )

    def __init__(
        self,
        *args: Any,
        choices: Sequence[Choice],
        chosen: str = "",
        is_email_known: bool,
        is_free: bool,
        **kwargs: Any,
    ):
        super().__init__(*args, **kwargs)
        method: Any = self.fields["method"]
        method.choices = [(choice.code, choice.label) for choice in choices]
        method.widget.hints = {choice.code: choice.hint for choice in choices}
        if chosen or len(choices) == 1:
            method.initial = chosen or choices[0].code
        if is_free:
            del self.fields["method"]
        if is_email_known:
            del self.fields["email"]


class GuestPaymentForm(PaymentForm):
    """Method and e-mail of somebody without an account."""

    def __init__(self, *args: Any, choices: Sequence[Choice], is_free: bool = False, **kwargs: Any):
        super().__init__(*args, choices=choices, is_email_known=False, is_free=is_free, **kwargs)
