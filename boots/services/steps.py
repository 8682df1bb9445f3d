"""What time brings to a boot that is out, step by step: a worker may die anywhere, and come twice or late."""

import datetime as dt
import logging

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from boots import emails
from boots.locking import lock_with_deposit
from boots.models import BOOT_MOVES, Booting, BootStatus, LateRule
from boots.schedule import StepKind, next_step
from boots.services.returning import give_up, keep_deposit, ticket_about
from opscom.core import audit
from opscom.core.errors import NotAllowed
from opscom.core.transitions import advance
from violations.services.issuing import issue_ticket
from violations.services.lowering import refuse_own

log = logging.getLogger(__name__)


def take_next_step(now: dt.datetime | None = None, *, broken: set[int] | None = None) -> bool:
    """Do what is due about one boot, in a transaction of its own; False when nothing is.

    One that fails is noted in the caller's `broken` and passed over; without `broken` its exception is raised.
    """
    now = now or timezone.now()
    due = Booting.objects.filter(next_step_at__lte=now).exclude(pk__in=broken or ())
    pk = due.order_by("next_step_at", "pk").values_list("pk", flat=True).first()
    if pk is None:
        return False
    try:
        take_step(pk, now)
    except Exception:
        if broken is None:
            raise
        log.exception("the next step of booting %s failed", pk)
        broken.add(pk)
    return True


@transaction.atomic
def take_step(booting_id: int, now: dt.datetime) -> None:
    """Do the next step of this one if it is due still: another worker may have done it meanwhile."""
    booting = lock_with_deposit(booting_id)
    if booting.next_step_at is None or booting.next_step_at > now:
        return
    step = next_step(booting)
    if step.at <= now:
        STEPS[step.kind](booting, now)
        booting.refresh_from_db()
    if booting.ended_at is None:
        Booting.objects.filter(pk=booting.pk).update(next_step_at=next_step(booting).at)


def _remind(booting: Booting, now: dt.datetime) -> None:
    Booting.objects.filter(pk=booting.pk).update(reminded_at=now)
    if booting.return_by and now < booting.return_by:
        emails.return_soon(booting)


def _note_overdue(booting: Booting, now: dt.datetime) -> None:
    advance(booting.boot, BootStatus.OVERDUE, table=BOOT_MOVES)
    Booting.objects.filter(pk=booting.pk).update(overdue_at=now)
    audit.record("boot.overdue", booting.boot, ticket=booting.ticket.number)
    emails.return_late(booting)


def _punish(booting: Booting, now: dt.datetime) -> None:
    Booting.objects.filter(pk=booting.pk).update(punished_at=now)
    if booting.late_rule == LateRule.FINE:
        ticket = issue_ticket(data=ticket_about(booting, lost=False, now=now), officer=None)
        Booting.objects.filter(pk=booting.pk).update(late_ticket=ticket)
        audit.record("boot.late_fined", booting.boot, ticket=ticket.number)
    elif keep_deposit(booting, None, _("The boot was not returned in time.")):
        audit.record("boot.deposit_kept", booting.boot, ticket=booting.ticket.number)
    else:
        return
    booting.refresh_from_db()
    emails.late_charged(booting)


def _lose(booting: Booting, now: dt.datetime) -> None:
    give_up(booting, _("It never came back."), None, now)


STEPS = {
    StepKind.REMIND: _remind,
    StepKind.OVERDUE: _note_overdue,
    StepKind.PUNISH: _punish,
    StepKind.LOSE: _lose,
}


@transaction.atomic
def give_more_time(*, booting: Booting, until: dt.datetime, actor: User) -> None:
    """The office lets the driver bring it later. Raises NotAllowed when it is back, for an earlier time, or one's own."""
    booting = lock_with_deposit(booting.pk)
    refuse_own(booting.ticket, actor)
    if not booting.return_by or booting.ended_at:
        raise NotAllowed(_("Only a boot that was released and is not back yet can be returned."))
    if until <= max(booting.return_by, timezone.now()):
        raise NotAllowed(_("Choose a time later than the one that holds now."))
    if booting.boot.status == BootStatus.OVERDUE:
        advance(booting.boot, BootStatus.RELEASED, table=BOOT_MOVES)
    booting.return_by, booting.reminded_at, booting.overdue_at = until, None, None
    booting.next_step_at = next_step(booting).at
    booting.save(update_fields=["return_by", "reminded_at", "overdue_at", "next_step_at"])
    audit.record("boot.more_time", booting.boot, actor=actor, until=until)
    emails.more_time(booting)
