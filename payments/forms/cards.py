"""What people choose when they store a card, and the password that is asked again."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.forms.inputs import password_field
from accounts.forms.office import ConfirmForm
from accounts.mfa.rules import method_of
from accounts.models import MfaMethod
from payments.models import PaymentMethod, SubscriptionUse


class OwnHandsForm(ConfirmForm):
    """The person's own password, or a one-time password where they have none: an unlocked screen alone stores nothing."""

    password = password_field(_("Current Password"), "current-password")
    code = forms.CharField(
        label=_("One-Time Password"),
        max_length=40,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "spellcheck": "false"}),
    )

    @property
    def asks_mailed_code(self) -> bool:
        """Whether the page needs the button that e-mails a code."""
        return "code" in self.fields and method_of(self.person) == MfaMethod.EMAIL


class CardForm(OwnHandsForm):
    """`Payment Subscription`: what the card will pay for, by which method, and the consent."""

    method = forms.ChoiceField(label=_("Payment Method"), widget=forms.RadioSelect)
    uses = forms.MultipleChoiceField(
        label=_("Payment Subscription"),
        help_text=_("What this card will pay for."),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choose at least one thing that this card will pay for.")},
    )
    consent = forms.BooleanField(
        label=_("I Agree"), error_messages={"required": _("Without your consent we cannot store a card.")}
    )
    field_order = ["method", "uses", "consent", "password", "code"]

    def __init__(self, *args: Any, methods: Sequence[PaymentMethod], consent: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.methods = {method.code: method for method in methods}
        self.fields["consent"].help_text = consent
        offered = {use for method in methods for use in method.uses}
        uses: Any = self.fields["uses"]
        uses.choices = [(use, label) for use, label in SubscriptionUse.choices if use in offered]
        if len(uses.choices) == 1:
            uses.initial = [use for use, _label in uses.choices]
        method: Any = self.fields["method"]
        method.choices = [(one.code, str(one)) for one in methods]
        if len(methods) == 1:
            del self.fields["method"]

    def clean_method(self) -> PaymentMethod:
        return self.methods[self.cleaned_data["method"]]

    def clean(self) -> None:
        """The code is used up last, by the parent: whatever else is wrong must not cost it."""
        values = self.cleaned_data
        if "method" not in self.fields:
            values["method"] = next(iter(self.methods.values()))
        method = values.get("method")
        if method and not set(values.get("uses", [])) <= set(method.uses):
            self.add_error("uses", _("This payment method cannot be stored for all of that."))
        super().clean()


class UseForm(forms.Form):
    """Which stored method pays for one use; empty: none."""

    use = forms.ChoiceField(choices=SubscriptionUse.choices)
    stored = forms.CharField(required=False, max_length=12)
