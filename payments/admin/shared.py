"""What the pages about money share: columns, tones, inlines, and the question before a deed."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any, cast

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import display

from accounts.forms.office import ConfirmForm
from accounts.models import User
from opscom.core.admin import ReadOnlyAdmin, ReadOnlyInline, change_page, render_ask_page
from opscom.core.errors import DomainError
from opscom.core.money import format_money
from payments.models import (
    Adjustment,
    DebtStatus,
    DepositStatus,
    DisputeStatus,
    LineStatus,
    OrderLine,
    OrderStatus,
    Payment,
    PaymentStatus,
    Refund,
    RefundStatus,
)

ORDER_TONES = {
    OrderStatus.OPEN: "info",
    OrderStatus.PROMISED: "warning",
    OrderStatus.PAID: "success",
    OrderStatus.CLOSED: "default",
}
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
    RefundStatus.PROPOSED: "warning",
    RefundStatus.WITHDRAWN: "default",
    RefundStatus.PENDING: "info",
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


DEBT_TONES = {DebtStatus.DUE: "warning", DebtStatus.PAID: "success", DebtStatus.CANCELLED: "default"}
DEPOSIT_TONES = {
    DepositStatus.DUE: "warning",
    DepositStatus.HELD: "info",
    DepositStatus.CLOSED: "success",
    DepositStatus.CANCELLED: "default",
}
DISPUTE_TONES = {DisputeStatus.OPEN: "danger", DisputeStatus.WON: "success", DisputeStatus.LOST: "default"}


class LineInline(ReadOnlyInline):
    """What the order is for."""

    model = OrderLine
    fields = ["label", "detail", "total", "tax_part", "status"]
    show_change_link = True
    total = money_column("amount", _("amount"))
    tax_part = money_column("tax", _("of it tax"))


class AdjustmentInline(ReadOnlyInline):
    """How its price was adjusted."""

    model = Adjustment
    fields = ["sum", "reason", "made_by", "made_at"]
    sum = money_column("amount", _("amount"))


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


class AsksFirst:
    """Asks, before a deed, for what only the signed-in person has: password or one-time password."""

    def ask_password_then(
        self, request: HttpRequest, obj: Any, deed: Callable[[User], Any], done: Any, **context: Any
    ) -> HttpResponse:
        """Show the form; when it is right do the deed, say so and go back to the record."""
        return self.ask_then(request, obj, ConfirmForm, lambda person, values: deed(person), done, **context)

    def ask_then(
        self,
        request: HttpRequest,
        obj: Any,
        form_class: type[ConfirmForm],
        deed: Callable[[User, dict[str, Any]], Any],
        done: Any,
        **context: Any,
    ) -> HttpResponse:
        """As `ask_password_then`, with a form that asks for more, whose values the deed gets."""
        person = cast(User, request.user)
        form = form_class(request.POST or None, request=request)
        back = reverse(f"admin:{obj._meta.app_label}_{obj._meta.model_name}_change", args=[obj.pk])
        if form.is_bound and form.is_valid() and did(form, lambda who: deed(who, form.cleaned_data), person):
            messages.success(request, done)
            return redirect(back)
        page = cast(ModelAdmin, self)
        return render_ask_page(page, request, form=form, original=obj, back=back, **{"is_danger": True, **context})


class AsksOffice(AsksFirst):
    """Asks before a deed; a plain form where nothing but words is needed."""

    def ask_plain(
        self,
        request: HttpRequest,
        obj: Any,
        form: forms.Form,
        deed: Callable[[User, Any], Any],
        done: Any,
        **context: Any,
    ) -> HttpResponse:
        """Show the bound or unbound form; when it is right do the deed, say so and go back to the record."""
        back = change_page(obj)
        person = cast(User, request.user)
        if form.is_bound and form.is_valid() and did(form, lambda who: deed(who, form.cleaned_data), person):
            messages.success(request, done)
            return redirect(back)
        return render_ask_page(cast(ModelAdmin, self), request, form=form, original=obj, back=back, **context)


class AsksPassword(AsksFirst, ReadOnlyAdmin):
    """A page of which nothing is edited, and whose deeds ask first."""


def did(form: forms.Form, deed: Callable[[User], Any], person: User) -> bool:
    """Do the deed; what it refuses stands on the form."""
    try:
        deed(person)
    except DomainError as error:
        form.add_error(None, str(error))
        return False
    return True


def link_to(row: Any, label: Any = None) -> SafeString | str:
    """Return a link to the office's page about the record; a dash for none."""
    if row is None:
        return "-"
    return format_html('<a class="office-link" href="{}">{}</a>', change_page(row), label or row)
