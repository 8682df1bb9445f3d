"""A vehicle is linked to somebody who appeals one of its tickets, for as long as that takes."""

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.selectors import require_proved
from accounts.services.people import lock_person
from opscom.core import audit
from opscom.core.errors import NotAllowed
from opscom.provider.selectors import get_provider, local_date
from violations.costing import deadlines_of
from violations.models import Appeal, Association, Ticket
from violations.rules import can_be_appealed
from violations.services.locking import lock_ticket


@transaction.atomic
def associate(*, ticket: Ticket, person: User) -> Association:
    """Link the ticket's vehicle to the person until the days to appeal are over; twice is once.

    Who calls it has seen the PIN. Raises NotAllowed when the ticket cannot be appealed, or the address is not proved.
    """
    person = lock_person(person)
    ticket = lock_ticket(ticket.pk)
    require_proved(person, "appeal").or_raise()
    now = timezone.now()
    if ticket.person_id == person.pk:
        raise NotAllowed(_("This ticket is on your own account already: find it under Appeals."))
    is_first = not ticket.associations.exists()
    if get_provider().restarts_appeal_on_association and is_first and ticket.appeal_from is None:
        ticket.appeal_from = local_date(now)
    can_be_appealed(ticket).or_raise()
    Ticket.objects.filter(pk=ticket.pk).update(appeal_from=ticket.appeal_from)
    link, is_new = Association.objects.get_or_create(
        person=person,
        ticket=ticket,
        defaults={
            "plate": ticket.plate,
            "plate_key": ticket.plate_key,
            "region": ticket.region,
            "began_at": now,
            "ends_at": deadlines_of(ticket).appeal_ends_at,
        },
    )
    if is_new:
        audit.record("vehicle.linked", ticket, actor=person)
    elif link.ends_at is not None and link.ends_at <= now:
        # What was issued while it was not linked is not shown either.
        Association.objects.filter(pk=link.pk).update(began_at=now, ends_at=deadlines_of(ticket).appeal_ends_at)
        link.refresh_from_db()
    return link


def hold_link(appeal: Appeal) -> None:
    """The appeal is sent: the link lasts until it ends. The caller holds the ticket's lock."""
    Association.objects.filter(ticket=appeal.ticket_id, person=appeal.person_id).update(ends_at=None)


def end_link(appeal: Appeal, *, keep: bool = False) -> None:
    """The appeal has ended, and with it the link, unless the office keeps it. The caller holds the ticket's lock."""
    links = Association.objects.filter(ticket=appeal.ticket_id, person=appeal.person_id, is_kept=False)
    if keep:
        links.update(is_kept=True, ends_at=None)
    else:
        links.update(ends_at=timezone.now())


@transaction.atomic
def end_kept_link(*, link: Association, actor: User) -> None:
    """The office ends a link; a second time nothing happens."""
    ticket = lock_ticket(link.ticket_id)
    if Association.objects.live().filter(pk=link.pk).update(ends_at=timezone.now(), is_kept=False):
        audit.record("vehicle.unlinked", ticket, actor=actor, person=str(link.person))
