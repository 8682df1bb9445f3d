"""Deposits for tags, cards, lockers and boots: asked, paid as a line of their own, and decided about once."""

from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from opscom.core import audit
from opscom.core.errors import DomainError, NotAllowed
from opscom.core.locks import lock_row, lock_rows
from opscom.core.money import format_money
from opscom.core.transitions import advance
from payments.models import (
    DEPOSIT_MOVES,
    Deposit,
    DepositKind,
    DepositStatus,
    Order,
    OrderLine,
    Refund,
    RefundReason,
)
from payments.services.refunding import give_back


def ask_deposit(
    *,
    person: Any,
    kind: DepositKind,
    amount: Decimal,
    actor: Any,
    label: str = "",
    about_kind: str = "",
    about_id: int | None = None,
) -> Deposit:
    """Put a deposit among what the person has to pay. DomainError when the same thing has one of this kind already.

    `about_kind` and `about_id` name what it belongs to, as a purchasable does.
    """
    try:
        with transaction.atomic():
            deposit = Deposit.objects.create(
                person=person,
                kind=kind,
                label=label,
                amount=amount,
                about_kind=about_kind,
                about_id=about_id,
                created_by=actor,
            )
            audit.record("deposit.asked", deposit, actor=actor, on_behalf_of=person, amount=str(amount))
    except IntegrityError as error:
        if "payments_deposit_once_per_thing" not in str(error):
            raise
        raise DomainError(_("There is a deposit of this kind for it already.")) from error
    return deposit


@transaction.atomic
def cancel_deposit(*, deposit: Deposit, actor: Any, reason: str) -> None:
    """Ask for it no more; NotAllowed once it is paid."""
    deposit = lock_row(Deposit.objects.filter(pk=deposit.pk), "product", "deposit")
    paid = OrderLine.objects.filter(kind="deposit", object_id=deposit.pk, settled=True)
    if deposit.status != DepositStatus.DUE or paid.exists():
        raise NotAllowed(_("Only a deposit that is not paid can be cancelled."))
    advance(deposit, DepositStatus.CANCELLED, table=DEPOSIT_MOVES, reason=reason, decided_by=actor)
    audit.record("deposit.cancelled", deposit, actor=actor, reason=reason)


@transaction.atomic
def decide_deposit(*, deposit: Deposit, returned: Decimal, actor: Any, reason: str) -> Refund | None:
    """Give back `returned` of it to where it came from and keep the rest, for good; returns the refund, if any.

    A refund above the provider's limit waits for a second person. Raises NotAllowed when it is not held, when the sum is
    not between nothing and the deposit, or when something is kept without a reason.
    """
    lock_order_of(deposit)
    return decide_locked(deposit=deposit, returned=returned, actor=actor, reason=reason)


def lock_order_of(deposit: Deposit) -> None:
    """Lock the order that paid the deposit, if any: before anything is locked that stands behind orders."""
    lock_rows(Order.objects.filter(lines__deposit=deposit.pk), "order")


def decide_locked(*, deposit: Deposit, returned: Decimal, actor: Any, reason: str) -> Refund | None:
    """Decide as `decide_deposit` does; the caller holds the lock of the order that paid it."""
    deposit = lock_row(Deposit.objects.filter(pk=deposit.pk), "product", "deposit")
    line = OrderLine.objects.select_related("order").filter(deposit=deposit.pk).first()
    if line is None or deposit.status != DepositStatus.HELD:
        raise NotAllowed(_("Only a deposit that is held can be returned or kept."))
    if not 0 <= returned <= deposit.amount:
        most = format_money(deposit.amount)
        raise NotAllowed(_("Between nothing and %(most)s can be returned.") % {"most": most})
    if returned < deposit.amount and not reason:
        raise NotAllowed(_("Please say why a part of it is kept."))
    refund = None
    payment = line.order.paying_payment
    if returned and payment is not None:
        refund = give_back(
            line=line,
            payment=payment,
            amount=returned,
            reason=RefundReason.DEPOSIT,
            actor=actor,
            note=reason,
            frees=False,
        )
    advance(
        deposit,
        DepositStatus.CLOSED,
        table=DEPOSIT_MOVES,
        returned_amount=returned,
        kept_amount=deposit.amount - returned,
        refund=refund,
        reason=reason,
        decided_at=timezone.now(),
        decided_by=actor,
    )
    kept = deposit.amount - returned
    audit.record("deposit.decided", deposit, actor=actor, returned=str(returned), kept=str(kept), reason=reason)
    return refund
