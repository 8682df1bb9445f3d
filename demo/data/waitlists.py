"""A full lot with people in line, one of whom has an offer: made by the services that people and the clock use."""

from accounts.models import User
from permits.models import Permit, PermitStatus, Sale
from permits.services.ending import end_early
from permits.services.promoting import promote
from permits.services.waiting import join_waitlist

# Who waits for the Library Lot, in the order of joining; the first is offered the number that comes free.
IN_LINE = [3, 9, 0, 11, 16]


def make_waitlists(people: list[User], sale: Sale, office: User) -> None:
    """Let people join the full lot's list, and one of its holders leave."""
    for number in IN_LINE:
        person = people[number]
        ownership = person.ownerships.order_by("pk").first()
        join_waitlist(person=person, sale=sale, vehicle=ownership.vehicle if ownership else None)
    holder = Permit.objects.filter(sale=sale, status=PermitStatus.ACTIVE).order_by("pk").last()
    if holder:
        end_early(permit=holder, actor=office, reason="Leaves the university.")
        promote(sale.pk)
