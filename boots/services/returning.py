"""A boot comes back, is taken off by an officer, or is given up for lost."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.services.documents import NewDocument
from boots import emails
from boots.locking import KIND, lock_boot, lock_booting, lock_with_deposit
from boots.models import BOOT_MOVES, Boot, Booting, BootStatus, Condition, Ending, PhotoMoment
from boots.services.codes import change_code, void_code
from boots.services.files import keep_photos
from opscom.core import audit
from opscom.core.errors import NotAllowed
from opscom.core.money import ZERO
from opscom.core.transitions import advance
from payments.models import DepositStatus, OrderLine
from payments.services.deposits import cancel_deposit, decide_locked
from violations.services.booting import mark_free
from violations.services.issuing import TicketData, issue_ticket
from violations.services.lowering import refuse_own


@dataclass(frozen=True, slots=True)
class Returned:
    """How a boot came back. `kept` is what of the deposit pays for damage; `new_code` empty: it is set later."""

    condition: Condition = Condition.GOOD
    kept: Decimal = ZERO
    note: str = ""
    new_code: str = ""
    photos: Sequence[NewDocument] = ()


@transaction.atomic
def return_boot(*, booting: Booting, how: Returned, actor: User, now: dt.datetime | None = None) -> None:
    """Take the released boot back: the deposit goes back, whole or less the damage, and the old code is void.

    Raises NotAllowed when it is not out, or when something is kept of a deposit that is not held, or without a note.
    """
    now = now or timezone.now()
    booting = lock_with_deposit(booting.pk)
    refuse_own(booting.ticket, actor)
    if not booting.released_at or booting.ended_at:
        raise NotAllowed(_("Only a boot that was released and is not back yet can be returned."))
    if how.condition == Condition.DAMAGED and not how.note:
        raise NotAllowed(_("Please say what is damaged."))
    is_broken = how.condition == Condition.DAMAGED
    advance(booting.boot, BootStatus.AVAILABLE, table=BOOT_MOVES, is_out_of_service=is_broken)
    change_code(booting.boot, how.new_code)
    emails.withdraw_codes(booting)
    _end(booting, Ending.RETURNED, actor, now, condition=how.condition, note=how.note)
    _decide_deposit(booting, how, actor)
    keep_photos(booting=booting, photos=how.photos, moment=PhotoMoment.RETURN, actor=actor)
    audit.record("boot.returned", booting.boot, actor=actor, condition=how.condition, ticket=booting.ticket.number)
    emails.returned(booting)


def _decide_deposit(booting: Booting, how: Returned, actor: User) -> None:
    deposit = booting.deposit
    if deposit is None or not booting.has_deposit:
        if how.kept:
            raise NotAllowed(_("No deposit is held for this boot: nothing can be kept of it."))
        return
    decide_locked(deposit=deposit, returned=deposit.amount - how.kept, actor=actor, reason=how.note)
    # What was decided stands in the mail that follows.
    booting.refresh_from_db()


@transaction.atomic
def take_off(*, booting: Booting, reason: str, actor: User, new_code: str = "", now: dt.datetime | None = None) -> None:
    """An officer takes the boot off by hand, and back: its code is void, the ticket is as any other, no deposit is asked.

    Raises NotAllowed without a reason, and once it is paid for: then it is returned.
    """
    now = now or timezone.now()
    if not reason:
        raise NotAllowed(_("Please give the reason."))
    booting = lock_booting(booting.pk)
    refuse_own(booting.ticket, actor)
    _require_unpaid(booting)
    advance(booting.boot, BootStatus.AVAILABLE, table=BOOT_MOVES)
    change_code(booting.boot, new_code)
    _end(booting, Ending.TAKEN_OFF, actor, now, note=reason)
    _ask_deposit_no_more(booting, actor, reason)
    mark_free(booting.ticket_id)
    audit.record("boot.taken_off", booting.boot, actor=actor, ticket=booting.ticket.number, reason=reason)


@transaction.atomic
def lose_boot(*, booting: Booting, reason: str, actor: User | None, now: dt.datetime | None = None) -> None:
    """Give the boot up for lost: the deposit is kept, and the provider's charge is a ticket of its own.

    Also one that was torn off a car without being paid for. Raises NotAllowed when it is over already, and for one's own.
    """
    booting = lock_with_deposit(booting.pk)
    if actor:
        refuse_own(booting.ticket, actor)
    give_up(booting, reason, actor, now or timezone.now())


def give_up(booting: Booting, reason: str, actor: User | None, now: dt.datetime) -> None:
    """Do what `lose_boot` does; the caller holds the locks of `lock_with_deposit`."""
    if booting.ended_at:
        raise NotAllowed(_("This boot is back already, or given up for lost."))
    if not booting.released_at:
        _require_unpaid(booting)
    advance(booting.boot, BootStatus.LOST, table=BOOT_MOVES)
    void_code(booting.boot)
    _end(booting, Ending.LOST, actor, now, note=reason)
    emails.withdraw_codes(booting)
    if booting.released_at:
        keep_deposit(booting, actor, _("The boot did not come back."))
    else:
        _ask_deposit_no_more(booting, actor, reason)
        mark_free(booting.ticket_id)
    if booting.lost_offence:
        booting.lost_ticket = issue_ticket(data=ticket_about(booting, lost=True, now=now), officer=actor)
        booting.save(update_fields=["lost_ticket"])
    audit.record("boot.lost", booting.boot, actor=actor, ticket=booting.ticket.number, reason=reason)
    emails.lost(booting)


@transaction.atomic
def find_boot(*, boot: Boot, actor: User) -> None:
    """A lost boot has turned up. It needs a new code before it goes on a car. Raises NotAllowed when it is not lost."""
    boot = lock_boot(boot.pk)
    if boot.status != BootStatus.LOST:
        raise NotAllowed(_("Boot %(serial)s is not lost.") % {"serial": boot})
    advance(boot, BootStatus.AVAILABLE, table=BOOT_MOVES)
    audit.record("boot.found", boot, actor=actor)


@transaction.atomic
def lose_from_shelf(*, boot: Boot, reason: str, actor: User) -> None:
    """A boot that is on no car is gone. Raises NotAllowed for one that is out: that one's time on the car ends so."""
    boot = lock_boot(boot.pk)
    if boot.status != BootStatus.AVAILABLE:
        raise NotAllowed(_("Only a boot that is available is given up here."))
    advance(boot, BootStatus.LOST, table=BOOT_MOVES)
    void_code(boot)
    audit.record("boot.lost", boot, actor=actor, reason=reason)


