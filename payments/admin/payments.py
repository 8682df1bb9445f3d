"""Attempts to pay, what gateways told us, and taxes."""

from decimal import Decimal
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_post_parameters
from unfold.decorators import action, display

from opscom.core.admin import ReadOnlyAdmin, SettingAdmin
from opscom.core.money import format_money
from payments.admin.shared import PAYMENT_TONES, AsksPassword, RefundInline, money_column, status_column
from payments.models import (
    GatewayEvent,
    Payment,
    TaxRate,
)
from payments.services import refunding


class ReviewFilter(admin.SimpleListFilter):
    """Payments at which somebody must look."""

    title = _("for the office to look at")
    parameter_name = "review"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("waiting", _("waiting")), ("done", _("sent back"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Payment]) -> QuerySet[Payment]:
        if self.value() not in ("waiting", "done"):
            return queryset
        return queryset.filter(~Q(needs_review=""), refunds__isnull=self.value() == "waiting")


@admin.register(Payment)
class PaymentAdmin(AsksPassword):
    """Attempts to pay, with what the gateway said."""

    list_display = ["reference", "order", "gateway", "sum", "received", "state", "needs_review", "created_at"]
    list_filter = ["status", ReviewFilter]
    list_select_related = ["order"]
    ordering = ["-pk"]
    search_fields = ["=reference", "=gateway_reference", "=order__code", "order__payer_name", "order__email"]
    search_help_text = _("Our or the gateway's reference, confirmation code, payer's name or e-mail")
    fields = [
        "order",
        "reference",
        "gateway",
        "gateway_reference",
        "sum",
        "currency",
        "status",
        "card_label",
        "message",
    ]
    fields += ["received", "received_currency", "needs_review", "created_at", "expires_at", "approved_at"]
    fields += ["next_check_at", "checks"]
    readonly_fields = fields
    inlines = [RefundInline]
    actions_detail = ["send_back"]
    sum = money_column("amount", _("amount"))
    received = money_column("received_amount", _("received"))
    state = status_column(PAYMENT_TONES)

    def has_refund_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("payments.add_refund")

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        waiting = Payment.objects.filter(pk=object_id, refunds__isnull=True).exclude(needs_review="").exists()
        return super().get_actions_detail(request, object_id) if waiting else []

    @method_decorator(sensitive_post_parameters("password", "code"))
    @action(description=_("Send the payment back"), url_path="send-back", permissions=["refund"], icon="undo")
    def send_back(self, request: HttpRequest, object_id: str) -> HttpResponse:
        payment = get_object_or_404(Payment.objects.select_related("order"), pk=object_id)
        received = format_money(payment.received_amount or Decimal(0), payment.received_currency)
        return self.ask_password_then(
            request,
            payment,
            lambda person: refunding.refund_unmatched_payment(payment=payment, actor=person),
            _("The payment is on its way back."),
            title=_("Send the payment back"),
            facts=[
                (_("Payer"), payment.order.payer_name or payment.order.email),
                (_("Confirmation code"), payment.order.code),
                (_("Was due"), format_money(payment.amount, payment.currency)),
                (_("Received, and goes back"), received),
            ],
            warning=payment.get_needs_review_display(),
            submit=gettext("Send %(sum)s back") % {"sum": received},
        )


@admin.register(GatewayEvent)
class GatewayEventAdmin(ReadOnlyAdmin):
    """What the gateways told us, as it came."""

    list_display = ["event_id", "gateway", "reference", "received_at", "handled_at"]
    list_filter = [("handled_at", admin.EmptyFieldListFilter)]
    ordering = ["-pk"]
    search_fields = ["=event_id", "=reference"]
    search_help_text = _("The gateway's event or our reference")
    fields = ["gateway", "event_id", "reference", "received_at", "handled_at", "as_received"]
    readonly_fields = fields

    @display(description=_("as received"))
    def as_received(self, event: GatewayEvent) -> SafeString:
        return format_html('<pre class="office-raw">{}</pre>', event.payload)


@admin.register(TaxRate)
class TaxRateAdmin(SettingAdmin):
    """Taxes. What was sold keeps the rates of its day."""

    list_display = ["name", "percent", "number"]
