"""Deposits in the cart: what payments asks of every product. A deposit carries no tax: it is not a price."""

import datetime as dt
from collections.abc import Collection
from typing import Any

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from opscom.core import audit
from opscom.core.errors import Refused
from opscom.core.locks import lock_row, lock_rows
from opscom.core.money import ZERO
from opscom.core.transitions import advance
from payments.models import DEPOSIT_MOVES, Deposit, DepositStatus, Order, OrderLine
from payments.purchasables import Done, Quote


class DepositPurchase:
    """A deposit is paid once; `object_id` is its row."""

    kind = "deposit"
    is_held = False
    label = gettext_lazy("Deposits")

    def list_due(self, payer: Any) -> list[Quote]:
        """Return the deposits that were asked of the payer, the oldest first."""
        mine = Deposit.objects.filter(person=payer, status=DepositStatus.DUE)
        return _quote_all(list(mine.order_by("created_at", "pk")))

    def quote(self, object_ids: Collection[int], *, payer: Any, lock: bool) -> list[Quote]:
        """Return quotes of the payer's deposits among these, and of those that are paid with a thing: whoever may pay for
        that thing pays its deposit, too. Once the thing is paid its deposit is its person's alone. `lock` locks them first.
        """
        rows = Deposit.objects.filter(Q(person=payer) | ~Q(about_kind=""), pk__in=object_ids, status=DepositStatus.DUE)
        found = lock_rows(rows, "product", self.kind) if lock else list(rows.order_by("pk"))
        own = {deposit.pk for deposit in found if payer is not None and deposit.person_id == payer.pk}
        return [quote for quote in _quote_all(found) if quote.object_id in own or quote.must_pay_with]

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
            # Of a thing for which somebody else has paid, it is theirs.
            person = order.payer if deposit.about_kind else deposit.person
            advance(deposit, DepositStatus.HELD, table=DEPOSIT_MOVES, line=line, person=person)
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


def _quote_all(deposits: list[Deposit]) -> list[Quote]:
    """Return their quotes: one that belongs to a thing is paid with it, unless that is paid already."""
    about = Q(pk__in=[])
    for deposit in deposits:
        about |= Q(kind=deposit.about_kind, object_id=deposit.about_id)
    owed = [deposit for deposit in deposits if deposit.about_kind]
    paid = set(OrderLine.objects.filter(about, settled=True).values_list("kind", "object_id")) if owed else set()
    return [_quote(one, is_alone=(one.about_kind, one.about_id) in paid) for one in deposits]


def _quote(deposit: Deposit, *, is_alone: bool) -> Quote:
    belongs_to = [] if is_alone or deposit.about_id is None else [(deposit.about_kind, deposit.about_id)]
    return Quote(
        kind=DepositPurchase.kind,
        object_id=deposit.pk,
        label=str(deposit),
        detail=_("A deposit: it comes back, in whole or in part, when what it is for is returned."),
        net=deposit.amount,
        must_pay_with=belongs_to,
    )
