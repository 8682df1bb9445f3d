"""Turn what is ticked into an order."""

from collections.abc import Collection, Mapping
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from accounts.services.people import lock_person
from opscom.core import audit
from opscom.core.errors import Busy, DomainError, NotAllowed
from opscom.core.locks import lock_rows
from opscom.core.money import ZERO
from opscom.core.transitions import advance
from opscom.provider.selectors import get_provider
from payments.models import ORDER_MOVES, Order, OrderLine, OrderStatus
from payments.purchasables import Quote, get_purchasable

Selection = Mapping[str, Collection[int]]


def place_order(*, payer: Any, selection: Selection, email: str, language: str) -> Order:
    """Write the order for what is selected ({kind: ids}), or return the payer's open order when it is the same.

    Locks the payer, their open order, then the things. Raises NotAllowed with the reason of the first thing that may not be
    paid now, DomainError when one has gone, Busy when the same payer places two orders in one moment.
    """
    try:
        with transaction.atomic():
            return _place_order(payer, selection, email, language)
    except IntegrityError as error:
        if "payments_order_one_open_per_payer" not in str(error):
            raise
        raise Busy from error


def _place_order(payer: Any, selection: Selection, email: str, language: str) -> Order:
    if payer:
        lock_person(payer)
    # Guests are no one person: they have no open order in common.
    mine = Order.objects.filter(payer=payer, status=OrderStatus.OPEN) if payer else Order.objects.none()
    open_orders = lock_rows(mine, "order")
    quotes = quote_selection(selection, payer=payer, lock=True)
    for order in open_orders:
        if _describes(order, quotes, email):
            return order
        advance(order, OrderStatus.CLOSED, table=ORDER_MOVES)
    return _write_order(quotes, payer=payer, payer_name=str(payer or ""), email=email, language=language)


def _write_order(quotes: list[Quote], *, payer: Any, payer_name: str, email: str, language: str) -> Order:
    order = Order.objects.create(
        payer=payer,
        payer_name=payer_name,
        email=email,
        language=language,
        currency=get_provider().currency,
        net=sum((quote.net for quote in quotes), ZERO),
        tax=sum((quote.tax for quote in quotes), ZERO),
        total=sum((quote.amount for quote in quotes), ZERO),
        exemption_number=next((quote.exemption_number for quote in quotes if quote.exemption_number), ""),
    )
    OrderLine.objects.bulk_create([_line(order, quote) for quote in quotes])
    audit.record("order.placed", order, actor=payer, total=str(order.total))
    return order


def place_outside_order(*, selection: Selection, payer_name: str, language: str) -> Order:
    """Write the order of nobody's account for what somebody has paid elsewhere, in the caller's transaction.

    What may not be paid on line is taken, too. Raises what `place_order` raises.
    """
    quotes = quote_selection(selection, payer=None, lock=True, even_locked=True)
    return _write_order(quotes, payer=None, payer_name=payer_name, email="", language=language)


def quote_selection(
    selection: Selection, *, payer: Any, lock: bool, order: Order | None = None, even_locked: bool = False
) -> list[Quote]:
    """Return a payable quote for everything selected, sorted as locks are; raises as `place_order` says.

    `order`: the order that is being paid, whose own promise does not stand in its way. `even_locked`: what may not be paid
    on line is taken, too, and without what belongs to it.
    """
    quotes: list[Quote] = []
    for kind in sorted(kind for kind, ids in selection.items() if ids):
        wanted = set(selection[kind])
        found = get_purchasable(kind).quote(sorted(wanted), payer=payer, lock=lock)
        # Paid and not yet delivered: its product may not know it yet.
        settled = OrderLine.objects.filter(kind=kind, object_id__in=wanted, settled=True).exists()
        if settled or {quote.object_id for quote in found} != wanted:
            raise DomainError(
                _(
                    "Something that you selected can no longer be paid: it was paid, given back, or its hold ran out. "
                    "Please look at the list again."
                )
            )
        if promised_orders(kind, wanted, but=order).exists():
            raise NotAllowed(explain_promised())
        quotes.extend(found)
    if not quotes:
        raise DomainError(_("Select at least one item to pay for."))
    selected = {(quote.kind, quote.object_id) for quote in quotes}
    for quote in quotes:
        if quote.lock_reason and not even_locked:
            raise NotAllowed(quote.lock_reason)
        if not even_locked and not selected.issuperset(quote.must_pay_with):
            raise NotAllowed(_("%(label)s can only be paid together with what belongs to it.") % {"label": quote.label})
    return quotes


def complete_selection(selection: Selection, *, payer: Any) -> dict[str, set[int]]:
    """Return the selection with everything that must be paid together with it."""
    complete: dict[str, set[int]] = {}
    new = {(kind, pk) for kind, ids in selection.items() for pk in ids}
    while new:
        for kind, pk in new:
            complete.setdefault(kind, set()).add(pk)
        kinds = sorted({kind for kind, _pk in new})
        quotes = [
            quote
            for kind in kinds
            for quote in get_purchasable(kind).quote(
                sorted(pk for one, pk in new if one == kind), payer=payer, lock=False
            )
        ]
        new = {pair for quote in quotes for pair in quote.must_pay_with if pair[1] not in complete.get(pair[0], ())}
    return complete


def quote_order(order: Order) -> list[Quote]:
    """Lock the things of the locked order and return their quotes; raises NotAllowed when they cost something else now.

    While its money is promised, the order keeps the price at which it was: it is paid on line as it would be at the counter.
    """
    quotes = quote_selection(order_selection(order), payer=order.payer, lock=True, order=order)
    if order.status != OrderStatus.PROMISED and sum(quote.amount for quote in quotes) != order.total:
        raise NotAllowed(_("A price has changed since you began. Please start again from your payments."))
    return quotes


def promised_orders(kind: str, object_ids: Collection[int], *, but: Order | None = None) -> QuerySet[OrderLine]:
    """Return the lines of these things on orders whose money is promised: such a thing is not sold a second time."""
    lines = OrderLine.objects.filter(kind=kind, object_id__in=object_ids, order__status=OrderStatus.PROMISED)
    return lines.exclude(order=but) if but else lines


def explain_promised() -> str:
    """Return why a promised thing stands in no other order."""
    return _("You promised to bring the money for it to the office. To pay online instead, open its order.")


def _line(order: Order, quote: Quote) -> OrderLine:
    return OrderLine(
        order=order,
        kind=quote.kind,
        object_id=quote.object_id,
        label=quote.label[:200],
        detail=quote.detail[:300],
        url=quote.url,
        net=quote.net,
        tax=quote.tax,
        amount=quote.amount,
        taxes=[part.as_json() for part in quote.taxes],
        account_code=quote.account_code,
    )


def _describes(order: Order, quotes: list[Quote], email: str) -> bool:
    lines = {(line.kind, line.object_id, line.amount, line.label) for line in order.lines.all()}
    return order.email == email and lines == {(q.kind, q.object_id, q.amount, q.label[:200]) for q in quotes}


def order_selection(order: Order) -> dict[str, list[int]]:
    """Return the order's things as a selection."""
    selection: dict[str, list[int]] = {}
    for line in order.lines.all():
        selection.setdefault(line.kind, []).append(line.object_id)
    return selection
