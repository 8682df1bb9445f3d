"""Permits in every state, all made by the services that people use, and paid at the demo bank."""

import datetime as dt
from typing import cast

from django.db import transaction
from django.utils import timezone
from django.utils.translation import override

from accounts.models import User
from demo.data.money import pay_at_bank
from payments.models import OrderLine
from payments.services.orders import place_order
from payments.services.promising import promise_order
from payments.services.refunding import refund_line
from payments.tasks import send_refunds
from permits.models import Permit, Sale, TermKind
from permits.services.holding import end_next, give_back_reservation, lapse_next
from permits.services.reserving import reserve_permit
from permits.services.suspending import revoke_permit

# Person's place in the list of people -> sale. Library Lot has six numbers, and six of them are taken: it is full.
PAID = {
    0: "north-monthly", 3: "north-monthly", 9: "north-monthly", 11: "north-monthly", 16: "north-monthly",
    2: "library-year", 8: "library-year", 13: "library-year", 20: "library-year", 27: "library-year", 22: "library-year",
    6: "residence-term", 15: "residence-term", 4: "west-student", 5: "west-student", 7: "west-student",
    10: "west-student", 24: "motorcycle-year", 12: "arena-monthly", 18: "arena-monthly",
}  # fmt: skip
ENDED, CANCELLED, REVOKED = {14: "west-evening", 19: "west-evening"}, {26: "west-evening"}, {17: "west-evening"}
LAPSED, GIVEN_BACK, RESERVED = {21: "west-evening"}, {23: "west-evening"}, {28: "west-student", 25: "arena-monthly"}
# Staff, who may bring cash.
PROMISED = {26: "north-monthly"}


def make_permits(people: list[User], sales: dict[str, Sale], office: User) -> None:
    """Sell, end, cancel, revoke and let lapse, so that every list of the office shows something."""

    def reserve(plan: dict[int, str]) -> list[Permit]:
        return [_reserve(people[number], sales[sale]) for number, sale in plan.items()]

    paid = reserve(PAID)
    for permit in paid:
        pay(permit)
    # Bought two weeks ago, so that the first pages show permits that have been running for a while.
    monthly = [permit for permit in paid if permit.permit_type.term_kind != TermKind.FIXED]
    _shift(monthly, valid_from=timezone.now() - dt.timedelta(days=14))
    _end(reserve(ENDED))
    for permit in reserve(CANCELLED):
        order_line = pay(permit)
        refund_line(line=order_line, actor=office)
    send_refunds()
    for permit in reserve(REVOKED):
        pay(permit)
        revoke_permit(permit=permit, reason="Lent to somebody else.", actor=office)
    _lapse(reserve(LAPSED))
    for permit in reserve(GIVEN_BACK):
        give_back_reservation(permit=permit, actor=cast(User, permit.holder))
    reserve(RESERVED)
    for permit in reserve(PROMISED):
        _promise(permit)


def _reserve(person: User, sale: Sale) -> Permit:
    vehicles = [ownership.vehicle for ownership in person.ownerships.all()][: sale.permit_type.max_vehicles]
    return reserve_permit(holder=person, sale=sale, vehicles=vehicles)


def pay(permit: Permit) -> OrderLine:
    """Pay for a reserved permit at the demo bank, and return its order line."""
    holder = cast(User, permit.holder)
    with override(holder.language):
        order = place_order(
            payer=holder, selection={"permit": [permit.pk]}, email=holder.email or "", language=holder.language
        )
    pay_at_bank(order)
    return order.lines.get()


def _promise(permit: Permit) -> None:
    holder = cast(User, permit.holder)
    order = place_order(
        payer=holder, selection={"permit": [permit.pk]}, email=holder.email or "", language=holder.language
    )
    promise_order(order=order, method_code="cash-or-cheque", actor=holder)


@transaction.atomic
def _shift(permits: list[Permit], **changes: dt.datetime) -> None:
    Permit.objects.filter(pk__in=[permit.pk for permit in permits]).update(**changes)


def _end(permits: list[Permit]) -> None:
    for permit in permits:
        pay(permit)
    now = timezone.now()
    _shift(permits, valid_from=now - dt.timedelta(days=40), valid_until=now - dt.timedelta(days=9))
    while end_next():
        pass


def _lapse(permits: list[Permit]) -> None:
    _shift(permits, held_until=timezone.now() - dt.timedelta(minutes=1))
    while lapse_next():
        pass
