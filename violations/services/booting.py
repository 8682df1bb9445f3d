"""That a boot is on a ticket's car: what apps above tell the ticket, so that its pages and its payment know."""

import datetime as dt

from violations.models import Ticket
from violations.services.locking import lock_ticket

# What releases the boot, in the cart.
RELEASE_KIND = "boot"


def mark_booted(ticket: Ticket, *, at: dt.datetime, release_id: int, release_path: str) -> None:
    """Note on the locked ticket that a boot is on; it is paid together with the release, on the page that is named."""
    Ticket.objects.filter(pk=ticket.pk).update(booted_at=at, release_id=release_id, release_path=release_path)
    ticket.booted_at, ticket.release_id, ticket.release_path = at, release_id, release_path


def mark_free(ticket_id: int) -> None:
    """Note that the boot is off, or may be taken off: the ticket is as any other again."""
    ticket = lock_ticket(ticket_id)
    Ticket.objects.filter(pk=ticket.pk).update(booted_at=None, release_id=None, release_path="")
