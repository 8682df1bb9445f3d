"""What the pages about tickets share: tones, searching, and what names a ticket."""

from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _
from unfold.admin import ModelAdmin

from opscom.core.money import format_money
from opscom.provider.templatetags.portal import local_datetime
from vehicles.plates import normalise_plate
from violations.costing import due_at
from violations.models import AppealStatus, Ticket, TicketStatus
from violations.numbers import split_typed

TICKET_TONES = {
    TicketStatus.OPEN: "warning",
    TicketStatus.PAID: "success",
    TicketStatus.CANCELLED: "default",
    TicketStatus.SPOILED: "default",
    TicketStatus.COLLECTIONS: "danger",
}
APPEAL_TONES = {
    AppealStatus.SENT: "warning",
    AppealStatus.ASKED: "info",
    AppealStatus.UPHELD: "default",
    AppealStatus.REDUCED: "success",
    AppealStatus.CANCELLED: "success",
    AppealStatus.WITHDRAWN: "default",
}


class FindsByNumber(ModelAdmin):
    """A list with a search that takes numbers and plates with or without dashes, and a number also with its PIN."""

    # Where the row's ticket keeps its number.
    number_key = "ticket__number_key"

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> Any:
        key = normalise_plate(search_term)
        # Names have no digits; an e-mail address is searched as it is.
        if "@" in search_term or not any(character.isdigit() for character in key):
            return super().get_search_results(request, queryset, search_term)
        found, has_doubles = super().get_search_results(request, queryset, key)
        number, _pin = split_typed(search_term)
        return found | queryset.filter(**{self.number_key: number}), has_doubles


def describe(ticket: Ticket) -> list[tuple[Any, Any]]:
    """Return what names a ticket on a page that asks."""
    return [
        (_("Ticket"), ticket.number),
        (_("Offence"), ticket.offence),
        (_("Vehicle"), ticket.vehicle_label),
        (_("When"), local_datetime(ticket.occurred_at)),
        (_("Person"), ticket.person or "-"),
        (_("Costs now"), format_money(due_at(ticket))),
    ]
