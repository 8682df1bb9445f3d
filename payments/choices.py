"""What a payer may choose at the checkout, each with the words for what happens next."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from payments.company_accounts import offered_account
from payments.models import MethodKind, Order, OrderStatus, PaymentMethod, StoredMethod
from payments.offers import offered_methods
from payments.purchasables import Quote
from payments.services.paying import STORED
from payments.stored import offered_deductions, offered_stored


@dataclass(frozen=True, slots=True)
class Choice:
    """One row of `Payment Method`: the value that is posted, its name, and what happens after `Submit Payment`."""

    code: str
    label: str
    hint: str


def checkout_choices(order: Order, quotes: Sequence[Quote] = ()) -> list[Choice]:
    """Return what the order's payer may choose: their own stored card, or their company's account while its manager acts
    for them, then the methods in the office's order.

    What is promised already, and what must be paid at once, is paid in no promise.
    """
    kinds = {line.kind for line in order.lines.all()}
    stored = [
        Choice(
            f"{STORED}{one.code}", one.label, _("Your stored card is charged at once, and the receipt follows here.")
        )
        for one in offered_stored(payer=order.payer, kinds=kinds)
    ]
    stored += [
        Choice(f"{STORED}{one.code}", one.label, explain_deduction(one))
        for one in offered_deductions(payer=order.payer, kinds=kinds)
    ]
    account = offered_account(payer=order.payer, kinds=kinds)
    if account:
        stored.append(Choice(account.method.code, account.label, account.hint))
    methods = offered_methods(payer=order.payer, kinds=kinds)
    if order.status == OrderStatus.PROMISED or not all(quote.is_payable_by_promise for quote in quotes):
        methods = [method for method in methods if method.kind != MethodKind.PROMISE]
    return stored + [Choice(method.code, str(method), explain_method(method)) for method in methods]


def explain_deduction(stored: StoredMethod) -> str:
    """Say when the money is taken from wages, or by a transfer."""
    if stored.kind == MethodKind.PAYROLL:
        return _("Nothing is taken now: it is deducted from your pay with the next pay period.")
    return _("Nothing is taken now: it is transferred from your account with the next run of transfers.")


def explain_method(method: PaymentMethod) -> str:
    """Say what a payer who chooses the method does next, and when the money is taken."""
    if method.kind == MethodKind.PROMISE:
        return ngettext(
            "You bring the money to our office within %(days)d day. Nothing is taken now; until we have the money "
            "this stands as “Paid but not Processed”.",
            "You bring the money to our office within %(days)d days. Nothing is taken now; until we have the money "
            "this stands as “Paid but not Processed”.",
            method.days_to_pay,
        ) % {"days": method.days_to_pay}
    return _("You go on to our payment provider's website to enter your card. We do not store your card information.")
