"""A boot is put on a car: one boot on one ticket, one ticket on one boot, by the database."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.services.documents import NewDocument
from boots import emails, rules
from boots.locking import KIND, lock_boot
from boots.models import BOOT_MOVES, Boot, Booting, BootPolicy, BootStatus, PhotoMoment
from boots.selectors import get_policy
from boots.services.files import keep_photos
from opscom.core import audit
from opscom.core.errors import Stale
from opscom.core.transitions import advance
from opscom.provider.models import Lot
from payments.models import Deposit, DepositKind
from payments.services.deposits import ask_deposit
from violations.models import Ticket
from violations.services.booting import mark_booted
from violations.services.locking import lock_ticket
from violations.services.lowering import refuse_own


@dataclass(frozen=True, slots=True)
class Where:
    """Where the car stands."""

    lot: Lot | None = None
    place: str = ""


@transaction.atomic
def put_on(
    *,
    boot: Boot,
    ticket: Ticket,
    actor: User,
    where: Where | None = None,
    photos: Sequence[NewDocument] = (),
    now: dt.datetime | None = None,
) -> Booting:
    """Put the boot on the ticket's car: the provider's rule is copied, the deposit asked, the person on file told.

    Raises NotAllowed with the reason, Stale when the boot or the ticket is taken at this very moment.
    """
    now = now or timezone.now()
    boot = lock_boot(boot.pk)
    rules.can_be_put_on(boot).or_raise()
    ticket = lock_ticket(ticket.pk)
    refuse_own(ticket, actor)
    policy = get_policy()
    rules.can_be_booted(ticket, policy).or_raise()
    where = where or Where(ticket.lot, ticket.place)
    advance(boot, BootStatus.ISSUED, table=BOOT_MOVES)
    booting = _write_booting(boot, ticket, policy, put_on_at=now, put_on_by=actor, lot=where.lot, place=where.place)
    booting.deposit = _ask_deposit(booting, policy, actor)
    booting.save(update_fields=["deposit"])
    path = reverse("boots:pay", args=[booting.pay_code])
    mark_booted(ticket, at=now, release_id=booting.pk, release_path=path)
    keep_photos(booting=booting, photos=photos, moment=PhotoMoment.PUT_ON, actor=actor)
    audit.record("boot.put_on", boot, actor=actor, on_behalf_of=ticket.person, ticket=ticket.number)
    emails.put_on(booting)
    return booting


def _write_booting(boot: Boot, ticket: Ticket, policy: BootPolicy, **facts: object) -> Booting:
    try:
        with transaction.atomic():
            return Booting.objects.create(
                boot=boot,
                ticket=ticket,
                requires_all=policy.requires_all,
                return_hours=policy.return_hours,
                reminder_hours=policy.reminder_hours,
                late_rule=policy.late_rule,
                late_hours=policy.late_hours,
                late_offence=policy.late_offence,
                lost_days=policy.lost_days,
                lost_offence=policy.lost_offence,
                **facts,
            )
    except IntegrityError as error:
        if "boots_booting_" not in str(error):
            raise
        raise Stale(_("This boot, or this ticket, was taken at this very moment. Please look again.")) from error


def _ask_deposit(booting: Booting, policy: BootPolicy, actor: User) -> Deposit | None:
    if not policy.deposit:
        return None
    return ask_deposit(
        person=booting.ticket.person,
        kind=DepositKind.BOOT,
        amount=policy.deposit,
        actor=actor,
        label=booting.ticket.number,
        about_kind=KIND,
        about_id=booting.pk,
    )
