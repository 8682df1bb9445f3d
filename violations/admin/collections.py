"""Overdue tickets go out to a collection agency in a file; its file of results is read back."""

from collections.abc import Iterable
from typing import Any, cast

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_post_parameters
from unfold.decorators import action, display

from accounts.models import User
from opscom.core import audit
from opscom.core.admin import ReadOnlyAdmin, change_page, posted, render_ask_page
from opscom.core.errors import DomainError
from opscom.core.money import ZERO, format_money
from payments.admin.results import ReadsResults
from payments.admin.shared import AsksOffice, money_column
from violations.admin.forms import CollectConfirmForm, CollectForm
from violations.collecting import ResultLine, write_file
from violations.costing import cost_at
from violations.models import CollectionExport
from violations.services import collecting


@admin.register(CollectionExport)
class CollectionExportAdmin(ReadsResults, AsksOffice, ReadOnlyAdmin):
    """Files for collections."""

    list_display = ["code", "made_at", "made_by", "count", "sum"]
    list_select_related = ["made_by"]
    fields = ["code", "made_at", "made_by", "count", "sum"]
    readonly_fields = fields
    actions_detail = ["download", "read_results"]
    results_below = "violations/admin/_results.html"
    results_warning = _("What was paid to the agency counts as paid, in the books, too.")
    sum = money_column("total", _("sum"))

    @display(description=_("tickets"))
    def count(self, export: CollectionExport) -> int:
        return len(export.rows)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("violations.add_collectionexport")

    def has_handle_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("violations.change_collectionexport")

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        if object_id is None:
            return self._send(request)
        return cast(HttpResponse, super().changeform_view(request, object_id, form_url, extra_context))

    def _send(self, request: HttpRequest) -> HttpResponse:
        """Ask from when on, show what would go, and send it when that is confirmed with the password."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        if request.method == "POST":
            return self._confirm(request)
        form = CollectForm(request.GET if "overdue_days" in request.GET else None)
        if form.is_bound and form.is_valid():
            return self._confirm(request, form.cleaned_data["overdue_days"])
        return render_ask_page(
            self, request, title=_("Send tickets to collections"), form=form, submit=gettext("Look at it"),
            method="get", back=reverse("admin:violations_collectionexport_changelist"),
            warning=gettext("First you see what would be sent. Nothing is sent before you confirm it."),
        )  # fmt: skip

    @method_decorator(sensitive_post_parameters("password", "code"))
    def _confirm(self, request: HttpRequest, days: int = 0) -> HttpResponse:
        form = CollectConfirmForm(posted(request), request=request, initial={"overdue_days": days})
        if form.is_bound and form.is_valid():
            try:
                export = collecting.send_to_collections(
                    overdue_days=form.cleaned_data["overdue_days"], actor=cast(User, request.user)
                )
            except DomainError as error:
                form.add_error(None, str(error))
            else:
                messages.success(request, _("The tickets are flagged, and their file is made."))
                return redirect(change_page(export))
        days = form.cleaned_data.get("overdue_days", 0) if form.is_bound else days
        tickets = collecting.tickets_to_collect(overdue_days=days)
        facts = [
            (_("Overdue for at least so many days"), days),
            (_("Tickets"), len(tickets)),
            (_("Sum"), format_money(sum((cost_at(ticket) for ticket in tickets), ZERO))),
        ]
        return render_ask_page(
            self, request, title=_("Send tickets to collections"), form=form, facts=facts, is_danger=True,
            submit=gettext("Send to collections"), back=reverse("admin:violations_collectionexport_add"),
            warning=gettext("Each ticket is sent once, and costs no more from then on."),
        )  # fmt: skip

    @action(description=_("Download the file"), url_path="download", permissions=["handle"], icon="download")
    def download(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Hand the file out, the same each time, and write down who took it: it names people and what they owe."""
        if not self.has_handle_permission(request):
            raise PermissionDenied
        export = get_object_or_404(CollectionExport, pk=object_id)
        audit.record("collectionexport.downloaded", export, actor=request.user)
        answer = HttpResponse(write_file(export), content_type="text/csv; charset=utf-8")
        answer["Content-Disposition"] = f'attachment; filename="collections-{export.code}.csv"'
        return answer

    @method_decorator(sensitive_post_parameters("password", "code"))
    @action(description=_("Read the results"), url_path="results", permissions=["handle"], icon="fact_check")
    def read_results(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask for the file, show what it would do, and let it count when that is confirmed."""
        if not self.has_handle_permission(request):
            raise PermissionDenied
        return self.ask_for_results(request, get_object_or_404(CollectionExport, pk=object_id))

    def judge_results(self, obj: CollectionExport, lines: Iterable[ResultLine]) -> collecting.Reading:
        return collecting.judge_results(obj, lines)

    def count_results(
        self, obj: CollectionExport, lines: Iterable[ResultLine], actor: User
    ) -> tuple[int, collecting.Reading]:
        done = collecting.read_results(export=obj, lines=lines, actor=actor)
        return len(done.paid) + len(done.refused), done

    def describe_results(self, obj: CollectionExport, reading: collecting.Reading | None) -> list[tuple[Any, Any]]:
        facts: list[tuple[Any, Any]] = [(_("File"), obj.code)]
        if reading:
            facts += [
                (_("Paid"), len(reading.paid)),
                (_("Not collected"), len(reading.refused)),
                (_("Read before"), reading.known),
                (_("Lines that do not count"), len(reading.problems)),
            ]
        return facts
