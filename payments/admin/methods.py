"""Which ways to pay the office offers."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldAdminSelectWidget

from opscom.core.admin import SettingAdmin
from opscom.core.hooks import after_commit
from payments.gateways.registry import installed_gateways, missing_settings
from payments.models import AccountCode, MethodKind, PaymentMethod, SubscriptionUse
from payments.purchasables import all_purchasables
from payments.stored import forget_offer


def gateway_choices() -> list[tuple[str, str]]:
    """Return the gateways of this installation; one that cannot be offered yet says which settings it lacks."""
    choices = [("", "---")]
    for code, gateway in installed_gateways().items():
        gap = missing_settings(gateway)
        lacks = _("not configured: %(names)s") % {"names": ", ".join(gap)} if gap else ""
        choices.append((code, f"{gateway.label} · {code}{f' ({lacks})' if lacks else ''}"))
    return choices


def product_choices() -> list[tuple[str, str]]:
    """Return the kinds of item that can be paid for in this installation."""
    return [(product.kind, str(product.label)) for product in all_purchasables()]


class PaymentMethodForm(forms.ModelForm):
    """A method's settings, with lists to choose from."""

    kind = forms.ChoiceField(label=_("Kind"), choices=MethodKind.choices, widget=UnfoldAdminSelectWidget)
    gateway = forms.ChoiceField(
        label=_("Gateway"), choices=gateway_choices, required=False, widget=UnfoldAdminSelectWidget
    )
    product_kinds = forms.MultipleChoiceField(
        label=_("For these kinds of item (none: all)"),
        choices=product_choices,
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
    )
    uses = forms.MultipleChoiceField(
        label=_("A stored one may pay for"),
        choices=SubscriptionUse.choices,
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
    )

    class Meta:
        model = PaymentMethod
        fields = [
            "code",
            "name",
            "kind",
            "gateway",
            "is_on",
            "user_types",
            "product_kinds",
            "is_for_guests",
            "uses",
            "days_to_pay",
            "account_code",
            "position",
        ]

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or {}
        is_card = values.get("kind") == MethodKind.CARD
        if is_card != bool(values.get("gateway")):
            raise ValidationError(_("A card needs a gateway, and no other kind has one."))
        if values.get("is_for_guests") and not is_card:
            raise ValidationError(_("Guests can only pay by card."))
        return values


@admin.register(PaymentMethod)
class PaymentMethodAdmin(SettingAdmin):
    """Ways to pay: offered when switched on here and, for cards, configured in the environment."""

    form = PaymentMethodForm
    list_display = ["name", "kind", "gateway", "is_on", "is_for_guests", "position"]
    list_filter = ["kind", "is_on"]
    filter_horizontal = ["user_types"]

    def save_related(self, *args: Any, **kwargs: Any) -> None:
        super().save_related(*args, **kwargs)
        after_commit(forget_offer)


@admin.register(AccountCode)
class AccountCodeAdmin(SettingAdmin):
    """The accounts that exports for the bookkeeping name."""

    list_display = ["code", "name"]
    search_fields = ["code"]
