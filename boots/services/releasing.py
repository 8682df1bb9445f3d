"""What has to be paid is paid: the code goes out, once."""

import datetime as dt

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from boots import emails, schedule
from boots.locking import KIND, lock_booting
from boots.models import BOOT_MOVES, Booting, BootStatus
from boots.services.codes import read_code
from opscom.core import audit
from opscom.core.errors import NotAllowed, Refused
from opscom.core.throttles import allow
from opscom.core.transitions import advance
from payments.models import Order
from payments.purchasables import Done
from violations.services.booting import mark_free

HOUR = 3600
MOST_SENT = 20


def release_boot(*, booting_id: int, order: Order) -> Done | Refused:
    """Release the boot for the paid order, once, and mail the code; the caller holds the order's lock.

    Refused, to be refunded: an officer had taken it off, or it was given up for lost.
    """
    booting = lock_booting(booting_id)
    if booting.released_at:
        return Done()
    if booting.ended_at:
        return Refused("ended", _("The boot was taken off before the payment arrived."))
    now = timezone.now()
    line = order.lines.get(kind=KIND, object_id=booting_id)
    return_by = now + dt.timedelta(hours=booting.return_hours)
    advance(booting.boot, BootStatus.RELEASED, table=BOOT_MOVES)
    booting.line, booting.released_at, booting.return_by = line, now, return_by
    booting.next_step_at = schedule.next_step(booting).at
    booting.save(update_fields=["line", "released_at", "return_by", "next_step_at"])
    mark_free(booting.ticket_id)
    audit.record("boot.released", booting.boot, actor=order.payer, order=order.code, ticket=booting.ticket.number)
    emails.code(booting, code=read_code(booting.boot), key="first")
    return Done()


@transaction.atomic
def send_code_again(*, booting: Booting, actor: object = None) -> None:
    """Mail the code once more, to the address that the payer gave. Raises NotAllowed when it is not out, or too often."""
    booting = lock_booting(booting.pk)
    if not booting.released_at or booting.ended_at or booting.line is None:
        raise NotAllowed(_("There is no release code to send: nothing is paid yet, or the boot is back."))
    if not booting.line.order.email:
        raise NotAllowed(_("No e-mail address was given with the payment. The code stands on the receipt."))
    if booting.code_sent_times >= MOST_SENT:
        raise NotAllowed(_("The code was sent very often already. Please call the office."))
    who = "office" if getattr(actor, "is_staff", False) else "driver"
    if not allow(f"boot.code_again.{who}", booting.code, limit=3, seconds=HOUR):
        raise NotAllowed(_("The code was sent again three times within the hour. It stands on the receipt, too."))
    times = booting.code_sent_times + 1
    Booting.objects.filter(pk=booting.pk).update(code_sent_times=times)
    audit.record("boot.code_sent_again", booting.boot, actor=actor)
    emails.code(booting, code=read_code(booting.boot), key=f"again-{times}")


@transaction.atomic
def report_problem(*, booting: Booting, actor: object = None) -> None:
    """The driver says that the code does not open the boot: the office is told at once; a second time nothing more."""
    booting = lock_booting(booting.pk)
    if not booting.released_at or booting.ended_at:
        raise NotAllowed(_("There is no release code to send: nothing is paid yet, or the boot is back."))
    if booting.problem_at:
        return
    Booting.objects.filter(pk=booting.pk).update(problem_at=timezone.now())
    audit.record("boot.code_problem", booting.boot, actor=actor, ticket=booting.ticket.number)
    emails.code_problem(booting)
