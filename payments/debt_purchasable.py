"""Debts in the cart: what payments asks of every product."""

import datetime as dt
from collections.abc import Collection
from decimal import Decimal
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from opscom.core import audit
from opscom.core.errors import Refused
from opscom.core.locks import lock_row, lock_rows
from opscom.core.transitions import advance
from payments.models import DEBT_MOVES, Debt, DebtStatus, Order
from payments.purchasables import Done, Quote, TaxPart


class DebtPurchase:
    """A debt is owed once, by one person; `object_id` is its row."""

    kind = "debt"
    is_held = False
    label = gettext_lazy("Amounts still owed")

    def list_due(self, payer: Any) -> list[Quote]:
        """Return what the payer still owes, the oldest first."""
        return [_quote(debt) for debt in self._payable(payer).order_by("created_at", "pk")]

    def quote(self, object_ids: Collection[int], *, payer: Any, lock: bool) -> list[Quote]:
        """Return quotes of the payer's debts among these; `lock` locks them first."""
        debts = self._payable(payer).filter(pk__in=object_ids)
        return [_quote(debt) for debt in (lock_rows(debts, "product", self.kind) if lock else debts.order_by("pk"))]

    def hold(self, object_ids: Collection[int], *, until: dt.datetime) -> None:
        """A debt does not run away."""

    def promise(self, object_ids: Collection[int], *, order: Order, until: dt.datetime) -> None:
        """It stays due, in the promised order."""

    def end_promise(self, object_ids: Collection[int], *, order: Order) -> None:
        """It is still due."""

    def fulfil(self, object_id: int, *, order: Order) -> Done | Refused:
        """Count it as paid; Refused when the office has written it off meanwhile."""
        debt = lock_row(Debt.objects.filter(pk=object_id), "product", self.kind)
        if debt.status == DebtStatus.CANCELLED:
            return Refused("cancelled", _("The office had cancelled it before the payment arrived."))
        if debt.status == DebtStatus.DUE:
            advance(debt, DebtStatus.PAID, table=DEBT_MOVES, closed_at=timezone.now())
            audit.record("debt.paid", debt, actor=order.payer, order=order.code)
        return Done()

    def release(self, object_id: int, *, order: Order) -> None:
        """Its money goes back: then it was not owed."""
        debt = lock_row(Debt.objects.filter(pk=object_id), "product", self.kind)
        if debt.status == DebtStatus.PAID:
            advance(debt, DebtStatus.CANCELLED, table=DEBT_MOVES)
            audit.record("debt.cancelled", debt, order=order.code)

    def _payable(self, payer: Any) -> Any:
        return Debt.objects.filter(person=payer, status=DebtStatus.DUE).select_related("order")


def _quote(debt: Debt) -> Quote:
    return Quote(
        kind=DebtPurchase.kind,
        object_id=debt.pk,
        label=debt.label,
        detail=_("%(reason)s: order %(code)s") % {"reason": debt.get_reason_display(), "code": debt.order.code},
        net=debt.net,
        taxes=[TaxPart(t["name"], t["number"], Decimal(t["percent"]), Decimal(t["amount"])) for t in debt.taxes],
        account_code=debt.account_code,
    )
