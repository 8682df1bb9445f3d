"""A receipt as a PDF: made by a worker, kept by a hash of what it shows, made anew when a refund changed it."""

import hashlib

from django.core.cache import cache
from django.core.files.base import ContentFile
from django.db import IntegrityError, transaction
from django.template.loader import render_to_string
from django.utils.translation import override

from opscom.core.codes import make_code
from opscom.core.hooks import after_commit
from opscom.core.pdf import write_pdf
from opscom.provider.selectors import get_provider, logo_as_data
from payments.models import Order, OrderStatus, ReceiptDocument
from payments.selectors import describe_receipt, receipts

# A page that waits for the file asks for it again and again; the worker is told this rarely.
ASKED_SECONDS = 10
PER_RUN = 50


def render_receipt(order: Order) -> str:
    """Return the receipt's HTML in the order's language; everything in it is inline. `order` is from `receipts()`."""
    with override(order.language):
        context = {"receipt": describe_receipt(order), "provider": get_provider(), "logo": logo_as_data()}
        return render_to_string("payments/pdf/receipt.html", context)


def hash_of(html: str) -> str:
    """Return the key under which this content's file is kept."""
    return hashlib.sha256(html.encode()).hexdigest()


def current_document(order: Order) -> ReceiptDocument | None:
    """Return the ready file that shows the receipt as it is now; None while no worker has made it."""
    return ReceiptDocument.objects.filter(order=order, content_hash=hash_of(render_receipt(order))).first()


def make_receipt(*, order_id: int) -> ReceiptDocument | None:
    """Make the PDF unless the same content is there already; None for an order that is not paid."""
    order = receipts().filter(status=OrderStatus.PAID, pk=order_id).first()
    if order is None:
        return None
    html = render_receipt(order)
    key = {"order": order, "content_hash": hash_of(html)}
    made = ReceiptDocument.objects.filter(**key).first()
    if made:
        return made
    document = ReceiptDocument(**key)
    document.file.save(f"{make_code(24)}.pdf", ContentFile(write_pdf(html)), save=False)
    try:
        with transaction.atomic():
            document.save()
    except IntegrityError:
        # Another worker was quicker: keep its file, drop ours.
        document.file.delete(save=False)
        return ReceiptDocument.objects.get(**key)
    return document


def orders_without_receipt() -> list[int]:
    """Return the ids of delivered orders whose file was never made: its task was lost."""
    missing = Order.objects.filter(status=OrderStatus.PAID, finished_at__isnull=False, documents__isnull=True)
    return list(missing.order_by("-paid_at").values_list("pk", flat=True)[:PER_RUN])


def ask_for_receipt(order: Order) -> None:
    """Tell a worker that somebody waits for the file; when this is lost, the page asks again."""
    if cache.add(f"payments:receipt-asked:{order.pk}", 1, ASKED_SECONDS):
        after_commit(_announce, order.pk)


def _announce(order_id: int) -> None:
    from payments.tasks import make_receipt as task  # noqa: PLC0415 - tasks import this module

    task.delay(order_id)
