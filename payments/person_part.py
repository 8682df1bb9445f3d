"""What `payments` tells of a person."""

from collections.abc import Sequence

from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from accounts.person_parts import Feed, Happening, HistoryKind, MergePlan, PersonPart
from opscom.core.locks import lock_rows
from opscom.core.transitions import advance
from payments.models import (
    ORDER_MOVES,
    CardSave,
    CardSaveStatus,
    Debt,
    Deposit,
    Order,
    OrderStatus,
    Payment,
    PaymentStatus,
    Promise,
    Refund,
    StoredMethod,
    Subscription,
    TaxExemption,
)

PAYMENTS = HistoryKind("payments", gettext_lazy("Payments"), "receipt")
PROMISES = HistoryKind("promises", gettext_lazy("Promises to pay"), "hand-coins")
REFUNDS = HistoryKind("refunds", gettext_lazy("Refunds"), "undo-2")


class PaymentsPart(PersonPart):
    """Whose orders and payments."""

    name = "payments"
    moves = frozenset(
        {
            "payments.Order.payer",
            "payments.StoredMethod.person",
            "payments.Subscription.person",
            "payments.CardSave.person",
            "payments.CardSave.actor",
            "payments.Debt.person",
            "payments.Deposit.person",
            "payments.TaxExemption.person",
        }
    )

    def feeds(self, person: User, ids: Sequence[int]) -> list[Feed]:
        """What the person paid, by confirmation code, and what went back."""
        orders = Order.objects.filter(payer=person, status=OrderStatus.PAID).prefetch_related("lines")
        promises = Promise.objects.filter(order__payer=person).select_related("order").prefetch_related("order__lines")
        refunds = Refund.objects.filter(payment__order__payer=person).select_related("line", "payment__order")
        return [
            Feed(PAYMENTS, orders, "paid_at", describe_orders),
            Feed(PROMISES, promises, "created_at", describe_promises),
            Feed(REFUNDS, refunds, "created_at", describe_refunds),
        ]

    def lock(self, *, keeper: User, loser: User) -> None:
        """Nobody begins or settles a payment of these orders meanwhile."""
        lock_rows(Order.objects.filter(Q(payer=loser) | Q(payer=keeper, status=OrderStatus.OPEN)), "order")

    def plan_merge(self, *, keeper: User, loser: User) -> MergePlan:
        """Every order goes over, paid or not; while its payer is at the bank, none does."""
        orders = Order.objects.filter(payer=loser)
        under_way = Payment.objects.filter(
            order__payer=loser, status__in=[PaymentStatus.CREATED, PaymentStatus.STARTED]
        )
        obstacles = [
            _("%(person)s is paying order %(code)s at this moment. Wait until that has come to an end.")
            % {"person": loser, "code": payment.order.code}
            for payment in under_way.select_related("order")[:1]
        ]
        if CardSave.objects.filter(person=loser, status__in=[CardSaveStatus.CREATED, CardSaveStatus.STARTED]).exists():
            obstacles.append(
                _("%(person)s is storing a card at this moment. Wait until that has come to an end.")
                % {"person": loser}
            )
        conflicts = [
            _("Both have an order that is not paid: %(code)s is closed, and what is in it can be paid anew.")
            % {"code": order.code}
            for order in open_orders(keeper, loser)
        ]
        conflicts += [
            _("Both have chosen what pays for %(use)s: the choice of the record that stays is kept.")
            % {"use": subscription.get_use_display()}
            for subscription in doubled_subscriptions(keeper, loser)
        ]
        moves = [
            (_("Paid orders"), orders.filter(status=OrderStatus.PAID).count()),
            (_("Other orders"), orders.exclude(status=OrderStatus.PAID).count()),
            (_("Stored payment methods"), StoredMethod.objects.live().filter(person=loser).count()),
            (_("Debts"), Debt.objects.filter(person=loser).count()),
            (_("Deposits"), Deposit.objects.filter(person=loser).count()),
            (_("Tax exemptions"), TaxExemption.objects.filter(person=loser).count()),
        ]
        return MergePlan(moves, conflicts, obstacles)

    def merge(self, *, keeper: User, loser: User, actor: User) -> None:
        """Move every order with its payments and refunds; nobody has two that are open."""
        for order in open_orders(keeper, loser):
            advance(order, OrderStatus.CLOSED, table=ORDER_MOVES)
        Order.objects.filter(payer=loser).update(payer=keeper)
        doubled_subscriptions(keeper, loser).delete()
        for model in (StoredMethod, Subscription, Debt, Deposit, TaxExemption, CardSave):
            model.objects.filter(person=loser).update(person=keeper)
        CardSave.objects.filter(actor=loser).update(actor=keeper)


def open_orders(keeper: User, loser: User) -> list[Order]:
    """Return the loser's open order when the keeper has one as well."""
    mine = Order.objects.filter(payer=keeper, status=OrderStatus.OPEN)
    return list(Order.objects.filter(payer=loser, status=OrderStatus.OPEN)) if mine.exists() else []


def doubled_subscriptions(keeper: User, loser: User) -> QuerySet[Subscription]:
    """Return the loser's choices for uses for which the keeper has chosen, too."""
    chosen = Subscription.objects.filter(person=keeper).values("use")
    return Subscription.objects.filter(person=loser, use__in=chosen)


def describe_orders(orders: Sequence[Order]) -> list[Happening]:
    """Return what was bought, for how much, with the confirmation code that leads to the receipt."""
    return [
        Happening(
            what=_("Payment"),
            detail="; ".join(line.label for line in order.lines.all()),
            amount=order.due,
            url=_receipt(order),
            link_label=_("Confirmation code"),
            link=order.code,
        )
        for order in orders
    ]


def describe_promises(promises: Sequence[Promise]) -> list[Happening]:
    """Return what the person promised to bring, and what has become of that."""
    return [
        Happening(
            what=_("Promise to pay: %(status)s") % {"status": promise.get_status_display()},
            detail="; ".join(line.label for line in promise.order.lines.all()),
            amount=promise.order.due,
            url=reverse("payments:promised", args=[promise.order.code]),
            link_label=_("Confirmation code"),
            link=promise.order.code,
        )
        for promise in promises
    ]


def describe_refunds(refunds: Sequence[Refund]) -> list[Happening]:
    """Return what goes or went back; while its order is not paid there is no receipt to lead to."""
    return [
        Happening(
            what=_("Refund: %(status)s") % {"status": refund.get_status_display()},
            detail=refund.line.label if refund.line else refund.get_reason_display(),
            amount=refund.amount,
            url=_receipt(refund.payment.order) if refund.payment.order.status == OrderStatus.PAID else "",
            link_label=_("Confirmation code"),
            link=refund.payment.order.code,
        )
        for refund in refunds
    ]


def _receipt(order: Order) -> str:
    return reverse("payments:receipt", args=[order.code])
