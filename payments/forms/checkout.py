"""The checkout's form: how to pay, and where the receipt goes."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from payments.models import PaymentMethod


class PaymentForm(forms.Form):
    """How to pay; the e-mail address only when the order has none."""

    method = forms.ChoiceField(label=_("Payment Method"), widget=forms.RadioSelect)
    email = forms.EmailField(
        label=_("E-mail for the receipt"), max_length=254, widget=forms.EmailInput(attrs={"autocomplete": "email"})
    )

    def __init__(
        self, *args: Any, methods: Sequence[PaymentMethod], is_email_known: bool, is_free: bool, **kwargs: Any
    ):
        super().__init__(*args, **kwargs)
        method: Any = self.fields["method"]
        method.choices = [(one.code, str(one)) for one in methods]
        if len(methods) == 1:
            self.fields["method"].initial = methods[0].code
        if is_free:
            del self.fields["method"]
        if is_email_known:
            del self.fields["email"]
