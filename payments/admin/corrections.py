"""Debts, adjustments, deposits and disputed payments."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.decorators import method_decorator
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_post_parameters
from unfold.decorators import action

from opscom.core.admin import ReadOnlyAdmin
from opscom.core.money import format_money
from payments.admin.forms import DecideDepositForm, NoteForm
from payments.admin.shared import DEBT_TONES, DEPOSIT_TONES, DISPUTE_TONES, AsksPassword, money_column, status_column
from payments.models import Adjustment, Debt, DebtStatus, Deposit, DepositKind, DepositStatus, Dispute, DisputeStatus
from payments.services import debts, deposits, disputes

# What can be decided about a deposit, by where it stands.
DEED_OF = {DepositStatus.HELD: "decide", DepositStatus.DUE: "cancel"}
PERSON_SEARCH = ["person__first_name", "person__last_name", "person__email"]


@admin.register(Debt)
class DebtAdmin(AsksPassword):
    """What stands as owed again: a cheque that bounced, a deduction that was refused, a price that was raised."""

    list_display = ["label", "person", "sum", "reason", "state", "created_at"]
    list_filter = ["status", "reason"]
    list_select_related = ["person"]
    ordering = ["-pk"]
    search_fields = ["=code", "=order__code", "label", *PERSON_SEARCH]
    search_help_text = _("What, confirmation code, or the person's name or e-mail")
    fields = ["person", "order", "label", "sum", "tax_part", "reason", "note", "status", "created_at", "created_by"]
    fields += ["closed_at"]
    readonly_fields = fields
    actions_detail = ["write_off"]
    sum = money_column("amount", _("amount"))
    tax_part = money_column("tax", _("of it tax"))
    state = status_column(DEBT_TONES)

    def has_write_off_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("payments.change_debt")

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        is_due = Debt.objects.filter(pk=object_id, status=DebtStatus.DUE).exists()
        return super().get_actions_detail(request, object_id) if is_due else []

    @method_decorator(sensitive_post_parameters("password", "code"))
    @action(description=_("Write off"), url_path="write-off", permissions=["write_off"], icon="money_off")
    def write_off(self, request: HttpRequest, object_id: str) -> HttpResponse:
        debt = get_object_or_404(Debt.objects.select_related("person"), pk=object_id)
        return self.ask_then(
            request,
            debt,
            NoteForm,
            lambda person, values: debts.write_off_debt(debt=debt, actor=person, note=values["note"]),
            _("The debt is written off."),
            title=_("Write this debt off"),
            facts=[
                (_("Person"), debt.person),
                (_("What"), debt.label),
                (_("Amount"), format_money(debt.amount)),
                (_("Reason"), debt.get_reason_display()),
            ],
            warning=gettext("It will not be asked for any more. This cannot be undone."),
            submit=gettext("Write off"),
        )


@admin.register(Adjustment)
class AdjustmentAdmin(ReadOnlyAdmin):
    """Prices that the office changed; made on the page of an order's line."""

    list_display = ["line", "sum", "reason", "made_by", "made_at"]
    list_select_related = ["line", "made_by"]
    ordering = ["-pk"]
    search_fields = ["=line__order__code", "line__label", "reason"]
    search_help_text = _("Confirmation code, what, or the reason")
    fields = ["line", "sum", "tax_part", "reason", "made_by", "made_at", "refund", "debt"]
    readonly_fields = fields
    sum = money_column("amount", _("amount"))
    tax_part = money_column("tax", _("of it tax"))


