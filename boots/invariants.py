"""What must always be true of boots. Each function yields one sentence for each thing that is not."""

import datetime as dt
from collections.abc import Iterator

from django.db.models import Q
from django.utils import timezone

from boots.locking import KIND
from boots.models import OUT, Boot, Booting, BootStatus, Ending
from boots.schedule import next_step
from payments.models import DepositStatus, LineStatus, OrderLine
from violations.models import Ticket

# The beat looks every minute.
LATE_AFTER = dt.timedelta(hours=6)


def check_boots() -> Iterator[str]:
    """Yield every broken rule of boots and their time on cars."""
    yield from _boots_stand_as_their_time_says()
    yield from _tickets_know_their_boot()
    yield from _paid_means_released()
    yield from _deposits_are_decided()
    yield from _steps_are_taken()


def _boots_stand_as_their_time_says() -> Iterator[str]:
    running = {booting.boot_id: booting for booting in Booting.objects.running()}
    for boot in Boot.objects.iterator():
        booting = running.get(boot.pk)
        if (boot.status in OUT) != (booting is not None):
            yield f"Boot {boot.serial} is {boot.status}, and {'on a car' if booting else 'on none'}."
        elif booting and (boot.status == BootStatus.ISSUED) != (booting.released_at is None):
            yield f"Boot {boot.serial} is {boot.status}, and its release says otherwise."


def _tickets_know_their_boot() -> Iterator[str]:
    on = {booting.ticket_id: booting.pk for booting in Booting.objects.unreleased()}
    for ticket in Ticket.objects.filter(Q(release_id__isnull=False) | Q(pk__in=on)).iterator():
        if ticket.release_id != on.get(ticket.pk) or not ticket.booted_at:
            yield f"Ticket {ticket.number} does not say truly whether a boot is on."


def _paid_means_released() -> Iterator[str]:
    lines = OrderLine.objects.filter(kind=KIND, status=LineStatus.FULFILLED)
    for line in lines.iterator():
        if not Booting.objects.filter(pk=line.object_id, line=line).exists():
            yield f"Line {line.pk} paid for the release of a boot that was not released by it."


def _deposits_are_decided() -> Iterator[str]:
    over = Booting.objects.filter(ended_at__isnull=False).select_related("boot", "deposit")
    for booting in over.filter(deposit__status=DepositStatus.HELD).iterator():
        yield f"The deposit for boot {booting.boot} is held, and its time on the car is over."
    owed = over.filter(deposit__status=DepositStatus.DUE).exclude(ending=Ending.RETURNED)
    for booting in owed.iterator():
        yield f"A deposit for boot {booting.boot} is still asked, and its time on the car is over."


def _steps_are_taken() -> Iterator[str]:
    limit = timezone.now() - LATE_AFTER
    for booting in Booting.objects.running().filter(released_at__isnull=False).select_related("boot").iterator():
        if booting.next_step_at is None or booting.next_step_at > next_step(booting).at:
            yield f"Nobody will look at boot {booting.boot} when it is due."
        elif booting.next_step_at < limit:
            yield f"What was to be done about boot {booting.boot} at {booting.next_step_at} is not done."
