"""A person's history as the person sees it, and further back, for the office."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action
from unfold.widgets import INPUT_CLASSES, UnfoldAdminSelectWidget

from accounts.forms.history import HistoryForm
from accounts.history import HistoryPage, HistoryRow, history_kinds, read_history


class OfficeHistoryForm(HistoryForm):
    """The same questions in the office's look."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = list(self.fields["kind"].widget.choices)  # type: ignore[attr-defined]
        self.fields["kind"].widget = UnfoldAdminSelectWidget(choices=choices)
        for name in ("first_day", "last_day"):
            attrs = {"type": "date", "class": " ".join(INPUT_CLASSES)}
            self.fields[name].widget = forms.DateInput(attrs=attrs, format="%Y-%m-%d")


class HistoryMixin(admin.ModelAdmin):
    """The button `User History` on a person's page."""

    @action(description=_("User History"), url_path="user-history", permissions=["view"], icon="history")
    def user_history(self, request: HttpRequest, object_id: str) -> HttpResponse:
        person = get_object_or_404(self.get_queryset(request), pk=object_id)
        form = OfficeHistoryForm(request.GET, kinds=history_kinds(person))
        page = read_history(person, form.window(oldest=None)) if form.is_valid() else HistoryPage([])
        request.current_app = self.admin_site.name  # type: ignore[attr-defined]
        context = {
            **self.admin_site.each_context(request),
            "title": _("User History"),
            "opts": self.model._meta,
            "original": person,
            "form": form,
            "page": page,
            "rows": [(row, record_address(row)) for row in page.rows],
        }
        status = 200 if form.is_valid() else 422
        return TemplateResponse(request, "accounts/admin/history.html", context, status=status)


def record_address(row: HistoryRow) -> str:
    """Return the office's page about the record; empty when there is none."""
    kind, pk = row.record
    try:
        return reverse(f"admin:{kind.replace('.', '_')}_change", args=[pk])
    except NoReverseMatch:
        return ""
