"""What a company's managers read of its account: the statements of the months that are over."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import FileResponse, Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.acting.rules import can_manage
from accounts.decorators import own_hands_only
from accounts.models import Company
from accounts.requests import SignedIn
from opscom.core.errors import Refused
from payments.models import Statement, StatementDocument, StatementQuerySet
from payments.statements import describe_statement, statement_csv, statements

PAGE_SIZE = 20


def refusal_of(request: SignedIn) -> Refused | None:
    """Return why this manager may not read statements yet; to who manages no company there is no such page."""
    decision = can_manage(request.user)
    if isinstance(decision, Refused) and decision.code == "no-company":
        raise Http404
    return decision if isinstance(decision, Refused) else None


def own_statement(request: SignedIn, code: str, among: StatementQuerySet) -> Statement:
    """Return the statement of a company that the person manages; a stranger's is not found."""
    if refusal_of(request):
        raise Http404
    return get_object_or_404(among.visible_to(request.user), code=code)


@never_cache
@own_hands_only
@require_safe
def statement_list(request: SignedIn) -> HttpResponse:
    """List the statements of the companies that one manages, the newest first."""
    refusal = refusal_of(request)
    rows = Statement.objects.none() if refusal else Statement.objects.visible_to(request.user)
    context = {
        "companies": Company.objects.managed_by(request.user),
        "page": Paginator(rows.select_related("company"), PAGE_SIZE).get_page(request.GET.get("page")),
        "refusal": refusal,
    }
    return render(request, "payments/statements.html", context)


@never_cache
@own_hands_only
@require_safe
def statement(request: SignedIn, code: str) -> HttpResponse:
    """Show one statement, by person."""
    described = describe_statement(own_statement(request, code, statements()))
    return render(request, "payments/statement.html", {"described": described, "statement": described.statement})


@never_cache
@own_hands_only
@require_safe
def statement_as_csv(request: SignedIn, code: str) -> HttpResponse:
    """Download the statement's lines as a table."""
    return statement_csv(own_statement(request, code, statements()))


@never_cache
@own_hands_only
@require_safe
def statement_pdf(request: SignedIn, code: str) -> HttpResponseBase:
    """Download the statement as it was sent; until a worker has made it, say so."""
    found = own_statement(request, code, Statement.objects.all())
    document = StatementDocument.objects.filter(statement=found).first()
    if document is None:
        messages.info(request, _("The file is being made. Please try again in a few minutes."))
        return redirect("statements:detail", found.code)
    name = f"{found.code}.pdf"
    return FileResponse(document.file.open("rb"), as_attachment=True, filename=name, content_type="application/pdf")
