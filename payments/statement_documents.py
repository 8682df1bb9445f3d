"""A statement as a PDF, made once by a worker, and sent to the company with it."""

from django.conf import settings
from django.core.files.base import ContentFile
from django.db import IntegrityError, transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import override

from opscom.core.codes import make_code
from opscom.core.money import format_money
from opscom.core.pdf import write_pdf
from opscom.messaging.services import queue_email
from opscom.provider.selectors import get_provider, logo_as_data
from payments.models import BillingKind, Statement, StatementDocument
from payments.statements import describe_statement, statements


def make_statement(statement_id: int) -> StatementDocument:
    """Make the PDF in the provider's own language, and queue the letter that carries it; twice is once."""
    statement = statements().get(pk=statement_id)
    key = {"statement": statement, "language": settings.LANGUAGE_CODE}
    made = StatementDocument.objects.filter(**key).first()
    if made:
        return made
    document = StatementDocument(**key)
    document.file.save(f"{make_code(24)}.pdf", ContentFile(write_pdf(render_statement(statement))), save=False)
    try:
        with transaction.atomic():
            document.save()
            send_statement(statement, document)
    except IntegrityError:
        # Another worker was quicker: keep its file, drop ours.
        document.file.delete(save=False)
        return StatementDocument.objects.get(**key)
    return document


def render_statement(statement: Statement) -> str:
    """Return the statement's HTML; everything in it is inline. `statement` is from `statements()`."""
    with override(settings.LANGUAGE_CODE):
        context = {
            "described": describe_statement(statement),
            "statement": statement,
            "provider": get_provider(),
            "logo": logo_as_data(),
        }
        return render_to_string("payments/pdf/statement.html", context)


def send_statement(statement: Statement, document: StatementDocument) -> None:
    """Queue the letter to the company's contact, once; without an address its managers read it in the portal."""
    company = statement.company
    if not company.contact_email:
        return
    language = settings.LANGUAGE_CODE
    with override(language):
        queue_email(
            template="payments/statement",
            to=company.contact_email,
            language=language,
            dedupe_key=f"statement:{statement.code}",
            context={
                "name": company.contact_name or company.name,
                "company": company.name,
                "code": statement.code,
                "month": date_format(statement.starts_on, "YEAR_MONTH_FORMAT"),
                "total": format_money(statement.total, statement.currency),
                "due_on": date_format(statement.due_on, "DATE_FORMAT") if statement.due_on else "",
                "is_paid": statement.kind == BillingKind.CARD,
                "journal_code": statement.journal_code,
                "link": settings.SITE_URL + reverse("statements:list"),
            },
            attachments=[str(document.file.name)],
        )
