"""The books: proofs, the daily balance, the export for the bookkeeping, and who is exempt from taxes."""

import datetime as dt
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminDateWidget

from opscom.core import audit
from opscom.core.admin import ReadOnlyAdmin, SettingAdmin
from opscom.provider.selectors import get_provider, local_date
from payments import balance, journal
from payments.models import BooksProof, TaxExemption

MOST_DAYS = 366
# What comes out of the export, by the format in its address.
FORMATS = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


class PeriodForm(forms.Form):
    """From which day, and up to and with which."""

    first = forms.DateField(label=_("From"), widget=UnfoldAdminDateWidget(attrs={"type": "date"}))
    last = forms.DateField(label=_("Up to and including"), widget=UnfoldAdminDateWidget(attrs={"type": "date"}))

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or {}
        first, last = values.get("first"), values.get("last")
        if first and last and not dt.timedelta(0) <= last - first < dt.timedelta(days=MOST_DAYS):
            raise ValidationError(_("Please choose a period of one day to one year."))
        return values


def chosen_period(request: HttpRequest) -> tuple[PeriodForm, dt.date | None, dt.date | None]:
    """Return the form, the first day and the day after the last; this month so far when nothing was chosen."""
    today = local_date()
    month = {"first": today.replace(day=1).isoformat(), "last": today.isoformat()}
    form = PeriodForm(request.GET if "first" in request.GET else month)
    if not form.is_valid():
        return form, None, None
    return form, form.cleaned_data["first"], form.cleaned_data["last"] + dt.timedelta(days=1)


@admin.register(BooksProof)
class BooksProofAdmin(ReadOnlyAdmin):
    """What the nightly look through the books found; from here to the daily balance and the export."""

    list_display = ["proved_at", "state", "count"]
    ordering = ["-pk"]
    fields = ["proved_at", "state", "what_differs"]
    readonly_fields = fields
    actions_list = ["balance"]

    @display(description=_("state"), label={"clean": "success", "differs": "danger"})
    def state(self, proof: BooksProof) -> tuple[str, Any]:
        return ("clean", _("All rules hold")) if proof.is_clean else ("differs", _("Something differs"))

    @display(description=_("what differs"))
    def count(self, proof: BooksProof) -> int:
        return len(proof.findings)

    @display(description=_("what differs"))
    def what_differs(self, proof: BooksProof) -> str:
        return "\n".join(proof.findings) or "-"

    def has_balance_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    @action(description=_("Daily balance"), url_path="balance", permissions=["balance"], icon="account_balance")
    def balance(self, request: HttpRequest) -> HttpResponse:
        """Show the balance of a period, or hand out its journal when the address names a format."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        form, first, after_last = chosen_period(request)
        wanted = next((name for name in FORMATS if name in request.GET), "")
        if first and after_last and wanted:
            return export_journal(request, first, after_last, wanted)
        rows = balance.daily_balance(first, after_last) if first and after_last else []
        context = {
            **self.admin_site.each_context(request),
            "title": _("Daily balance"),
            "opts": self.model._meta,
            "form": form,
            "rows": rows,
            "totals": balance.totals(rows),
            "unmatched": [(one, link_of(one)) for one in balance.list_unmatched()],
            "back": reverse("admin:payments_booksproof_changelist"),
        }
        request.current_app = self.admin_site.name  # type: ignore[attr-defined]
        return TemplateResponse(request, "payments/admin/balance.html", context, status=200 if form.is_valid() else 422)


def link_of(one: balance.Unmatched) -> str:
    """Return the address of the list that shows it."""
    return reverse(f"admin:payments_{one.list_name}_changelist") + (f"?{one.query}" if one.query else "")


def export_journal(request: HttpRequest, first: dt.date, after_last: dt.date, wanted: str) -> HttpResponse:
    """Hand out the journal as a file, and write down who took it."""
    table = journal.as_table(journal.journal(first, after_last))
    content = table.export(wanted)
    audit.record(
        "books.exported",
        get_provider(),
        actor=request.user,
        first=str(first),
        after_last=str(after_last),
        rows=len(table),
    )
    answer = HttpResponse(content, content_type=FORMATS[wanted])
    answer["Content-Disposition"] = f'attachment; filename="journal-{first}-{after_last}.{wanted}"'
    return answer


@admin.register(TaxExemption)
class TaxExemptionAdmin(SettingAdmin):
    """Who need not pay some taxes, until when. What was sold keeps the taxes of its day."""

    list_display = ["number", "person", "starts_on", "ends_on"]
    list_select_related = ["person"]
    search_fields = ["=number", "person__first_name", "person__last_name", "person__email"]
    search_help_text = _("The number, or the person's name or e-mail")
    fields = ["person", "number", "taxes", "starts_on", "ends_on", "entered_by"]
    readonly_fields = ["entered_by"]
    autocomplete_fields = ["person"]
    filter_horizontal = ["taxes"]

    def save_model(self, request: HttpRequest, obj: TaxExemption, form: Any, change: bool) -> None:
        if not change:
            obj.entered_by = request.user  # type: ignore[assignment]
        super().save_model(request, obj, form, change)
