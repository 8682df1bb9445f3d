"""The office makes something dearer or cheaper, and says why; what was bought is kept."""

from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from opscom.core import audit
from opscom.core.errors import NotAllowed
from opscom.core.locks import lock_row
from payments import emails
from payments.models import (
    Adjustment,
    DebtReason,
    Order,
    OrderLine,
    OrderStatus,
    PaymentStatus,
    RefundReason,
)
from payments.services.debts import owe_again
from payments.services.refunding import give_back
from payments.tax_sums import split_tax

UNDER_WAY = (PaymentStatus.CREATED, PaymentStatus.STARTED)


@transaction.atomic
def adjust_line(*, line: OrderLine, amount: Decimal, reason: str, actor: Any) -> Adjustment:
    """Change what a line costs by `amount`, tax included: more, or with a minus less.

    While the money is only promised, that changes what is to be brought. Once it is paid, less is a refund in part (which
    may need a second person), more is a debt. Raises NotAllowed: nothing promised or paid; less than nothing would be left;
    somebody is paying the promised order at a gateway at this moment.
    """
    order = lock_row(Order.objects.filter(lines=line.pk), "order")
    line = OrderLine.objects.select_related("order__payer").get(pk=line.pk)
    if not amount:
        raise NotAllowed(_("An adjustment by nothing changes nothing."))
    if order.status == OrderStatus.PROMISED:
        return _adjust_promised(order, line, amount, reason, actor)
    if order.status != OrderStatus.PAID or not line.settled:
        raise NotAllowed(_("Only what is paid, or whose money is promised, can be adjusted."))
    adjustment = _write(line, amount, reason, actor)
    if amount > 0:
        adjustment.debt = owe_again(line=line, amount=amount, reason=DebtReason.ADJUSTED, actor=actor, note=reason)
        emails.owed_again(adjustment.debt)
    else:
        payment = order.paying_payment
        if payment is None:
            raise NotAllowed(_("Nothing was paid for this: it cannot become cheaper."))
        adjustment.refund = give_back(
            line=line,
            payment=payment,
            amount=-amount,
            reason=RefundReason.ADJUSTED,
            actor=actor,
            note=reason,
            frees=False,
        )
    adjustment.save()
    return adjustment


def _adjust_promised(order: Order, line: OrderLine, amount: Decimal, reason: str, actor: Any) -> Adjustment:
    if order.payments.filter(status__in=UNDER_WAY).exists():
        raise NotAllowed(_("Somebody is paying this order at this moment. Please wait until that has come to an end."))
    if line.due + amount < 0 or order.due + amount <= 0:
        raise NotAllowed(_("Nothing would be left to pay. Cancel the promise instead."))
    adjustment = _write(line, amount, reason, actor)
    adjustment.save()
    OrderLine.objects.filter(pk=line.pk).update(adjusted=F("adjusted") + amount)
    Order.objects.filter(pk=order.pk).update(adjusted=F("adjusted") + amount)
    return adjustment


def _write(line: OrderLine, amount: Decimal, reason: str, actor: Any) -> Adjustment:
    net, parts = split_tax(amount, line.taxes)
    audit.record("adjustment.made", line, actor=actor, amount=str(amount), reason=reason)
    return Adjustment(
        line=line,
        net=net,
        tax=amount - net,
        amount=amount,
        taxes=[part.as_json() for part in parts],
        reason=reason,
        made_by=actor,
    )
