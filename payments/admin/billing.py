"""Companies' billing accounts, and the card that a company pays with."""

from typing import Any, cast

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_post_parameters
from unfold.decorators import action
from unfold.widgets import UnfoldAdminSelectWidget

from accounts.forms.office import ConfirmForm
from accounts.models import User
from opscom.core.admin import SettingAdmin, render_ask_page
from opscom.core.errors import DomainError
from opscom.core.middleware import allow_forms_to
from payments.admin.shared import AsksFirst
from payments.gateways.base import Redirect
from payments.gateways.registry import form_origins
from payments.models import BillingAccount, BillingKind, PaymentMethod
from payments.services import forgetting, storing
from payments.stored import company_storing_methods, consent_text


class BillingAccountForm(forms.ModelForm):
    """How a company pays."""

    class Meta:
        model = BillingAccount
        fields = ["company", "kind", "journal_code", "days_to_pay", "is_active"]

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or {}
        kind = values.get("kind")
        if kind == BillingKind.JOURNAL and not values.get("journal_code"):
            self.add_error("journal_code", _("A journal entry needs its code."))
        if kind != BillingKind.CARD and self.instance.stored_method_id:
            self.add_error("kind", _("A card is stored for this company. Please remove it first."))
        return values


class CompanyCardForm(ConfirmForm):
    """At which gateway the card is stored."""

    method = forms.ModelChoiceField(
        PaymentMethod.objects.none(), label=_("Payment method"), empty_label=None, widget=UnfoldAdminSelectWidget
    )
    field_order = ["method", "password", "code"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offered = [method.pk for method in company_storing_methods()]
        cast(Any, self.fields["method"]).queryset = PaymentMethod.objects.filter(pk__in=offered)


@admin.register(BillingAccount)
class BillingAccountAdmin(AsksFirst, SettingAdmin):
    """One for each company whose managers may let it pay for its people."""

    form = BillingAccountForm
    list_display = ["company", "kind", "stored_method", "journal_code", "is_active"]
    list_filter = ["kind", "is_active"]
    list_select_related = ["company", "stored_method__method"]
    search_fields = ["company__name", "=company__account_number", "=journal_code"]
    search_help_text = _("Company, its account number, or the journal code")
    autocomplete_fields = ["company"]
    actions_detail = ["store_card", "remove_card"]

    def get_fields(self, request: HttpRequest, obj: BillingAccount | None = None) -> list[str]:
        return [*BillingAccountForm.Meta.fields, *(["stored_method"] if obj else [])]

    def get_readonly_fields(self, request: HttpRequest, obj: BillingAccount | None = None) -> list[str]:
        # What was paid with it stays on its company's statements.
        return ["company", "stored_method"] if obj else []

    def has_decide_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("payments.change_billingaccount")

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        account = BillingAccount.objects.filter(pk=object_id, kind=BillingKind.CARD).first()
        if account is None:
            return []
        actions = super().get_actions_detail(request, object_id)
        return [one for one in actions if account.stored_method_id or one.method.__name__ != "remove_card"]

    @method_decorator(sensitive_post_parameters("password", "code"))
    @action(description=_("Store a card"), url_path="store-card", permissions=["decide"], icon="add_card")
    def store_card(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask for the password, then lead to the gateway's page, on which the company's card is entered."""
        if not self.has_decide_permission(request):
            raise PermissionDenied
        account = find(object_id)
        form = CompanyCardForm(request.POST or None, request=request)
        if form.is_bound and form.is_valid() and (onward := go_to_gateway(request, account, form)):
            return onward
        words = gettext("The company's word: “%(consent)s”") % {"consent": consent_text()}
        former = account.stored_method
        response = render_ask_page(
            self,
            request,
            form=form,
            original=account,
            back=reverse("admin:payments_billingaccount_change", args=[account.pk]),
            title=_("Store a company's card"),
            facts=[(_("Company"), account.company), *([(_("In place of"), former)] if former else [])],
            warning=words,
            submit=gettext("Go on to the payment service"),
        )
        return allow_forms_to(response, form_origins())

    @method_decorator(sensitive_post_parameters("password", "code"))
    @action(description=_("Remove the card"), url_path="remove-card", permissions=["decide"], icon="credit_card_off")
    def remove_card(self, request: HttpRequest, object_id: str) -> HttpResponse:
        account = find(object_id)
        card = account.stored_method
        return self.ask_password_then(
            request,
            account,
            lambda person: forgetting.remove_stored(stored_method=card, actor=person) if card else None,
            _("It is removed."),
            title=_("Remove the company's card"),
            facts=[(_("Company"), account.company), (_("Card"), card or "-")],
            warning=gettext("The company's account cannot be chosen until another card is stored."),
            submit=gettext("Remove"),
        )


def go_to_gateway(request: HttpRequest, account: BillingAccount, form: CompanyCardForm) -> HttpResponse | None:
    """Begin to store the card; what is refused stands on the form."""
    try:
        answer = storing.start_card_save(
            actor=cast(User, request.user), method=form.cleaned_data["method"], uses=[], company=account.company
        )
    except DomainError as error:
        form.add_error(None, str(error))
        return None
    if not isinstance(answer, Redirect):
        raise TypeError("There is no page yet for a gateway's embedded form.")
    return HttpResponseRedirect(answer.url)


def find(object_id: str) -> BillingAccount:
    """Return the account of a company that pays by card, or answer 404."""
    accounts = BillingAccount.objects.select_related("company", "stored_method__method")
    return get_object_or_404(accounts, pk=object_id, kind=BillingKind.CARD)
