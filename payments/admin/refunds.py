"""Money on its way back: proposed, approved, sent, given by hand, tried again."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.decorators import method_decorator
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_post_parameters
from unfold.decorators import action, display

from opscom.core.admin import act_on_each
from opscom.core.money import format_money
from payments.admin.forms import NoteForm
from payments.admin.shared import REFUND_TONES, AsksPassword, money_column, status_column
from payments.models import (
    Refund,
    RefundStatus,
)
from payments.services import refunding, refunds


@admin.register(Refund)
class RefundAdmin(AsksPassword):
    """Money on its way back."""

    list_display = ["reference", "order_code", "sum", "reason", "state", "attempts", "last_error", "created_at"]
    list_filter = ["status", "reason"]
    list_select_related = ["payment__order"]
    ordering = ["-pk"]
    search_fields = ["=reference", "=gateway_reference", "=payment__order__code", "payment__order__payer_name"]
    search_help_text = _("Reference, confirmation code or payer's name")
    fields = ["payment", "line", "reference", "gateway_reference", "sum", "reason", "note", "status", "requested_by"]
    fields += [
        "frees",
        "approved_by",
        "replaces",
        "attempts",
        "next_try_at",
        "last_error",
        "created_at",
        "succeeded_at",
    ]
    readonly_fields = fields
    actions = ["try_again"]
    actions_detail = ["approve", "withdraw", "hand_back"]
    sum = money_column("amount", _("amount"))
    state = status_column(REFUND_TONES)

    @display(description=_("confirmation code"))
    def order_code(self, refund: Refund) -> str:
        return refund.payment.order.code

    def has_decide_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("payments.add_refund")

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Only what can be done to this refund now."""
        refund = Refund.objects.select_related("payment").filter(pk=object_id).first()
        offered: set[str] = set()
        if refund and refund.status == RefundStatus.PROPOSED:
            offered = {"approve", "withdraw"}
        elif refund and refund.status == RefundStatus.DUE and refund.payment.is_handed_back:
            offered = {"hand_back"}
        return [
            one
            for one in super().get_actions_detail(request, object_id)
            if one.action_name.endswith(tuple(offered) or ("-",))
        ]

    @method_decorator(sensitive_post_parameters("password", "code"))
    @action(description=_("Approve"), url_path="approve", permissions=["decide"], icon="check")
    def approve(self, request: HttpRequest, object_id: str) -> HttpResponse:
        refund = self._found(object_id)
        return self.ask_password_then(
            request,
            refund,
            lambda person: refunding.approve_refund(refund=refund, actor=person),
            _("The refund is on its way."),
            title=_("Approve this refund"),
            facts=self._facts(refund),
            warning=gettext("You are the second person: what you approve is sent at once."),
            submit=gettext("Approve"),
        )

    @method_decorator(sensitive_post_parameters("password", "code"))
    @action(description=_("Do not refund"), url_path="withdraw", permissions=["decide"], icon="block")
    def withdraw(self, request: HttpRequest, object_id: str) -> HttpResponse:
        refund = self._found(object_id)
        return self.ask_then(
            request,
            refund,
            NoteForm,
            lambda person, values: refunding.withdraw_refund(refund=refund, actor=person, note=values["note"]),
            _("The refund will not be made."),
            title=_("Do not make this refund"),
            facts=self._facts(refund),
            submit=gettext("Do not refund"),
        )

    @method_decorator(sensitive_post_parameters("password", "code"))
    @action(description=_("Given back by hand"), url_path="hand-back", permissions=["decide"], icon="payments")
    def hand_back(self, request: HttpRequest, object_id: str) -> HttpResponse:
        refund = self._found(object_id)
        return self.ask_then(
            request,
            refund,
            NoteForm,
            lambda person, values: refunding.hand_back(refund=refund, actor=person, note=values["note"]),
            _("It is written down that the money was given back."),
            title=_("Given back by hand"),
            facts=self._facts(refund),
            warning=gettext("No gateway sends this money. Write down how it was given back: in cash, by a cheque."),
            submit=gettext("Given back"),
            is_danger=False,
        )

    def _found(self, object_id: str) -> Refund:
        return get_object_or_404(Refund.objects.select_related("payment__order", "line", "requested_by"), pk=object_id)

    def _facts(self, refund: Refund) -> list[tuple[Any, Any]]:
        order = refund.payment.order
        return [
            (_("Payer"), order.payer_name or order.email),
            (_("Confirmation code"), order.code),
            (_("What"), refund.line.label if refund.line else refund.get_reason_display()),
            (_("Goes back"), format_money(refund.amount)),
            (_("Asked by"), refund.requested_by or "-"),
            (_("Note"), refund.note or "-"),
        ]

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
