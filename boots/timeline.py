"""From paid to returned, as the driver and the office see it: what is done, what is next, and until when."""

import datetime as dt
from dataclasses import dataclass

from django.utils import timezone
from django.utils.translation import gettext as _

from boots.models import Booting, Condition, Ending
from opscom.core.money import format_money
from payments.models import DepositStatus, Refund, RefundStatus


@dataclass(frozen=True, slots=True)
class Event:
    """One line. `state` is done, now, todo or bad; `at` is when it was, or by when it is to be; `refund` goes back with it."""

    title: str
    state: str
    at: dt.datetime | None = None
    note: str = ""
    refund: Refund | None = None


def timeline(booting: Booting, now: dt.datetime | None = None) -> list[Event]:
    """Return the events of one boot on one car, in their order."""
    now = now or timezone.now()
    events = [Event(_("Boot put on"), "done", booting.put_on_at, booting.place)]
    if booting.ending == Ending.TAKEN_OFF:
        return [*events, Event(_("Taken off by an officer"), "done", booting.ended_at, booting.note)]
    if booting.released_at is None:
        if booting.ending == Ending.LOST:
            return [*events, Event(_("Lost"), "bad", booting.ended_at, booting.note)]
        return [*events, Event(_("Waiting for the payment"), "now")]
    events.append(Event(_("Paid, and the release code sent"), "done", booting.released_at))
    events.append(_return_event(booting, now))
    if booting.late_ticket:
        events.append(Event(_("Fined for the late return"), "bad", booting.punished_at, booting.late_ticket.number))
    if booting.lost_ticket:
        events.append(Event(_("Charged for the lost boot"), "bad", booting.ended_at, booting.lost_ticket.number))
    if booting.deposit:
        events.append(_deposit_event(booting))
    return events


def _return_event(booting: Booting, now: dt.datetime) -> Event:
    if booting.ending == Ending.RETURNED:
        is_damaged = booting.condition == Condition.DAMAGED
        note = _("Damaged: %(note)s") % {"note": booting.note} if is_damaged else booting.note
        return Event(_("Boot returned"), "done", booting.ended_at, note)
    if booting.ending == Ending.LOST:
        return Event(_("Lost"), "bad", booting.ended_at, booting.note)
    is_late = booting.return_by is not None and booting.return_by <= now
    return Event(
        _("The boot is late") if is_late else _("Return the boot by"), "bad" if is_late else "now", booting.return_by
    )


def _deposit_event(booting: Booting) -> Event:
    deposit = booting.deposit
    if deposit is None or deposit.status in (DepositStatus.DUE, DepositStatus.HELD):
        return Event(_("Deposit back"), "todo", None, _("After the boot is back."))
    if deposit.status == DepositStatus.CANCELLED:
        return Event(_("Deposit not asked"), "done")
    if not deposit.returned_amount:
        return Event(_("Deposit kept"), "bad", deposit.decided_at, deposit.reason)
    note, refund = "", deposit.refund
    if deposit.kept_amount:
        note = _("%(sum)s kept: %(reason)s") % {"sum": format_money(deposit.kept_amount), "reason": deposit.reason}
    if refund and refund.status == RefundStatus.PROPOSED:
        # What waits for a second person of the office is no promise yet.
        return Event(_("Deposit back"), "now", deposit.decided_at, _("The office is checking it."))
    return Event(_("Deposit back"), "done", deposit.decided_at, note, refund)
