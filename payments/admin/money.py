"""The office's pages about money. Nothing here is typed in or changed by hand: what moves money is a service."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_post_parameters
from unfold.decorators import action, display

from accounts.forms.office import ConfirmForm
from accounts.models import User
from opscom.core.admin import ReadOnlyAdmin, ReadOnlyInline, SettingAdmin, act_on_each, render_ask_page
from opscom.core.errors import DomainError
from opscom.core.money import format_money
from payments.models import (
    GatewayEvent,
    LineStatus,
    Order,
    OrderLine,
    OrderStatus,
    Payment,
    PaymentStatus,
    Refund,
    RefundStatus,
    TaxRate,
)
from payments.services import refunding, refunds

ORDER_TONES = {OrderStatus.OPEN: "info", OrderStatus.PAID: "success", OrderStatus.CLOSED: "default"}
LINE_TONES = {
    LineStatus.OPEN: "info",
    LineStatus.SETTLED: "info",
    LineStatus.FULFILLED: "success",
    LineStatus.NEEDS_REVIEW: "danger",
    LineStatus.REFUND_DUE: "warning",
    LineStatus.REFUNDED: "default",
}
PAYMENT_TONES = {
    PaymentStatus.CREATED: "info",
    PaymentStatus.STARTED: "info",
    PaymentStatus.APPROVED: "success",
    PaymentStatus.DECLINED: "warning",
    PaymentStatus.EXPIRED: "default",
    PaymentStatus.FAILED: "danger",
}
REFUND_TONES = {
    RefundStatus.DUE: "info",
    RefundStatus.SENDING: "info",
    RefundStatus.SUCCEEDED: "success",
    RefundStatus.FAILED: "danger",
}


def money_column(name: str, label: Any) -> Callable[[Any, Any], str]:
    """Return a column that writes the sum in `name` as money."""

    @display(description=label, ordering=name)
    def column(admin_page: Any, row: Any) -> str:
        amount: Decimal | None = getattr(row, name)
        return "-" if amount is None else format_money(amount)

    return cast(Callable[[Any, Any], str], column)


def status_column(tones: dict[Any, str]) -> Callable[[Any, Any], tuple[str, str]]:
    """Return a column that shows the status in words, with the tone of its meaning."""

    @display(description=_("status"), ordering="status", label=tones)
    def column(admin_page: Any, row: Any) -> tuple[str, str]:
        return row.status, row.get_status_display()

    return cast(Callable[[Any, Any], tuple[str, str]], column)


class LineInline(ReadOnlyInline):
    """What the order is for."""

    model = OrderLine
    fields = ["label", "detail", "total", "tax_part", "status"]
    show_change_link = True
    total = money_column("amount", _("amount"))
    tax_part = money_column("tax", _("of it tax"))


class PaymentInline(ReadOnlyInline):
    """What was tried to pay it."""

    model = Payment
    fields = ["reference", "gateway", "sum", "status", "card_label", "message", "created_at"]
    show_change_link = True
    sum = money_column("amount", _("amount"))


class RefundInline(ReadOnlyInline):
    """What went back, or is on its way back."""

    model = Refund
    fields = ["reference", "sum", "reason", "status", "created_at", "last_error"]
    show_change_link = True
    sum = money_column("amount", _("amount"))


@admin.register(Order)
class OrderAdmin(ReadOnlyAdmin):
    """What people set out to pay."""

    list_display = ["code", "payer_name", "email", "sum", "state", "created_at", "paid_at"]
    list_filter = ["status", ("finished_at", admin.EmptyFieldListFilter)]
    ordering = ["-pk"]
    search_fields = ["=code", "payer_name", "email", "payer__first_name", "payer__last_name", "payer__email"]
    search_help_text = _("Confirmation code, payer's name or e-mail")
    fields = ["code", "payer", "payer_name", "email", "status", "net_part", "tax_part", "sum", "currency"]
    fields += ["created_at", "paid_at", "finished_at"]
    readonly_fields = fields
    inlines = [LineInline, PaymentInline]
    sum = money_column("total", _("total"))
    net_part = money_column("net", _("without tax"))
    tax_part = money_column("tax", _("tax"))
    state = status_column(ORDER_TONES)


class AsksPassword(ReadOnlyAdmin):
    """A page whose deed asks first for what only the signed-in person has: password or one-time password."""

    def ask_password_then(
        self,
        request: HttpRequest,
        obj: Any,
        deed: Callable[[User], Any],
        done: Any,
        *,
        form: ConfirmForm | None = None,
        **context: Any,
    ) -> HttpResponse:
        """Show the form; when it is right do the deed, say so and go back to the record.

        `form`: one that asks for more, which the deed then reads.
        """
        person = cast(User, request.user)
        form = form or ConfirmForm(request.POST or None, request=request)
        back = reverse(f"admin:{obj._meta.app_label}_{obj._meta.model_name}_change", args=[obj.pk])
        if form.is_bound and form.is_valid() and did(form, deed, person):
            messages.success(request, done)
            return redirect(back)
        return render_ask_page(self, request, form=form, original=obj, back=back, is_danger=True, **context)


def did(form: forms.Form, deed: Callable[[User], Any], person: User) -> bool:
    """Do the deed; what it refuses stands on the form."""
    try:
        deed(person)
    except DomainError as error:
        form.add_error(None, str(error))
        return False
    return True


@admin.register(OrderLine)
class OrderLineAdmin(AsksPassword):
    """The things paid for, one by one."""

    list_display = ["label", "order", "sum", "state", "last_error"]
    list_filter = ["status", "kind"]
    list_select_related = ["order"]
    ordering = ["-pk"]
    search_fields = ["label", "=order__code", "order__payer_name", "order__email"]
    search_help_text = _("What, confirmation code, payer's name or e-mail")
    fields = ["order", "kind", "label", "detail", "net_part", "tax_part", "sum", "status"]
    fields += ["attempts", "next_try_at", "last_error"]
    readonly_fields = fields
    inlines = [RefundInline]
    actions_detail = ["refund"]
    sum = money_column("amount", _("amount"))
    net_part = money_column("net", _("without tax"))
    tax_part = money_column("tax", _("tax"))
    state = status_column(LINE_TONES)

    def has_refund_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("payments.add_refund")

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        refundable = [LineStatus.FULFILLED, LineStatus.NEEDS_REVIEW]
        offered = OrderLine.objects.filter(pk=object_id, status__in=refundable).exists()
        return super().get_actions_detail(request, object_id) if offered else []

    @method_decorator(sensitive_post_parameters("password", "code"))
    @action(description=_("Refund this line"), url_path="refund", permissions=["refund"], icon="undo")
    def refund(self, request: HttpRequest, object_id: str) -> HttpResponse:
        line = get_object_or_404(OrderLine.objects.select_related("order"), pk=object_id)
        return self.ask_password_then(
            request,
            line,
            lambda person: refunding.refund_line(line=line, actor=person),
            _("The refund is on its way."),
            title=_("Refund this line"),
            facts=[
                (_("What"), line.label),
                (_("Payer"), line.order.payer_name or line.order.email),
                (_("Confirmation code"), line.order.code),
                (_("Goes back"), format_money(line.amount)),
            ],
            warning=gettext("The money goes back to where it came from, and what was bought is taken back at once."),
            submit=gettext("Refund %(sum)s") % {"sum": format_money(line.amount)},
        )


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


@admin.register(Refund)
class RefundAdmin(ReadOnlyAdmin):
    """Money on its way back."""

    list_display = ["reference", "order_code", "sum", "reason", "state", "attempts", "last_error", "created_at"]
    list_filter = ["status", "reason"]
    list_select_related = ["payment__order"]
    ordering = ["-pk"]
    search_fields = ["=reference", "=gateway_reference", "=payment__order__code", "payment__order__payer_name"]
    search_help_text = _("Reference, confirmation code or payer's name")
    fields = ["payment", "line", "reference", "gateway_reference", "sum", "reason", "note", "status", "requested_by"]
    fields += ["attempts", "next_try_at", "last_error", "created_at", "succeeded_at"]
    readonly_fields = fields
    actions = ["try_again"]
    sum = money_column("amount", _("amount"))
    state = status_column(REFUND_TONES)

    @display(description=_("confirmation code"))
    def order_code(self, refund: Refund) -> str:
        return refund.payment.order.code

    def has_retry_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("payments.change_refund")

    @admin.action(description=_("Try again"), permissions=["retry"])
    def try_again(self, request: HttpRequest, queryset: QuerySet[Refund]) -> None:
        act_on_each(
            request,
            queryset,
            lambda refund: refunds.retry_refund(refund=refund, actor=request.user),
            lambda count: (
                ngettext("%(count)d refund will be tried again.", "%(count)d refunds will be tried again.", count)
                % {"count": count}
            ),
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
