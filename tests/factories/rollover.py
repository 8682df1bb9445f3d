"""Monthly permits that renew themselves, by the real services; and the days that pass for them."""

import datetime as dt
from typing import Any

from django.utils import timezone

from accounts.models import User
from opscom.provider.selectors import local_date, start_of_day
from payments.models import Payment
from payments.services.confirming import confirm_payment
from permits.models import Permit, PermitVehicle, Rollover, Sale
from permits.renewal_dates import at_work
from permits.services import renewing
from permits.services.rollover import switch_on
from permits.tasks import end_permits, release_lapsed_holds
from tests.factories.payments import go_to_bank, order_permit, pay_at_bank
from tests.factories.permits import make_buyer, make_permit_type, make_sale, reserve
from tests.factories.stored import ROLLOVER, offer_storing, store_card

DECLINED, SILENT = "4000000000009995", "4000000000000119"


def make_monthly_sale(*, numbers: int = 5, sale: dict[str, Any] | None = None, **fields: Any) -> Sale:
    """Return a sale of monthly permits that may renew themselves."""
    kind = make_permit_type(**{"is_rollover_offered": True, "term_kind": "rolling_months"} | fields)
    return make_sale(numbers=numbers, permit_type=kind, **(sale or {}))


def pay_permit(permit: Permit) -> Payment:
    """Pay a reserved permit at the demo bank; it is delivered."""
    payment = go_to_bank(order_permit(permit))
    pay_at_bank(payment)
    confirm_payment(payment)
    permit.refresh_from_db()
    return payment


def buy_monthly(sale: Sale | None = None, buyer: User | None = None, *, card: str = "4242424242424242") -> Permit:
    """Return an active monthly permit whose holder has a stored card for rollovers; its switch is off."""
    offer_storing()
    buyer = buyer or make_buyer()[0]
    permit = reserve(sale or make_monthly_sale(), buyer)
    pay_permit(permit)
    if card:
        store_card(buyer, ROLLOVER, card=card)
    return Permit.objects.get(pk=permit.pk)


def make_renewing(sale: Sale | None = None, *, days_left: int = 7, **options: Any) -> Permit:
    """Return a monthly permit with its switch on, so many days before its end."""
    permit = buy_monthly(sale, **options)
    switch_on(permit=permit, actor=permit.holder)
    return shift(permit, days_left)


def shift(permit: Permit, days_left: int) -> Permit:
    """Let days pass until the permit ends in so many days from today; its renewal and their timetable move along."""
    permit = Permit.objects.get(pk=permit.pk)
    target = local_date() + dt.timedelta(days=days_left)
    delta = target - local_date(permit.valid_until)
    for one in [*_before(permit), permit, *Permit.objects.filter(renews=permit)]:
        held = {"held_until": _move(one.held_until, delta)} if one.held_until else {}
        dates = {"valid_from": _move(one.valid_from, delta), "valid_until": _move(one.valid_until, delta)}
        Permit.objects.filter(pk=one.pk).update(**dates, **held)
    row = Rollover.objects.get(permit=permit)
    row.charge_on = row.charge_on + delta if row.charge_on else None
    row.anchor_on += delta
    if row.next_try_at:
        row.next_try_at = at_work(row.charge_on or target - dt.timedelta(days=7))
    row.save()
    return Permit.objects.get(pk=permit.pk)


def _before(permit: Permit) -> list[Permit]:
    """Return the earlier periods."""
    return [permit.renews, *_before(permit.renews)] if permit.renews else []


def _move(moment: dt.datetime, delta: dt.timedelta) -> dt.datetime:
    return start_of_day(local_date(moment) + delta)


def this_morning() -> dt.datetime:
    """Return this instant; early in the morning, the one of today at which renewals are looked at."""
    return max(at_work(local_date()) + dt.timedelta(minutes=1), timezone.now())


def take_steps(now: dt.datetime | None = None) -> None:
    """Let the beat take every step that is due this morning."""
    for _turn in range(20):
        if not renewing.take_next_step(now or this_morning()):
            return
    raise AssertionError("The steps never end.")


def renewal_of(permit: Permit) -> Permit:
    """Return the newest permit that renews it."""
    return Permit.objects.filter(renews=permit).latest("pk")


def let_it_end(permit: Permit) -> None:
    """Let the permit's last instant pass, and the beat close what is over."""
    shift(permit, 0)
    release_lapsed_holds()
    end_permits()
    release_lapsed_holds()


def plates_of(permit: Permit) -> list[int]:
    """Return the vehicles on it."""
    return list(PermitVehicle.objects.filter(permit=permit).values_list("vehicle", flat=True))
