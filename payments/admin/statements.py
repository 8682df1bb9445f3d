"""Companies' monthly statements: what each says, and who has paid."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.html import format_html_join
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_post_parameters
from unfold.decorators import action, display

from accounts.forms.office import ConfirmForm
from opscom.core.money import format_money
from opscom.provider.selectors import local_date
from payments.admin.forms import words_field
from payments.admin.shared import AsksPassword, money_column
from payments.models import Statement, StatementDocument, StatementStatus
from payments.services.statements import mark_paid
from payments.statements import describe_statement, statement_csv, statements

STATE_WORDS = {"issued": _("Issued"), "paid": _("Paid"), "overdue": _("Overdue")}


class PaidForm(ConfirmForm):
    """Where the company's money is written down."""

    reference = words_field(_("Reference of the payment"), _("The cheque's or the transfer's number."))
    field_order = ["reference", "password", "code"]


@admin.register(Statement)
class StatementAdmin(AsksPassword):
    """Issued by the clock, never edited; marked as paid once."""

    list_display = ["code", "company", "starts_on", "kind", "sum", "state", "due_on", "paid_reference"]
    list_filter = ["status", "kind", "starts_on"]
    list_select_related = ["company"]
    search_fields = ["=code", "company__name", "=company__account_number", "=paid_reference"]
    search_help_text = _("Number, company, its account number, or the reference of the payment")
    fields = [
        "code",
        "company",
        "starts_on",
        "kind",
        "journal_code",
        "sum",
        "by_person",
        "status",
        "issued_at",
        "due_on",
    ]
    fields += ["paid_at", "paid_reference", "paid_recorded_by"]
    readonly_fields = fields
    actions_detail = ["mark_paid", "as_pdf", "as_csv"]
    sum = money_column("total", _("total"))

    @display(
        description=_("status"), ordering="status", label={"issued": "info", "paid": "success", "overdue": "danger"}
    )
    def state(self, statement: Statement) -> tuple[str, Any]:
        is_late = statement.due_on is not None and statement.due_on < local_date()
        key = "overdue" if is_late and statement.status == StatementStatus.ISSUED else statement.status
        return key, STATE_WORDS[key]

    @display(description=_("by person"))
    def by_person(self, statement: Statement) -> str:
        described = describe_statement(statements().get(pk=statement.pk))
        return format_html_join(
            "", "<div>{}: {}</div>", ((one.name, format_money(one.total)) for one in described.people)
        )

    def has_decide_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("payments.change_statement")

    def has_read_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return self.has_view_permission(request)

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        is_open = Statement.objects.filter(pk=object_id, status=StatementStatus.ISSUED).exists()
        actions = super().get_actions_detail(request, object_id)
        return [one for one in actions if is_open or one.method.__name__ != "mark_paid"]

    @method_decorator(sensitive_post_parameters("password", "code"))
    @action(description=_("Mark as paid"), url_path="mark-paid", permissions=["decide"], icon="price_check")
    def mark_paid(self, request: HttpRequest, object_id: str) -> HttpResponse:
        statement = find(object_id)
        return self.ask_then(
            request,
            statement,
            PaidForm,
            lambda person, values: mark_paid(statement=statement, reference=values["reference"], actor=person),
            _("The statement is marked as paid."),
            is_danger=False,
            title=_("Mark as paid"),
            facts=[
                (_("Number"), statement.code),
                (_("Company"), statement.company),
                (_("Total"), format_money(statement.total, statement.currency)),
            ],
            submit=gettext("Mark as paid"),
        )

    @action(description=_("Download PDF"), url_path="pdf", permissions=["read"], icon="picture_as_pdf")
    def as_pdf(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        """Hand the file out once a worker has made it."""
        self._require_reader(request)
        statement = find(object_id)
        document = StatementDocument.objects.filter(statement=statement).first()
        if document is None:
            messages.info(request, gettext("The file is being made. Please try again in a few minutes."))
            return redirect(reverse("admin:payments_statement_change", args=[statement.pk]))
        name = f"{statement.code}.pdf"
        return FileResponse(document.file.open("rb"), as_attachment=True, filename=name, content_type="application/pdf")

    @action(description=_("Export as CSV"), url_path="csv", permissions=["read"], icon="table_view")
    def as_csv(self, request: HttpRequest, object_id: str) -> HttpResponse:
        self._require_reader(request)
        return statement_csv(get_object_or_404(statements(), pk=object_id))

    def _require_reader(self, request: HttpRequest) -> None:
        if not self.has_view_permission(request):
            raise PermissionDenied


def find(object_id: str) -> Statement:
    """Return the statement, or answer 404."""
    return get_object_or_404(Statement.objects.select_related("company"), pk=object_id)
