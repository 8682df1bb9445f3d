"""Payroll and transfers: each period's file goes out, what came of it is read back."""

from collections.abc import Callable, Iterable
from typing import Any, cast

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q, QuerySet, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.decorators import method_decorator
from django.utils.formats import date_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_post_parameters
from unfold.decorators import action, display

from accounts.models import User
from opscom.core import audit
from opscom.core.admin import ReadOnlyAdmin, change_page
from opscom.core.money import ZERO, format_money
from payments.admin.results import ReadsResults
from payments.admin.shared import AsksPassword, money_column, status_column
from payments.collection_files import ResultLine, write_file
from payments.models import CollectionPeriod, CollectionStatus, Deduction, DeductionStatus
from payments.services import collecting

PERIOD_TONES = {
    CollectionStatus.OPEN: "info",
    CollectionStatus.SENT: "warning",
    CollectionStatus.CLOSED: "success",
}
DEDUCTION_TONES = {
    DeductionStatus.WAITING: "info",
    DeductionStatus.SENT: "warning",
    DeductionStatus.TAKEN: "success",
    DeductionStatus.REFUSED: "danger",
    DeductionStatus.CANCELLED: "default",
}
OFFERED = {
    CollectionStatus.OPEN: {"make_file"},
    CollectionStatus.SENT: {"download", "results"},
    # A transfer may come back weeks after it was taken.
    CollectionStatus.CLOSED: {"download", "results"},
}


