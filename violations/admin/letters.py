"""What people were told about their tickets; what goes by letter is printed here."""

from typing import Any, cast

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext, override
from unfold.decorators import display

from accounts.models import User
from opscom.core.admin import QueueFilter, ReadOnlyAdmin
from payments.admin.shared import link_to
from violations import emails
from violations.admin.shared import FindsByNumber
from violations.models import ADDRESS_IS_COMPLETE, Notice, NoticeKind, NoticeWay
from violations.services.letters import mark_printed

MOST_LETTERS = 200


class LetterFilter(QueueFilter):
    """Letters that wait, by whether the post can deliver them."""

    title = _("letters")
    parameter_name = "letters"
    WAITING = Q(way=NoticeWay.LETTER, printed_at=None)
    first = (_("All"), Q())
    QUEUES = {
        "printable": (_("To be printed"), WAITING & ADDRESS_IS_COMPLETE),
        "unprintable": (_("Address incomplete"), WAITING & ~ADDRESS_IS_COMPLETE),
        "printed": (_("Printed"), Q(printed_at__isnull=False)),
    }


@admin.register(Notice)
class NoticeAdmin(FindsByNumber, ReadOnlyAdmin):
    """Each notice, once; the action prints letters, and a second step says that they were printed."""

    list_display = ["ticket_link", "kind", "way", "owner", "address", "made_at", "printed_at"]
    list_filter = [LetterFilter, "kind", "way", "made_at"]
    list_select_related = ["ticket__person"]
    ordering = ["-made_at", "-pk"]
    search_fields = ["ticket__number_key", "ticket__person__last_name"]
    search_help_text = _("Ticket number or last name")
    fields = ["ticket_link", "kind", "way", "owner", "address", "made_at", "printed_at", "printed_by"]
    readonly_fields = fields
    actions = ["print_letters"]

    @display(description=_("ticket"), ordering="ticket__number")
    def ticket_link(self, notice: Notice) -> SafeString | str:
        return link_to(notice.ticket)

    @display(description=_("person"), ordering="ticket__person__last_name")
    def owner(self, notice: Notice) -> SafeString | str:
        return link_to(notice.ticket.person)

    @display(description=_("address"))
    def address(self, notice: Notice) -> str:
        return ", ".join(address_lines(notice.ticket.person)) or "-"

    def has_print_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("violations.change_notice")

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.printed)
        return [path("printed/", view, name="violations_notice_printed"), *super().get_urls()]

    @admin.action(description=_("Print letters"), permissions=["print"])
    def print_letters(self, request: HttpRequest, queryset: QuerySet[Notice]) -> HttpResponse | None:
        """Show the letters for printing; those without a complete address, and e-mails, are left out."""
        rows = queryset.filter(ADDRESS_IS_COMPLETE, way=NoticeWay.LETTER).select_related(
            "ticket__person", "ticket__offence", "ticket__lot"
        )
        found = list(rows.prefetch_related("ticket__appeals").order_by("pk")[:MOST_LETTERS])
        if not found:
            messages.error(request, _("None of these is a letter with a complete address."))
            return None
        context = {"letters": [write_letter(notice) for notice in found], "title": _("Letters")}
        return TemplateResponse(request, "violations/admin/letters.html", context)

    def printed(self, request: HttpRequest) -> HttpResponse:
        """Note that letters were printed; a second time nothing changes."""
        if request.method != "POST" or not self.has_print_permission(request):
            raise PermissionDenied
        numbers = [int(pk) for pk in request.POST.getlist("notice") if pk.isdecimal()]
        count = mark_printed(notice_ids=numbers, actor=cast(User, request.user))
        messages.success(request, ngettext("%d letter is printed.", "%d letters are printed.", count) % count)
        return redirect("admin:violations_notice_changelist")


def address_lines(person: User | None) -> list[str]:
    """Return the lines of the address, those that are empty left out."""
    if person is None:
        return []
    street = f"{person.street} {person.unit}".strip()
    town = " ".join(filter(None, [person.city, person.region, person.postal_code]))
    return [line for line in (street, town, person.country) if line]


def write_letter(notice: Notice) -> dict[str, Any]:
    """Return one letter in its receiver's language."""
    person = notice.ticket.person
    language = person.language if person else "en"
    with override(language):
        return {
            "notice": notice,
            "language": language,
            "name": str(person or ""),
            "address": address_lines(person),
            "is_past_due": notice.kind == NoticeKind.PAST_DUE,
            "is_discount": notice.kind == NoticeKind.DISCOUNT_ENDS,
            **emails.about(notice.ticket),
        }
