"""Tickets give no right to park; what is open keeps its vehicle on the account, and what is linked stands in the list."""

import datetime as dt
from collections.abc import Iterator

from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from accounts.models import User
from opscom.provider.models import Lot
from opscom.provider.selectors import local_date
from vehicles.entitlements import Entitlement, LinkedVehicle
from vehicles.models import Vehicle
from vehicles.regions import region_name
from violations.models import Association, Ticket


class TicketEntitlements:
    """The source `ticket`."""

    kind = "ticket"

    def find(self, *, plate_key: str, region: str, lot: Lot, at: dt.datetime) -> Iterator[Entitlement]:
        """Yield nothing."""
        yield from ()

    def has_live(self, *, vehicle: Vehicle, owner: User | None) -> bool:
        """Say whether an unpaid ticket of the owner (of anybody) is about the vehicle."""
        tickets = Ticket.objects.unpaid().filter(vehicle=vehicle)
        return (tickets.filter(person=owner) if owner else tickets).exists()

    def move_vehicle(self, *, owner: User, old: Vehicle, new: Vehicle) -> None:
        """Tickets and their history stay with the old plate."""

    def list_linked(self, *, owner: User) -> Iterator[LinkedVehicle]:
        """Yield what is linked to the person for an appeal."""
        for link in Association.objects.live().visible_to(owner).select_related("ticket"):
            yield LinkedVehicle(
                label=link.plate or link.ticket.vehicle_label,
                region_name=region_name(link.region) if link.region else "",
                note=explain_link(link),
                url=reverse("violations:ticket", args=[link.ticket.code]),
            )


def explain_link(link: Association) -> str:
    """Return why the vehicle stands in the list, and until when."""
    words = {"number": link.ticket.number}
    if link.is_kept:
        return _("linked for the appeal of %(number)s, until the office ends it") % words
    if link.ends_at is None:
        return _("linked for the appeal of %(number)s, until it is decided") % words
    day = date_format(local_date(link.ends_at - dt.timedelta(microseconds=1)), "DATE_FORMAT")
    return _("linked for the appeal of %(number)s, until %(day)s") % (words | {"day": day})
