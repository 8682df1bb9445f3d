"""One function for each message about money that was promised."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import override

from opscom.core.money import format_money
from opscom.messaging.models import Lane
from opscom.messaging.services import queue_email
from payments.models import OrderLine, Promise
from payments.purchasables import Quote


def promised(promise: Promise, quotes: Sequence[Quote]) -> None:
    """What was promised, until when, where to bring it, and what each thing is until then."""
    notes = {(quote.kind, quote.object_id): quote.promise_note for quote in quotes}
    lines = [_line(line) | {"note": notes.get((line.kind, line.object_id), "")} for line in promise.order.lines.all()]
    _queue(promise, "promised", lines=lines)


def reminder(promise: Promise) -> None:
    """The last day to pay is near."""
    _queue(promise, "promise_reminder")


def lapsed(promise: Promise) -> None:
    """The money did not come in time, and what was kept for it is free."""
    _queue(promise, "promise_lapsed")


def cancelled(promise: Promise) -> None:
    """Called off, by the payer or by the office with a reason."""
    _queue(promise, "promise_cancelled", note=promise.note)


def bounced(promise: Promise, *, takes_back: bool) -> None:
    """The bank returned the cheque: what was bought is taken back, or its price is owed again."""
    _queue(promise, "promise_bounced", takes_back=takes_back, reference=promise.reference)


def _queue(promise: Promise, name: str, **more: Any) -> None:
    order = promise.order
    if not order.email:
        return
    with override(order.language):
        queue_email(
            template=f"payments/{name}",
            to=order.email,
            language=order.language,
            dedupe_key=f"{name}:{promise.pk}",
            context=_about(promise) | more,
            lane=Lane.URGENT,
        )


def _about(promise: Promise) -> dict[str, Any]:
    order = promise.order
    return {
        "order_code": order.code,
        "payer_name": order.payer_name,
        "sum": format_money(order.due, order.currency),
        "last_day": date_format(promise.last_day, "DATE_FORMAT"),
        "lines": [_line(line) for line in order.lines.all()],
        "promise_link": settings.SITE_URL + reverse("payments:promised", args=[order.code]),
        "due_link": settings.SITE_URL + reverse("payments:due"),
    }


def _line(line: OrderLine) -> dict[str, str]:
    return {"label": line.label, "amount": format_money(line.due)}
