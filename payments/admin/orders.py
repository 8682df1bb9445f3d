"""Orders, what they are for, and what the office does to a line: refund it, adjust its price."""

from typing import Any

from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.decorators import method_decorator
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_post_parameters
from unfold.decorators import action

from opscom.core.admin import ReadOnlyAdmin
from opscom.core.money import format_money
from opscom.provider.models import RefundFrees
from opscom.provider.selectors import get_provider
from payments.admin.forms import AdjustForm, RefundForm
from payments.admin.shared import (
    LINE_TONES,
    ORDER_TONES,
    AdjustmentInline,
    AsksPassword,
    LineInline,
    PaymentInline,
    RefundInline,
    money_column,
    status_column,
)
from payments.models import (
    Order,
    OrderLine,
    OrderStatus,
)
from payments.services import adjusting, refunding


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


@admin.register(OrderLine)
class OrderLineAdmin(AsksPassword):
    """The things paid for, one by one."""

    list_display = ["label", "order", "sum", "state", "last_error"]
    list_filter = ["status", "kind"]
    list_select_related = ["order"]
    ordering = ["-pk"]
    search_fields = ["label", "=order__code", "order__payer_name", "order__email"]
    search_help_text = _("What, confirmation code, payer's name or e-mail")
    fields = ["order", "kind", "label", "detail", "net_part", "tax_part", "sum", "adjusted_by", "back", "status"]
    fields += ["account_code", "attempts", "next_try_at", "last_error"]
    readonly_fields = fields
    inlines = [RefundInline, AdjustmentInline]
    actions_detail = ["refund", "adjust"]
    adjusted_by = money_column("adjusted", _("adjusted by"))
    back = money_column("returned", _("given back"))
    sum = money_column("amount", _("amount"))
    net_part = money_column("net", _("without tax"))
    tax_part = money_column("tax", _("tax"))
    state = status_column(LINE_TONES)

    def has_refund_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("payments.add_refund")

    def has_adjust_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("payments.add_adjustment")

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        refundable = Q(status__in=refunding.REFUNDABLE)
        offered = OrderLine.objects.filter(refundable | Q(order__status=OrderStatus.PROMISED), pk=object_id)
        # A deposit is decided about on its own page.
        if not offered.exists() or offered.filter(kind=refunding.DEPOSIT).exists():
            return []
        return super().get_actions_detail(request, object_id)

    @method_decorator(sensitive_post_parameters("password", "code"))
    @action(description=_("Refund this line"), url_path="refund", permissions=["refund"], icon="undo")
    def refund(self, request: HttpRequest, object_id: str) -> HttpResponse:
        line = get_object_or_404(OrderLine.objects.select_related("order"), pk=object_id)
        return self.ask_then(
            request,
            line,
            RefundForm,
            lambda person, values: refunding.refund_line(line=line, actor=person, **values_of(values)),
            _("The refund is written down: it is sent now, or waits for a second person."),
            title=_("Refund this line"),
            facts=[
                (_("What"), line.label),
                (_("Payer"), line.order.payer_name or line.order.email),
                (_("Confirmation code"), line.order.code),
                (_("Paid and not given back"), format_money(line.kept)),
            ],
            warning=explain_refund(),
            submit=gettext("Refund"),
        )

    @method_decorator(sensitive_post_parameters("password", "code"))
    @action(description=_("Adjust the price"), url_path="adjust", permissions=["adjust"], icon="price_change")
    def adjust(self, request: HttpRequest, object_id: str) -> HttpResponse:
        line = get_object_or_404(OrderLine.objects.select_related("order"), pk=object_id)
        return self.ask_then(
            request,
            line,
            AdjustForm,
            lambda person, values: adjusting.adjust_line(
                line=line, amount=values["amount"], reason=values["reason"], actor=person
            ),
            _("The price is adjusted."),
            title=_("Adjust the price"),
            facts=[
                (_("What"), line.label),
                (_("Payer"), line.order.payer_name or line.order.email),
                (_("Price"), format_money(line.due)),
            ],
            warning=gettext(
                "What was bought is kept. If it is paid, less is a refund in part, and more is asked for as a debt."
            ),
            submit=gettext("Adjust"),
            is_danger=False,
        )


def values_of(values: dict[str, Any]) -> dict[str, Any]:
    """Return what a refund takes of what was typed."""
    return {"amount": values["amount"], "note": values["note"]}


def explain_refund() -> str:
    """Return what becomes of what was bought, by the provider's rule."""
    return {
        RefundFrees.WHOLE: gettext(
            "The money goes back to where it came from. What was bought is taken back when all of its money goes back."
        ),
        RefundFrees.ALWAYS: gettext("The money goes back to where it came from, and what was bought is taken back."),
        RefundFrees.NEVER: gettext("The money goes back to where it came from. What was bought is kept."),
    }[RefundFrees(get_provider().refund_frees)]
