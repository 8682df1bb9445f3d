"""Whether a company pays for what is in a person's cart: its manager, acting there, may choose so. Reads only."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from accounts.acting.rules import can_act_as_manager
from opscom.core.context import acting
from payments.gateways.registry import configured_gateways
from payments.models import BillingAccount, BillingKind, MethodKind, PaymentMethod
from payments.offers import covers, meant_for


@dataclass(frozen=True, slots=True)
class OfferedAccount:
    """The company's account, by the method with which the office offers it."""

    method: PaymentMethod
    account: BillingAccount

    @property
    def label(self) -> str:
        return f"{self.method}: {self.account.company}"

    @property
    def hint(self) -> str:
        """Say when the company pays."""
        if self.account.kind == BillingKind.CARD:
            return _("The company's stored card is charged at once.")
        if self.account.kind == BillingKind.JOURNAL:
            return _("Nothing is paid now: it is booked to the company's journal code %(code)s.") % {
                "code": self.account.journal_code
            }
        return _("Nothing is paid now: it stands on the company's next monthly statement.")


def offered_account(*, payer: Any, kinds: Collection[str]) -> OfferedAccount | None:
    """Return the company's account for these kinds of item, in the cart of `payer`; None unless their manager acts there.

    What the person alone may not choose is not theirs: without their manager it is no way to pay.
    """
    who = acting.get()
    if payer is None or who is None or who.person.pk != payer.pk or payer.company_id is None:
        return None
    method = find_account_method(payer, kinds)
    if method is None or not can_act_as_manager(who.actor, payer).is_allowed:
        return None
    accounts = BillingAccount.objects.select_related("company", "stored_method__method")
    account = accounts.filter(company=payer.company_id).first()
    return OfferedAccount(method, account) if account and can_pay(account) else None


def find_account_method(payer: Any, kinds: Collection[str]) -> PaymentMethod | None:
    """Return the first method by which the office offers companies' accounts for this person and these kinds of item."""
    methods = meant_for(PaymentMethod.objects.filter(is_on=True, kind=MethodKind.ACCOUNT), payer)
    return next((method for method in methods if covers(method, kinds)), None)


def can_pay(account: BillingAccount) -> bool:
    """Say whether the account is in use and, where a card pays, has one that can be charged."""
    if not (account.is_active and account.company.is_active):
        return False
    if account.kind != BillingKind.CARD:
        return True
    card = account.stored_method
    return card is not None and not card.removed_at and not card.is_expired and card.gateway in configured_gateways()
