"""A company's account, kept as it is while a person's order is paid with it."""

from django.utils.translation import gettext as _

from accounts.acting.switch import lock_both
from opscom.core.context import acting
from opscom.core.errors import NotAllowed
from opscom.core.locks import lock_row
from payments.company_accounts import OfferedAccount, offered_account
from payments.models import BillingAccount, Order


def lock_offered(order: Order, offered: OfferedAccount) -> tuple[Order, OfferedAccount]:
    """Lock who acts, the person, the order and the account, and return the last two as they are now.

    So neither a manager whose right ends, nor a person who leaves the company, nor an account that the office closes at
    this moment is overtaken. Raises NotAllowed when the account, or the card that it pays with, is no longer offered.
    """
    who = acting.get()
    if who is None or order.payer_id != who.person.pk:
        raise not_offered()
    _manager, person = lock_both(who.actor.pk, who.person.pk)
    order = lock_row(Order.objects.filter(pk=order.pk), "order")
    lock_row(BillingAccount.objects.filter(pk=offered.account.pk), "payment", "billing_account")
    kinds = set(order.lines.values_list("kind", flat=True))
    still = offered_account(payer=person, kinds=kinds)
    if still is None or (still.method, still.account) != (offered.method, offered.account):
        raise not_offered()
    if (still.account.kind, still.account.stored_method) != (offered.account.kind, offered.account.stored_method):
        raise not_offered()
    return order, still


def not_offered() -> NotAllowed:
    """Return the refusal of a way to pay that was there a moment ago."""
    return NotAllowed(_("This payment method is not offered. Please choose another."))
