"""Reads about boots that pages and payments need: the rule, and what has to be paid before a code goes out."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Q, QuerySet

from boots.models import Boot, Booting, BootPicture, BootPolicy, DropOffPlace
from opscom.core.money import ZERO
from opscom.provider.selectors import get_provider
from payments.models import DepositStatus, OrderLine
from payments.services.orders import explain_promised, promised_orders
from violations.costing import cost_at
from violations.models import UNPAID, Ticket
from violations.rules import payment_lock
from violations.services.locking import KIND as TICKET


def get_policy() -> BootPolicy:
    """Return the provider's rule; the safe defaults while the office has saved none."""
    return BootPolicy.objects.select_related("late_offence", "lost_offence").first() or BootPolicy(pk=1)


def drop_off_places() -> QuerySet[DropOffPlace]:
    """Return where boots are taken back."""
    return DropOffPlace.objects.filter(is_active=True)


def pictures() -> list[BootPicture]:
    """Return the pictures of how a boot comes off."""
    return list(BootPicture.objects.all())


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A ticket that need not be paid for the release, because it cannot be paid now."""

    ticket: Ticket
    amount: Decimal
    reason: str


@dataclass(frozen=True, slots=True)
class Outstanding:
    """What has to be paid for tickets before the code goes out, and what is left out, and why."""

    required: list[Ticket]
    left_out: list[LeftOut]


def outstanding(booting: Booting, payer: Any) -> Outstanding:
    """Return what this payer (None: a guest) pays for tickets; only what can be paid now is asked.

    The ticket that the boot is for, and where the rule says so all others of the plate, or of the account.
    """
    return outstanding_of([booting], payer)[booting.pk]


def outstanding_of(bootings: Collection[Booting], payer: Any) -> dict[int, Outstanding]:
    """Return `outstanding` of each of these, by its key, with as many queries as for one."""
    if not bootings:
        # Most carts hold no boot: they cost no query.
        return {}
    tickets = list(_candidates(bootings, payer).with_reviews().order_by("issued_at", "pk"))
    keys = [ticket.pk for ticket in tickets]
    paid = set(
        OrderLine.objects.filter(kind=TICKET, object_id__in=keys, settled=True).values_list("object_id", flat=True)
    )
    promised = set(promised_orders(TICKET, keys).values_list("object_id", flat=True))
    found = {booting.pk: Outstanding([], []) for booting in bootings}
    for ticket in tickets:
        amount = cost_at(ticket)
        if ticket.pk in paid or amount <= ZERO:
            continue
        reason = explain_promised() if ticket.pk in promised else payment_lock(ticket)
        for booting in bootings:
            if not _is_asked(ticket, booting):
                continue
            if reason:
                found[booting.pk].left_out.append(LeftOut(ticket, amount, reason))
            else:
                found[booting.pk].required.append(ticket)
    return found


def _candidates(bootings: Collection[Booting], payer: Any) -> Any:
    wanted = Q(pk__in=[booting.ticket_id for booting in bootings])
    for ticket in [booting.ticket for booting in bootings if booting.requires_all]:
        wanted |= Q(plate_key=ticket.plate_key, region=ticket.region) if ticket.plate_key else Q(vin=ticket.vin)
        wanted |= Q(person=ticket.person_id) if ticket.person_id else Q(pk__in=[])
    payable = Ticket.objects.unpaid() if payer is None else Ticket.objects.payable_by(payer)
    return payable.filter(wanted)


def _is_asked(ticket: Ticket, booting: Booting) -> bool:
    """Say whether the rule of this boot asks for this ticket: the same as `_candidates` of it alone."""
    booted = booting.ticket
    if ticket.pk == booted.pk:
        return True
    if not booting.requires_all:
        return False
    if booted.person_id and ticket.person_id == booted.person_id:
        return True
    if booted.plate_key:
        return (ticket.plate_key, ticket.region) == (booted.plate_key, booted.region)
    return ticket.vin == booted.vin


def must_pay_with(bootings: Collection[Booting], payer: Any) -> dict[int, list[tuple[str, int]]]:
    """Return, by the booting's key, the things (kind and id) without which its boot is not released to this payer."""
    found = outstanding_of(bootings, payer)
    things = {pk: [(TICKET, ticket.pk) for ticket in one.required] for pk, one in found.items()}
    for booting in bootings:
        deposit = booting.deposit
        if deposit and deposit.status == DepositStatus.DUE:
            things[booting.pk].append(("deposit", deposit.pk))
    return things


def releasable(booting_ids: Collection[int] | None, payer: Any) -> QuerySet[Booting]:
    """Return those whose release this payer may pay for: a guest any, to whom a page has shown it; else one's own."""
    rows = Booting.objects.unreleased().select_related("boot", "ticket", "deposit")
    if booting_ids is not None:
        rows = rows.filter(pk__in=booting_ids)
    if payer is None:
        return rows
    mine = Q(ticket__person=payer) | Q(ticket__in=Ticket.objects.payable_by(payer))
    return rows.filter(mine)


def unclaimed(payer: Any) -> QuerySet[Booting]:
    """Return the payer's boots whose tickets are not to be paid any more: only their code, and a deposit, are due.

    Where no boots are put on, nobody's cart is asked for them; the sticker leads there all the same.
    """
    if not get_provider().is_boots_on:
        return Booting.objects.none()
    mine = Booting.objects.unreleased().filter(ticket__person=payer).exclude(ticket__status__in=UNPAID)
    return mine.select_related("boot", "ticket", "deposit")


# What the office's scanner reads from a sticker: the whole address, whose end is the tag.
STICKER = re.compile(r"/boot/([A-Za-z0-9]+)/?\s*$")


def find_boot(typed: str) -> Boot | None:
    """Return the boot behind what somebody typed or scanned: its serial number, its sticker's address, or the tag in it."""
    text = typed.replace("\0", "").strip()
    scanned = STICKER.search(text)
    tag = (scanned[1] if scanned else text).upper()
    return Boot.objects.filter(Q(serial__iexact=text) | Q(tag=tag)).first()
