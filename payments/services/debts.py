"""What is owed again, or more, for an order that counted as paid. A debt is paid like anything else, or written off."""

from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from opscom.core import audit
from opscom.core.errors import NotAllowed
from opscom.core.locks import lock_row
from opscom.core.transitions import advance
from payments.models import DEBT_MOVES, Debt, DebtReason, DebtStatus, OrderLine
from payments.tax_sums import split_tax


def owe_again(*, line: OrderLine, amount: Decimal, reason: DebtReason, actor: Any, note: str = "") -> Debt:
    """Write what the line's payer owes, tax included, with the line's taxes in it. The caller holds the order's lock.

    Raises NotAllowed for a guest's order: nobody is there to owe it.
    """
    if line.order.payer is None:
        raise NotAllowed(_("A guest paid this: nobody has an account in which it could stand as owed."))
    net, parts = split_tax(amount, line.taxes)
    debt = Debt.objects.create(
        person=line.order.payer,
        order=line.order,
        label=line.label,
        net=net,
        tax=amount - net,
        amount=amount,
        taxes=[part.as_json() for part in parts],
        account_code=line.account_code,
        reason=reason,
        note=note,
        created_by=actor,
    )
    audit.record("debt.stands", debt, actor=actor, reason=reason, amount=str(amount))
    return debt


@transaction.atomic
def write_off_debt(*, debt: Debt, actor: Any, note: str) -> None:
    """The office asks for it no more, and says why; NotAllowed once it is paid or written off."""
    debt = lock_row(Debt.objects.filter(pk=debt.pk), "product", "debt")
    if debt.status != DebtStatus.DUE:
        raise NotAllowed(_("Only what is still due can be written off."))
    if OrderLine.objects.filter(kind="debt", object_id=debt.pk, settled=True).exists():
        raise NotAllowed(_("It was paid a moment ago."))
    advance(debt, DebtStatus.CANCELLED, table=DEBT_MOVES, closed_at=timezone.now(), note=note)
    audit.record("debt.written_off", debt, actor=actor, note=note)
