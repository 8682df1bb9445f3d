"""Deposits in the cart: what payments asks of every product. A deposit carries no tax: it is not a price."""

import datetime as dt
from collections.abc import Collection
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from opscom.core import audit
from opscom.core.errors import Refused
from opscom.core.locks import lock_row, lock_rows
from opscom.core.money import ZERO
from opscom.core.transitions import advance
from payments.models import DEPOSIT_MOVES, Deposit, DepositStatus, Order
from payments.purchasables import Done, Quote


class DepositPurchase:
    """A deposit is paid once; `object_id` is its row."""

    kind = "deposit"
    is_held = False
    label = gettext_lazy("Deposits")

    def list_due(self, payer: Any) -> list[Quote]:
        """Return the deposits that the office asked of the payer, the oldest first."""
        return [_quote(deposit) for deposit in self._payable(payer).order_by("created_at", "pk")]

    def quote(self, object_ids: Collection[int], *, payer: Any, lock: bool) -> list[Quote]:
        """Return quotes of the payer's deposits among these; `lock` locks them first."""
        rows = self._payable(payer).filter(pk__in=object_ids)
        return [_quote(one) for one in (lock_rows(rows, "product", self.kind) if lock else rows.order_by("pk"))]

    def hold(self, object_ids: Collection[int], *, until: dt.datetime) -> None:
        """Nothing runs out."""

    def promise(self, object_ids: Collection[int], *, order: Order, until: dt.datetime) -> None:
        """It stays due, in the promised order."""

    def end_promise(self, object_ids: Collection[int], *, order: Order) -> None:
        """It is still due."""

    def fulfil(self, object_id: int, *, order: Order) -> Done | Refused:
        """Hold it; Refused when the office asks for it no more."""
        deposit = lock_row(Deposit.objects.filter(pk=object_id), "product", self.kind)
        if deposit.status == DepositStatus.CANCELLED:
            return Refused("cancelled", _("The office had cancelled it before the payment arrived."))
        if deposit.status == DepositStatus.DUE:
            line = order.lines.get(kind=self.kind, object_id=object_id)
            advance(deposit, DepositStatus.HELD, table=DEPOSIT_MOVES, line=line)
            audit.record("deposit.held", deposit, actor=order.payer, order=order.code)
        return Done()

    def release(self, object_id: int, *, order: Order) -> None:
        """Its money has not come after all: nothing is held."""
        deposit = lock_row(Deposit.objects.filter(pk=object_id), "product", self.kind)
        if deposit.status == DepositStatus.HELD:
            advance(
                deposit,
                DepositStatus.CLOSED,
                table=DEPOSIT_MOVES,
                returned_amount=deposit.amount,
                kept_amount=ZERO,
                decided_at=timezone.now(),
            )
            audit.record("deposit.undone", deposit, order=order.code)

    def _payable(self, payer: Any) -> Any:
        return Deposit.objects.filter(person=payer, status=DepositStatus.DUE)


def _quote(deposit: Deposit) -> Quote:
    return Quote(
        kind=DepositPurchase.kind,
        object_id=deposit.pk,
        label=str(deposit),
        detail=_("A deposit: it comes back, in whole or in part, when what it is for is returned."),
        net=deposit.amount,
    )
