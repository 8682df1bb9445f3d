"""A permit sold at the counter: reserved for the person, paid by what lies there, delivered with its receipt."""

from collections.abc import Sequence
from decimal import Decimal

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from opscom.core import audit
from opscom.core.errors import DomainError, NotAllowed
from opscom.core.locks import lock_row
from opscom.core.money import ZERO, format_money
from payments.models import COUNTER, Order, OrderStatus, Tender
from payments.services.by_hand import take_by_hand
from payments.services.orders import place_order
from payments.services.settling import capture_lines, finish_order, settle_free_order
from permits.models import Permit, PermitStatus, Sale
from permits.services.holding import give_back_reservation
from permits.services.reserving import reserve_permit
from vehicles.models import Vehicle


def sell_at_counter(
    *,
    person: User,
    sale: Sale,
    vehicles: Sequence[Vehicle],
    amount: Decimal,
    tender: Tender,
    reference: str,
    actor: User,
) -> Permit:
    """Sell the person a permit for money that is on the counter, and return it active.

    The same rules hold as on line. `amount` is what was taken, tax included: NotAllowed when the permit costs anything
    else, and then nothing stays reserved. Raises what `reserve_permit` and `place_order` raise.
    """
    permit = reserve_permit(holder=person, sale=sale, vehicles=vehicles, actor=actor)
    try:
        order = _take_money(person, permit, amount, tender, reference, actor)
    except DomainError:
        give_back_reservation(permit=permit, actor=actor)
        raise
    finish_order(order.pk)
    permit.refresh_from_db()
    if permit.status != PermitStatus.ACTIVE:
        raise NotAllowed(
            _("The money is in, and the permit is not delivered yet: see order %(code)s.") % {"code": order.code}
        )
    return permit


@transaction.atomic
def _take_money(person: User, permit: Permit, amount: Decimal, tender: Tender, reference: str, actor: User) -> Order:
    email = person.contact_email or ""
    order = place_order(payer=person, selection={"permit": [permit.pk]}, email=email, language=person.language)
    order = lock_row(Order.objects.filter(pk=order.pk), "order")
    if order.due != amount:
        raise NotAllowed(_("It costs %(due)s, tax included: take exactly that.") % {"due": format_money(order.due)})
    if order.status != OrderStatus.OPEN:
        raise NotAllowed(_("This order is no longer open."))
    if amount == ZERO:
        settle_free_order(order=order)
    else:
        words = f"{tender.value} {reference}".strip()
        capture_lines(order, take_by_hand(order=order, gateway=COUNTER, method=None, actor=actor, reference=words))
    audit.record(
        "permit.sold_at_counter", permit, actor=actor, on_behalf_of=person, amount=str(amount), tender=tender.value
    )
    return order
