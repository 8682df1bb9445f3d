"""A permit is ended before its last day: what goes back of its price, and the ending itself."""

import datetime as dt
from decimal import Decimal

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from opscom.core import audit
from opscom.core.errors import Allowed, Decision, NotAllowed, Refused, Stale
from opscom.core.locks import lock_row
from opscom.core.money import ZERO, format_money
from opscom.provider.selectors import local_date
from payments.models import Order, OrderLine, Refund, RefundReason
from payments.services.refunding import give_back
from permits import change_emails
from permits.models import Permit, PermitStatus
from permits.proration import MoneyBack, Span, money_back, share_left, whole_term
from permits.services.closing import close_permit

KIND = "permit"
ONE_DAY = dt.timedelta(days=1)


def can_end_early(permit: Permit, now: dt.datetime) -> Decision:
    """Say whether the holder may end the permit themselves now, before its last day."""
    if not permit.permit_type.may_end_early:
        return Refused("not_offered", _("This permit runs until its last day. Please contact the parking office."))
    if permit.promised_until is not None:
        return Refused(
            "promised", _("You promised to bring the money for it. To give it back, take that promise back first.")
        )
    return _is_running(permit, now)


def _is_running(permit: Permit, now: dt.datetime) -> Decision:
    if permit.status != PermitStatus.ACTIVE or permit.valid_until <= now:
        return Refused("not_active", _("This permit is over, or not paid: there is nothing to end early."))
    return Allowed()


def paid_line(permit_id: int) -> OrderLine | None:
    """Return the line that paid the permit, delivered or not."""
    lines = OrderLine.objects.filter(kind=KIND, object_id=permit_id, settled=True)
    return lines.select_related("order__payer").first()


def lock_with_money(permit: Permit) -> tuple[Permit, OrderLine | None]:
    """Lock the order that paid the permit, if any, then the permit; return it with the line that paid it.

    Raises Stale when it was paid between the two locks. Never call it with a product locked: the order comes first.
    """
    line = paid_line(permit.pk)
    if line:
        lock_row(Order.objects.filter(pk=line.order_id), "order")
    locked = lock_row(Permit.objects.filter(pk=permit.pk), "product", KIND)
    now = paid_line(permit.pk)
    if (now and now.pk) != (line and line.pk):
        raise Stale(_("This permit was paid at this very moment. Please look at it again."))
    return locked, now


def quote_early_end(permit: Permit, now: dt.datetime) -> MoneyBack:
    """Return what would go back if the permit ended now: of what was paid, tax included, less what has gone back already.

    Nothing of money that is only promised, and nothing for a free one. The type's rule and fee are those of this moment.
    """
    return _money_back(permit, paid_line(permit.pk), now)


def _money_back(permit: Permit, line: OrderLine | None, now: dt.datetime) -> MoneyBack:
    kind = permit.permit_type
    part = Span(local_date(permit.valid_from), local_date(permit.valid_until - dt.timedelta(microseconds=1)) + ONE_DAY)
    term = whole_term(permit.sale, part.first, part.after_last)
    paid = line.kept if line is not None and line.order.paying_payment is not None else ZERO
    return money_back(paid, share_left(kind, term, part, local_date(now)), kind.early_end_fee)


@transaction.atomic
def end_early(
    *,
    permit: Permit,
    actor: User | None,
    shown: Decimal | None = None,
    reason: str = "",
    refunds: bool = True,
    now: dt.datetime | None = None,
) -> Refund | None:
    """End an active permit now: its number goes to the list, and its money back to where it came from, once.

    `shown` is the sum that was on the page: NotAllowed when it is another one meanwhile. Returns the refund, which waits for
    a second person above the provider's limit; None when nothing goes back. NotAllowed when it is over, Stale when it was
    paid at this very moment. Without `refunds` it is given back without money. Whether the holder may is asked before: see `can_end_early`.
    """
    now = now or timezone.now()
    permit, line = lock_with_money(permit)
    _is_running(permit, now).or_raise()
    money = _money_back(permit, line, now)
    if shown is not None and shown != money.amount:
        text = _("What goes back has changed meanwhile: it is %(amount)s now. Please look at it again.")
        raise NotAllowed(text % {"amount": format_money(money.amount)})
    close_permit(permit, PermitStatus.ENDED)
    refund = _refund(permit, line, money, actor) if refunds else None
    audit.record(
        "permit.ended_early",
        permit,
        actor=actor,
        on_behalf_of=permit.holder if actor != permit.holder else None,
        reason=reason,
        paid=str(money.paid),
        fee=str(money.fee),
        back=str(money.amount if refunds else ZERO),
    )
    change_emails.ended_early(permit, refund, reason=reason)
    return refund


def _refund(permit: Permit, line: OrderLine | None, money: MoneyBack, actor: User | None) -> Refund | None:
    payment = line.order.paying_payment if line else None
    if line is None or payment is None or money.amount <= 0:
        return None
    return give_back(
        line=line,
        payment=payment,
        amount=money.amount,
        reason=RefundReason.ENDED_EARLY,
        actor=actor,
        note=_("Permit %(number)s, ended early") % {"number": permit.number},
        # It is over already: taking it back once more would call it cancelled, and who used it for months never had it.
        frees=False,
    )