@admin.register(Deposit)
class DepositAdmin(AsksPassword):
    """Deposits: asked here for tags and cards, by the portal for lockers and boots; decided about once."""

    list_display = ["__str__", "person", "sum", "state", "created_at", "decided_at"]
    list_filter = ["status", "kind"]
    list_select_related = ["person"]
    ordering = ["-pk"]
    search_fields = ["=code", "label", *PERSON_SEARCH]
    search_help_text = _("What for, or the person's name or e-mail")
    autocomplete_fields = ["person"]
    shown = ["person", "kind", "label", "sum", "status", "line", "returned", "kept", "reason", "refund"]
    shown += ["created_at", "created_by", "decided_at", "decided_by"]
    actions_detail = ["decide", "cancel"]
    sum = money_column("amount", _("amount"))
    returned = money_column("returned_amount", _("returned"))
    kept = money_column("kept_amount", _("kept"))
    state = status_column(DEPOSIT_TONES)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("payments.add_deposit")

    def has_decide_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("payments.change_deposit")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return self.shown if obj else ["person", "kind", "label", "amount"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return self.shown if obj else []

    def get_form(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        """A guest's deposit may be nobody's; one that is typed here belongs to somebody who can pay it."""
        form = super().get_form(request, obj, **kwargs)
        if "person" in form.base_fields:
            form.base_fields["person"].required = True
        return form

    def save_model(self, request: HttpRequest, obj: Deposit, form: Any, change: bool) -> None:
        """Ask for it through the service; the row that it made takes the place of the form's."""
        made = deposits.ask_deposit(
            person=obj.person, kind=DepositKind(obj.kind), amount=obj.amount, label=obj.label, actor=request.user
        )
        obj.pk, obj.code = made.pk, made.code

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        deposit = Deposit.objects.filter(pk=object_id).first()
        offered = DEED_OF.get(DepositStatus(deposit.status)) if deposit else None
        actions = super().get_actions_detail(request, object_id)
        return [one for one in actions if offered and one.action_name.endswith(offered)]

    @method_decorator(sensitive_post_parameters("password", "code"))
    @action(description=_("Return or keep"), url_path="decide", permissions=["decide"], icon="assignment_return")
    def decide(self, request: HttpRequest, object_id: str) -> HttpResponse:
        deposit = self._found(object_id)
        return self.ask_then(
            request,
            deposit,
            DecideDepositForm,
            lambda person, values: deposits.decide_deposit(
                deposit=deposit, returned=values["returned"], reason=values["reason"], actor=person
            ),
            _("It is decided about the deposit."),
            title=_("Return or keep this deposit"),
            facts=self._facts(deposit),
            warning=gettext("What goes back goes to where it came from. A deposit is decided about once."),
            submit=gettext("Decide"),
        )

    @method_decorator(sensitive_post_parameters("password", "code"))
    @action(description=_("Cancel"), url_path="cancel", permissions=["decide"], icon="cancel")
    def cancel(self, request: HttpRequest, object_id: str) -> HttpResponse:
        deposit = self._found(object_id)
        return self.ask_then(
            request,
            deposit,
            NoteForm,
            lambda person, values: deposits.cancel_deposit(deposit=deposit, reason=values["note"], actor=person),
            _("The deposit is not asked for any more."),
            title=_("Do not ask for this deposit"),
            facts=self._facts(deposit),
            submit=gettext("Cancel the deposit"),
        )

    def _found(self, object_id: str) -> Deposit:
        return get_object_or_404(Deposit.objects.select_related("person"), pk=object_id)

    def _facts(self, deposit: Deposit) -> list[tuple[Any, Any]]:
        return [
            (_("Person"), deposit.person),
            (_("For"), str(deposit)),
            (_("Amount"), format_money(deposit.amount)),
        ]


@admin.register(Dispute)
class DisputeAdmin(AsksPassword):
    """Payments that their payers dispute at their bank. The answer is given at the gateway; its end is written here."""

    list_display = ["payment", "payer", "sum", "state", "opened_at", "closed_at"]
    list_filter = ["status"]
    list_select_related = ["payment__order"]
    ordering = ["-pk"]
    search_fields = ["=payment__reference", "=payment__order__code", "payment__order__payer_name"]
    search_help_text = _("Our reference, confirmation code or payer's name")
    fields = ["payment", "payer", "sum", "status", "refund", "opened_at", "closed_at", "closed_by", "note"]
    readonly_fields = fields
    actions_detail = ["won", "lost"]
    state = status_column(DISPUTE_TONES)

    @admin.display(description=_("payer"))
    def payer(self, dispute: Dispute) -> str:
        return dispute.payment.order.payer_name or dispute.payment.order.email

    @admin.display(description=_("amount"))
    def sum(self, dispute: Dispute) -> str:
        return format_money(dispute.payment.amount)

    def has_close_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("payments.change_dispute")

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        is_open = Dispute.objects.filter(pk=object_id, status=DisputeStatus.OPEN).exists()
        return super().get_actions_detail(request, object_id) if is_open else []

    @method_decorator(sensitive_post_parameters("password", "code"))
    @action(description=_("Won"), url_path="won", permissions=["close"], icon="thumb_up")
    def won(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._close(request, object_id, DisputeStatus.WON, gettext("The money stays with us."))

    @method_decorator(sensitive_post_parameters("password", "code"))
    @action(description=_("Lost"), url_path="lost", permissions=["close"], icon="thumb_down")
    def lost(self, request: HttpRequest, object_id: str) -> HttpResponse:
        words = gettext("The bank has taken the money back. What was bought is kept, and stands as owed again.")
        return self._close(request, object_id, DisputeStatus.LOST, words)

    def _close(self, request: HttpRequest, object_id: str, end: DisputeStatus, warning: str) -> HttpResponse:
        dispute = get_object_or_404(Dispute.objects.select_related("payment__order"), pk=object_id)
        return self.ask_then(
            request,
            dispute,
            NoteForm,
            lambda person, values: disputes.close_dispute(dispute=dispute, end=end, actor=person, note=values["note"]),
            _("The end of the dispute is written down."),
            title=end.label,
            facts=[(_("Payer"), self.payer(dispute)), (_("Amount"), self.sum(dispute))],
            warning=warning,
            submit=gettext("Write it down"),
        )
