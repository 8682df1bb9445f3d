"""Which ways to pay a payer may choose for an order: switched on by the office, configured, and meant for them."""

from collections.abc import Collection
from typing import Any

from django.db.models import Q, QuerySet

from payments.gateways.registry import configured_gateways
from payments.models import MethodKind, PaymentMethod


def offered_methods(*, payer: Any, kinds: Collection[str]) -> list[PaymentMethod]:
    """Return the methods for this payer (None: a guest) and these kinds of item, in the office's order."""
    methods = PaymentMethod.objects.filter(is_on=True)
    if payer is None:
        methods = methods.filter(is_for_guests=True)
    else:
        methods = meant_for(methods, payer)
    return [method for method in methods if is_usable(method) and covers(method, kinds)]


def meant_for(methods: QuerySet[PaymentMethod], payer: Any) -> QuerySet[PaymentMethod]:
    """Return those that the office offers to people of the payer's type."""
    return methods.filter(Q(user_types=None) | Q(user_types=payer.user_type_id))


def is_usable(method: PaymentMethod) -> bool:
    """Say whether one can pay so at the checkout: by a card whose gateway is there and configured, or by a promise.

    A company's account, and what the office sets up for a person (payroll deductions, transfers), are offered for what
    they are: see `company_accounts` and `stored`.
    """
    is_card = method.kind == MethodKind.CARD and method.gateway in configured_gateways()
    return is_card or method.kind == MethodKind.PROMISE


def covers(method: PaymentMethod, kinds: Collection[str]) -> bool:
    """Say whether everything in the order may be paid so."""
    return not method.product_kinds or set(kinds) <= set(method.product_kinds)