def keep_deposit(booting: Booting, actor: User | None, reason: str) -> bool:
    """Keep the whole deposit, if one is held; the caller holds the locks of `lock_with_deposit`. Says whether it was."""
    deposit = booting.deposit
    if deposit is None or not booting.has_deposit:
        return False
    decide_locked(deposit=deposit, returned=ZERO, actor=actor, reason=reason)
    booting.refresh_from_db()
    return True


def ticket_about(booting: Booting, *, lost: bool, now: dt.datetime) -> TicketData:
    """Return the ticket of a late or a lost boot, about the car that it was on."""
    old = booting.ticket
    offence = booting.lost_offence if lost else booting.late_offence
    if offence is None:
        raise ValueError("There is no offence to write a ticket for.")
    return TicketData(
        offence=offence,
        occurred_at=now,
        plate=old.plate,
        region=old.region,
        plate_type=old.plate_type,
        vin=old.vin,
        lot=booting.lot,
        place=booting.place,
        notes=_("Boot %(serial)s, ticket %(number)s") % {"serial": booting.boot, "number": old.number},
    )


def _require_unpaid(booting: Booting) -> None:
    if booting.released_at or booting.ended_at:
        raise NotAllowed(_("This boot is not on the car any more, as far as we know: it is paid for, or off already."))
    if OrderLine.objects.filter(kind=KIND, object_id=booting.pk, settled=True).exists():
        raise NotAllowed(_("It was paid for at this very moment: the driver gets the code. Please look again."))


def _ask_deposit_no_more(booting: Booting, actor: User | None, reason: str) -> None:
    if booting.deposit and booting.deposit.status == DepositStatus.DUE:
        cancel_deposit(deposit=booting.deposit, actor=actor, reason=reason)


def _end(booting: Booting, ending: Ending, actor: User | None, now: dt.datetime, **facts: object) -> None:
    changes = {"ended_at": now, "ending": ending, "ended_by": actor, "next_step_at": None, **facts}
    Booting.objects.filter(pk=booting.pk).update(problem_at=None, **changes)
    booting.refresh_from_db()
