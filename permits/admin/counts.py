"""The office's counts, their export, and the calendar of occupancy: pages of the list of sales."""

import datetime as dt
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from opscom.core import audit
from opscom.provider.models import Lot, Term
from opscom.provider.selectors import get_provider, local_date
from permits import counts
from permits.models import PermitType

FORMATS = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


class CountsForm(forms.Form):
    """What to count; nothing chosen: all."""

    lot = forms.ModelChoiceField(
        Lot.objects.all(), label=_("Lot"), required=False, empty_label=_("All"), widget=UnfoldAdminSelectWidget
    )
    permit_type = forms.ModelChoiceField(
        PermitType.objects.all(),
        label=_("Permit type"), required=False, empty_label=_("All"), widget=UnfoldAdminSelectWidget,
    )  # fmt: skip
    term = forms.ModelChoiceField(
        Term.objects.all(), label=_("Term"), required=False, empty_label=_("All"), widget=UnfoldAdminSelectWidget
    )


class MonthForm(forms.Form):
    """Which lot, and which month."""

    lot = forms.ModelChoiceField(Lot.objects.all(), label=_("Lot"), widget=UnfoldAdminSelectWidget)
    month = forms.DateField(
        label=_("Month"), input_formats=["%Y-%m"], widget=UnfoldAdminTextInputWidget(attrs={"type": "month"})
    )


class CountsPages:
    """Two pages for the admin of sales."""

    COUNTS_PAGES = ("counts", "occupancy")

    def has_counts_permission(self, request: HttpRequest) -> bool:
        # What is counted are permits and sales: who may not see those learns no number of them.
        return request.user.has_perm("permits.view_sale") and request.user.has_perm("permits.view_permit")

    @action(description=_("Counts"), url_path="counts", permissions=["counts"], icon="bar_chart")
    def counts(self, request: HttpRequest) -> HttpResponse:
        """Show the figures, or hand them out when the address names a format."""
        if not self.has_counts_permission(request):
            raise PermissionDenied
        form = CountsForm(request.GET)
        rows = counts.count_all(counts.Chosen(**form.cleaned_data), timezone.now()) if form.is_valid() else []
        wanted = next((name for name in FORMATS if name in request.GET), "")
        if wanted and form.is_valid():
            return export_counts(request, rows, wanted)
        return self._show(
            request, "permits/admin/counts.html", form, title=_("Counts"), rows=rows, headers=counts.count_headers()
        )

    @action(description=_("Occupancy"), url_path="occupancy", permissions=["counts"], icon="calendar_month")
    def occupancy(self, request: HttpRequest) -> HttpResponse:
        """Show a month of one lot."""
        if not self.has_counts_permission(request):
            raise PermissionDenied
        first = Lot.objects.first()
        unasked = {"lot": first.pk if first else "", "month": f"{local_date():%Y-%m}"}
        form = MonthForm(request.GET if "month" in request.GET else unasked)
        page: dict[str, Any] = {"title": _("Occupancy")}
        if form.is_valid():
            lot, month = form.cleaned_data["lot"], form.cleaned_data["month"]
            days = counts.occupancy(lot, month)
            page |= {"lot": lot, "month": month, "days": days, "blank": range(month.weekday())}
            page |= {"earlier": month - dt.timedelta(days=1), "later": days[-1].day + dt.timedelta(days=1)}
        return self._show(request, "permits/admin/occupancy.html", form, **page)

    def _show(self, request: HttpRequest, template: str, form: forms.Form, **page: Any) -> HttpResponse:
        site = self.admin_site  # type: ignore[attr-defined]
        request.current_app = site.name  # type: ignore[attr-defined]
        context = {**site.each_context(request), "opts": self.model._meta, "form": form, **page}  # type: ignore[attr-defined]
        context["back"] = reverse("admin:permits_sale_changelist")
        return TemplateResponse(request, template, context, status=200 if form.is_valid() else 422)


def export_counts(request: HttpRequest, rows: list[counts.CountRow], wanted: str) -> HttpResponse:
    """Hand the figures out as a file, and write down who took it."""
    table = counts.as_table(rows)
    audit.record("counts.exported", get_provider(), actor=request.user, rows=len(table))
    answer = HttpResponse(table.export(wanted), content_type=FORMATS[wanted])
    answer["Content-Disposition"] = f'attachment; filename="counts-{local_date()}.{wanted}"'
    return answer