@admin.register(CollectionPeriod)
class CollectionPeriodAdmin(ReadsResults, AsksPassword):
    """Pay periods and runs of transfers."""

    list_display = ["__str__", "last_day", "state", "count", "sum", "sent_at", "closed_at"]
    list_filter = ["kind", "status"]
    shown = ["kind", "starts_on", "last_day", "status", "count", "sum", "results", "sent_at", "sent_by"]
    shown += ["closed_at", "closed_by"]
    actions_detail = ["make_file", "download", "read_results"]
    results_below = "payments/admin/_results.html"
    results_warning = _("What was refused is owed again, and each person is told.")
    state = status_column(PERIOD_TONES)

    def get_queryset(self, request: HttpRequest) -> QuerySet[CollectionPeriod]:
        by_status = {
            status: Count("deductions", filter=Q(deductions__status=status)) for status in DeductionStatus.values
        }
        rows: QuerySet[CollectionPeriod] = super().get_queryset(request)
        return rows.annotate(in_file=Count("deductions"), in_file_sum=Sum("deductions__amount"), **by_status)

    @display(description=_("last day"), ordering="ends_on")
    def last_day(self, period: CollectionPeriod) -> str:
        return date_format(period.last_day, "DATE_FORMAT")

    @display(description=_("deductions"), ordering="in_file")
    def count(self, period: Any) -> int:
        return int(period.in_file)

    @display(description=_("sum"), ordering="in_file_sum")
    def sum(self, period: Any) -> str:
        return format_money(period.in_file_sum or ZERO)

    @display(description=_("results"))
    def results(self, period: Any) -> str:
        counts = [(label, getattr(period, value)) for value, label in DeductionStatus.choices]
        return "; ".join(f"{label}: {number}" for label, number in counts if number) or "-"

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("payments.add_collectionperiod")

    def has_decide_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("payments.change_collectionperiod")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return self.shown if obj else ["kind", "starts_on", "ends_on"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return self.shown if obj else []

    def log_addition(self, request: HttpRequest, obj: CollectionPeriod, message: Any) -> Any:
        return audit.record("collection.opened", obj, actor=request.user)

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        period = CollectionPeriod.objects.filter(pk=object_id).first()
        offered = OFFERED[CollectionStatus(period.status)] if period else set()
        actions = super().get_actions_detail(request, object_id)
        return [one for one in actions if one.method.__name__.removeprefix("read_") in offered]

    @method_decorator(sensitive_post_parameters("password", "code"))
    @action(description=_("Make the file"), url_path="make-file", permissions=["decide"], icon="upload_file")
    def make_file(self, request: HttpRequest, object_id: str) -> HttpResponse:
        period = find(object_id)
        waiting = Deduction.objects.filter(status=DeductionStatus.WAITING, stored_method__kind=period.kind)
        sums = waiting.aggregate(count=Count("pk"), sum=Sum("amount"))
        return self.ask_password_then(
            request,
            period,
            lambda person: collecting.make_file(period=period, actor=person),
            _("The file is made. Download it, and hand it over."),
            is_danger=False,
            title=_("Make the file"),
            facts=[*describe(period), (_("Waiting now"), sums["count"]), (_("Sum"), format_money(sums["sum"] or ZERO))],
            warning=gettext("What is in the file is in no other one. It can be downloaded again, and does not change."),
            submit=gettext("Make the file"),
        )

    @action(description=_("Download the file"), url_path="download", permissions=["decide"], icon="download")
    def download(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Hand the file out, the same each time, and write down who took it: it names people and what they pay."""
        if not self.has_decide_permission(request):
            raise PermissionDenied
        period = find(object_id)
        if period.status == CollectionStatus.OPEN:
            messages.error(request, gettext("The file of this period has not been made yet."))
            return redirect(change_page(period))
        audit.record("collection.downloaded", period, actor=request.user)
        answer = HttpResponse(write_file(period), content_type="text/csv; charset=utf-8")
        answer["Content-Disposition"] = f'attachment; filename="{period.kind}-{period.starts_on}.csv"'
        return answer

    @method_decorator(sensitive_post_parameters("password", "code"))
    @action(description=_("Read the results"), url_path="results", permissions=["decide"], icon="fact_check")
    def read_results(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask for the file, show what it would do, and let it count when that is confirmed."""
        if not self.has_decide_permission(request):
            raise PermissionDenied
        period = find(object_id)
        return self.ask_for_results(request, period)

    def judge_results(self, obj: CollectionPeriod, lines: Iterable[ResultLine]) -> collecting.Reading:
        return collecting.judge_results(obj, lines)

    def count_results(
        self, obj: CollectionPeriod, lines: Iterable[ResultLine], actor: User
    ) -> tuple[int, collecting.Reading]:
        done = collecting.read_results(period=obj, lines=lines, actor=actor)
        return len(done.taken) + len(done.refused), done

    def describe_results(self, obj: CollectionPeriod, reading: collecting.Reading | None) -> list[tuple[Any, Any]]:
        facts = describe(obj)
        if reading:
            facts += [
                (_("Taken"), f"{len(reading.taken)} · {format_money(reading.taken_sum)}"),
                (_("Refused"), f"{len(reading.refused)} · {format_money(reading.refused_sum)}"),
                (_("Read before"), reading.known),
                (_("Lines that do not count"), len(reading.problems)),
                (_("Not in this file"), len(reading.missing)),
            ]
        return facts


def find(object_id: str) -> CollectionPeriod:
    """Return the period, or answer 404."""
    return get_object_or_404(CollectionPeriod, pk=object_id)


def describe(period: CollectionPeriod) -> list[tuple[Any, Any]]:
    """Return what names the period."""
    return [
        (_("Kind"), period.get_kind_display()),
        (_("First day"), period.starts_on),
        (_("Last day"), period.last_day),
    ]


def of_person(path: str, label: Any) -> Callable[[Any, Deduction], str]:
    """Return a column about whose money it is."""

    @display(description=label)
    def column(admin_page: Any, deduction: Deduction) -> str:
        return (
            str(deduction.stored_method.person or "-") if path == "person" else deduction.stored_method.account_number
        )

    return cast(Callable[[Any, Deduction], str], column)


@admin.register(Deduction)
class DeductionAdmin(ReadOnlyAdmin):
    """Each payment from wages or by a transfer, and what came of it."""

    list_display = ["payment", "person", "number", "sum", "state", "period", "result", "created_at", "decided_at"]
    list_filter = ["status", "stored_method__kind", "period"]
    list_select_related = ["payment", "stored_method__person", "period"]
    ordering = ["-pk"]
    search_fields = ["=payment__reference", "=payment__order__code", "=stored_method__account_number"]
    search_help_text = _("Reference, confirmation code, employee number or transfer reference")
    fields = ["payment", "person", "number", "sum", "status", "period", "result", "created_at", "decided_at"]
    readonly_fields = fields
    person = of_person("person", _("person"))
    number = of_person("number", _("number"))
    sum = money_column("amount", _("amount"))
    state = status_column(DEDUCTION_TONES)
