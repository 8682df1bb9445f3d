"""The queue of promises to pay: what was brought, what bounced, what is called off."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.decorators import method_decorator
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_post_parameters
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminRadioSelectWidget, UnfoldAdminTextInputWidget

from accounts.forms.office import ConfirmForm
from opscom.core.money import format_money
from payments.admin.forms import money_field, words_field
from payments.admin.shared import AsksPassword, money_column, status_column
from payments.models import Payment, PaymentStatus, Promise, PromiseStatus, Tender
from payments.services import promising
from payments.services.settling import finish_order

TONES = {
    PromiseStatus.PROMISED: "info",
    PromiseStatus.RECEIVED: "success",
    PromiseStatus.BOUNCED: "danger",
    PromiseStatus.CANCELLED: "default",
    PromiseStatus.LAPSED: "warning",
    PromiseStatus.PAID_OTHERWISE: "success",
}
OFFERED = {
    PromiseStatus.PROMISED: {"receive", "cancel"},
    PromiseStatus.LAPSED: {"receive"},
    PromiseStatus.RECEIVED: {"bounce"},
}


class WhyForm(ConfirmForm):
    """Why, in words that the payer reads, too."""

    note = words_field(_("Reason"), _("The payer reads it."))
    field_order = ["note"]


class ReceiveForm(ConfirmForm):
    """What lies on the counter."""

    amount = money_field(_("Amount received"))
    tender = forms.ChoiceField(label=_("Brought as"), choices=Tender.choices, widget=UnfoldAdminRadioSelectWidget)
    reference = forms.CharField(
        label=_("Cheque or receipt number"), max_length=60, required=False, widget=UnfoldAdminTextInputWidget
    )
    field_order = ["amount", "tender", "reference"]

    def clean_reference(self) -> str:
        reference: str = self.cleaned_data["reference"]
        if not reference and self.cleaned_data.get("tender") == Tender.CHEQUE:
            raise forms.ValidationError(_("A cheque has a number: when it bounces, it is found by that."))
        return reference


class BounceForm(WhyForm):
    """What becomes of what the cheque had bought."""

    outcome = forms.ChoiceField(
        label=_("What it bought"),
        choices=[("owed", _("is kept, and its price is owed again")), ("taken_back", _("is taken back"))],
        widget=UnfoldAdminRadioSelectWidget,
    )
    field_order = ["outcome", "note"]


@admin.register(Promise)
class PromiseAdmin(AsksPassword):
    """Promises to bring money, the nearest last day first."""

    list_display = ["order", "payer", "due_sum", "state", "last_day", "created_at", "received_by"]
    list_filter = ["status", "tender"]
    list_select_related = ["order", "received_by"]
    ordering = ["pay_by", "pk"]
    search_fields = ["=order__code", "order__payer_name", "order__email", "=reference"]
    search_help_text = _("Confirmation code, payer's name or e-mail, cheque number")
    fields = ["order", "payer", "bought", "due_sum", "method", "status", "created_at", "last_day", "reminded_at"]
    fields += ["tender", "received", "reference", "received_by", "payment", "note", "closed_at", "closed_by"]
    readonly_fields = fields
    actions_detail = ["receive", "bounce", "cancel"]
    received = money_column("received_amount", _("amount received"))
    state = status_column(TONES)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Promise]:
        return super().get_queryset(request).prefetch_related("order__lines")

    @display(description=_("payer"), ordering="order__payer_name")
    def payer(self, promise: Promise) -> str:
        return promise.order.payer_name

    @display(description=_("what"))
    def bought(self, promise: Promise) -> str:
        return "; ".join(line.label for line in promise.order.lines.all())

    @display(description=_("to pay"))
    def due_sum(self, promise: Promise) -> str:
        return format_money(promise.order.due, promise.order.currency)

    @display(description=_("last day to pay"), ordering="pay_by")
    def last_day(self, promise: Promise) -> Any:
        return promise.last_day

    def has_decide_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("payments.change_promise")

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        promise = Promise.objects.filter(pk=object_id).first()
        offered = OFFERED.get(PromiseStatus(promise.status), set()) if promise else set()
        if promise and promise.tender != Tender.CHEQUE:
            offered = offered - {"bounce"}
        return [one for one in super().get_actions_detail(request, object_id) if one.method.__name__ in offered]

    @method_decorator(sensitive_post_parameters("password", "code"))
    @action(description=_("Money received"), url_path="receive", permissions=["decide"], icon="payments")
    def receive(self, request: HttpRequest, object_id: str) -> HttpResponse:
        promise = find(object_id)

        def deed(person: Any, values: dict[str, Any]) -> None:
            facts = {name: values[name] for name in ("amount", "tender", "reference")}
            promising.receive_promise(promise=promise, actor=person, **facts)
            finish_order(promise.order_id)

        return self.ask_then(
            request,
            promise,
            ReceiveForm,
            deed,
            _("The money is received."),
            is_danger=False,
            title=_("Money received"),
            facts=describe(promise),
            warning=warn_of_card(promise),
            submit=gettext("Receive the money"),
        )

    @method_decorator(sensitive_post_parameters("password", "code"))
    @action(description=_("Cheque bounced"), url_path="bounce", permissions=["decide"], icon="money_off")
    def bounce(self, request: HttpRequest, object_id: str) -> HttpResponse:
        promise = find(object_id)

        def deed(person: Any, values: dict[str, Any]) -> None:
            takes_back = values["outcome"] == "taken_back"
            promising.bounce_promise(promise=promise, actor=person, takes_back=takes_back, note=values["note"])

        return self.ask_then(
            request,
            promise,
            BounceForm,
            deed,
            _("The cheque is noted as bounced, and the payer is told."),
            title=_("Cheque bounced"),
            facts=describe(promise),
            warning=gettext("Its money counts as gone from now on."),
            submit=gettext("The cheque has bounced"),
        )

    @method_decorator(sensitive_post_parameters("password", "code"))
    @action(description=_("Cancel the promise"), url_path="cancel", permissions=["decide"], icon="cancel")
    def cancel(self, request: HttpRequest, object_id: str) -> HttpResponse:
        promise = find(object_id)
        return self.ask_then(
            request,
            promise,
            WhyForm,
            lambda person, values: promising.cancel_promise(promise=promise, actor=person, note=values["note"]),
            _("The promise is cancelled, and the payer is told."),
            title=_("Cancel the promise"),
            facts=describe(promise),
            warning=gettext("What was kept for the payer goes to whoever is next."),
            submit=gettext("Cancel the promise"),
        )


def find(object_id: str) -> Promise:
    """Return the promise, or answer 404."""
    return get_object_or_404(Promise.objects.select_related("order"), pk=object_id)


def describe(promise: Promise) -> list[tuple[Any, Any]]:
    """Return what whoever stands at the counter compares."""
    order = promise.order
    return [
        (_("Confirmation code"), order.code),
        (_("Payer"), order.payer_name or order.email),
        (_("What"), "; ".join(line.label for line in order.lines.all())),
        (_("To pay"), format_money(order.due, order.currency)),
        (_("Last day to pay"), promise.last_day),
    ]


def warn_of_card(promise: Promise) -> str:
    """Say what makes the money on the counter one too many, or late; empty when nothing does."""
    if promise.status == PromiseStatus.LAPSED:
        return gettext("The last day is over: what is gone meanwhile is owed back to the payer.")
    waiting = [PaymentStatus.CREATED, PaymentStatus.STARTED]
    if Payment.objects.filter(order=promise.order_id, status__in=waiting).exists():
        return gettext("The payer has begun to pay this online. Should that come in, too, it goes back to their card.")
    return ""
