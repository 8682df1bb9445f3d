"""What the pages about tickets share: tones, links, the question before a deed, and files."""

from collections.abc import Callable
from typing import Any, cast

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from unfold.admin import ModelAdmin

from accounts.models import User
from opscom.core.admin import change_page, render_ask_page
from opscom.core.money import format_money
from opscom.provider.templatetags.portal import local_datetime
from payments.admin.shared import AsksFirst, did
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


def link_to(row: Any, label: Any = None) -> SafeString | str:
    """Return a link to the office's page about the record; a dash for none."""
    if row is None:
        return "-"
    return format_html('<a class="office-link" href="{}">{}</a>', change_page(row), label or row)


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


class AsksOffice(AsksFirst):
    """Asks before a deed; a plain form where nothing but words is needed."""

    def ask_plain(
        self,
        request: HttpRequest,
        obj: Any,
        form: forms.Form,
        deed: Callable[[User, Any], Any],
        done: Any,
        **context: Any,
    ) -> HttpResponse:
        """Show the bound or unbound form; when it is right do the deed, say so and go back to the record."""
        back = change_page(obj)
        person = cast(User, request.user)
        if form.is_bound and form.is_valid() and did(form, lambda who: deed(who, form.cleaned_data), person):
            messages.success(request, done)
            return redirect(back)
        return render_ask_page(cast(ModelAdmin, self), request, form=form, original=obj, back=back, **context)
