"""Tickets: issue, look at, spoil, cancel, lower, take back from collections, enter an appeal on paper."""

from typing import Any, cast

import segno
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_post_parameters
from unfold.decorators import action, display

from accounts.models import User
from opscom.core.admin import ReadOnlyAdmin, change_page, posted, posted_files, render_ask_page
from opscom.core.errors import DomainError
from opscom.core.money import format_money
from opscom.provider.selectors import get_provider
from payments.admin.shared import AsksOffice, link_to
from vehicles.forms import initial_of
from violations import emails
from violations.admin.forms import IssueForm, LowerForm, PaperAppealForm, ReasonForm, ReasonWithPasswordForm
from violations.admin.shared import (
    TICKET_TONES,
    FindsByNumber,
    describe,
)
from violations.costing import cost_line, deadlines_of, due_at
from violations.models import Ticket, TicketPhoto, TicketStatus
from violations.services import collecting, deciding, lowering
from violations.services.issuing import find_objections, issue_ticket
from violations.views.files import send_file

T = TicketStatus
OFFERED: dict[str, set[str]] = {
    T.OPEN: {"paper", "spoil", "cancel", "lower", "enter_appeal"},
    T.PAID: {"paper", "cancel", "enter_appeal"},
    T.COLLECTIONS: {"paper", "cancel", "recall"},
}


@admin.register(Ticket)
class TicketAdmin(FindsByNumber, AsksOffice, ReadOnlyAdmin):
    """All tickets. The PIN stands on the ticket's own page only, for those who may issue tickets."""

    list_display = ["number", "plate_shown", "owner", "offence", "lot", "costs", "state", "occurred_at"]
    list_filter = ["status", "is_warning", "offence", "lot", "occurred_at"]
    list_select_related = ["person", "offence", "lot"]
    search_fields = ["number_key", "plate_key", "=vin", "person__last_name", "person__first_name", "person__email"]
    search_help_text = _("Ticket number, plate, VIN, person's name or e-mail")
    number_key = "number_key"
    fields = ["number", "status", "offence", "plate_shown", "region_shown", "owner", "lot", "place", "occurred_at"]
    fields += ["issued_at", "officer", "badge", "is_warning", "nth", "costs", "closed_at", "closing_reason", "notes"]
    readonly_fields = fields
    actions_detail = ["paper", "enter_appeal", "lower", "cancel", "spoil", "recall"]
    change_form_outer_after_template = "violations/admin/_ticket.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Ticket]:
        rows: QuerySet[Ticket] = super().get_queryset(request)
        return rows.prefetch_related("appeals")

    @display(description=_("vehicle"), ordering="plate_key")
    def plate_shown(self, ticket: Ticket) -> str:
        return ticket.vehicle_label

    @display(description=_("state/province"))
    def region_shown(self, ticket: Ticket) -> str:
        return ticket.region_name or "-"

    @display(description=_("person"), ordering="person__last_name")
    def owner(self, ticket: Ticket) -> SafeString | str:
        return link_to(ticket.person)

    @display(description=_("status"), ordering="status", label=TICKET_TONES)
    def state(self, ticket: Ticket) -> tuple[str, str]:
        return ticket.status, ticket.get_status_display()

    @display(description=_("to pay now"))
    def costs(self, ticket: Ticket) -> str:
        return format_money(due_at(ticket))

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("violations.add_ticket")

    def has_paper_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("violations.add_ticket")

    def has_spoil_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("violations.spoil_ticket")

    def has_adjust_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("violations.adjust_ticket")

    def has_enter_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("violations.add_appeal")

    def has_recall_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("violations.change_collectionexport")

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        ticket = Ticket.objects.filter(pk=object_id).first()
        offered = OFFERED.get(ticket.status, set()) if ticket else set()
        if ticket and not ticket.offence.is_adjustable:
            offered = offered - {"lower"}
        return [one for one in super().get_actions_detail(request, object_id) if one.method.__name__ in offered]

    def get_urls(self) -> list[URLPattern]:
        photo = path("photo/<slug:file_code>/", self.admin_site.admin_view(self.photo), name="violations_ticket_photo")
        return [photo, *super().get_urls()]

    def photo(self, request: HttpRequest, file_code: str) -> HttpResponseBase:
        """Hand a photo out, or with `?small` its thumbnail."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        return send_file(get_object_or_404(TicketPhoto, code=file_code), small="small" in request.GET)

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        if object_id is None:
            return self._issue(request)
        found = self.get_queryset(request).filter(pk=unquote(object_id)).first()
        may_see_pin = request.user.has_perm("violations.add_ticket")
        panel = {**describe_panel(found), "may_see_pin": may_see_pin} if found else {}
        return cast(
            HttpResponse, super().changeform_view(request, object_id, form_url, {**(extra_context or {}), **panel})
        )

    def _issue(self, request: HttpRequest) -> HttpResponse:
        """`Issue a ticket`: what speaks against it is shown first, and must be confirmed."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        is_sent = request.method == "POST"
        form = IssueForm(
            posted(request),
            posted_files(request),
            initial={**initial_of(None, get_provider()), "occurred_at": timezone.now()},
        )
        objections: list[str] = []
        if is_sent and form.is_valid():
            try:
                data = form.to_data()
                objections = [] if form.cleaned_data["confirmed"] else find_objections(data)
                if not objections:
                    ticket = issue_ticket(data=data, officer=cast(User, request.user), photos=form.photos_to_keep)
                    messages.success(request, gettext("Ticket %(number)s is issued.") % {"number": ticket.full_number})
                    return redirect(change_page(ticket))
            except DomainError as error:
                form.add_error(None, str(error))
        if objections:
            form = IssueForm(request.POST, asks_to_confirm=True)
            # Browsers keep no chosen files.
            objections += [gettext("Please choose the photos again.")] if request.FILES else []
        back = reverse("admin:violations_ticket_changelist")
        return render_ask_page(
            self, request, title=_("Issue a ticket"), form=form, submit=_("Issue"), back=back,
            warning=" ".join(objections),
        )  # fmt: skip

    @action(description=_("Print the ticket"), url_path="paper", permissions=["paper"], icon="print")
    def paper(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Show the ticket as it is put on a windshield: with its PIN, and the QR code that opens the guest's page."""
        ticket = find(object_id)
        link = settings.SITE_URL + reverse("guest:ticket", args=[ticket.pay_code])
        qr = segno.make(link, error="m").svg_data_uri(scale=4)
        context = {"ticket": ticket, "about": emails.about(ticket), "qr": qr, "back": change_page(ticket)}
        return TemplateResponse(request, "violations/admin/paper.html", context)

    @method_decorator(sensitive_post_parameters("password", "code"))
    @action(description=_("Cancel the ticket"), url_path="cancel", permissions=["spoil"], icon="block")
    def cancel(self, request: HttpRequest, object_id: str) -> HttpResponse:
        ticket = find(object_id)
        return self.ask_then(
            request,
            ticket,
            ReasonWithPasswordForm,
            lambda who, values: lowering.cancel_ticket(ticket=ticket, reason=values["reason"], actor=who),
            _("The ticket is cancelled."),
            title=_("Cancel the ticket"),
            facts=describe(ticket),
            warning=gettext("The fine is not asked for any more; what was paid goes back. This cannot be undone."),
            submit=gettext("Cancel the ticket"),
        )

    @action(description=_("Spoil"), url_path="spoil", permissions=["spoil"], icon="delete_sweep")
    def spoil(self, request: HttpRequest, object_id: str) -> HttpResponse:
        ticket = find(object_id)
        return self.ask_plain(
            request,
            ticket,
            ReasonForm(posted(request)),
            lambda who, values: lowering.spoil_ticket(ticket=ticket, reason=values["reason"], actor=who),
            _("The ticket is void."),
            title=_("Void a ticket that was written by mistake"),
            facts=describe(ticket),
            is_danger=True,
            warning=gettext("A void ticket counts for nothing, and for no repeat offence. This cannot be undone."),
            submit=gettext("Spoil"),
        )

    @action(description=_("Lower the fine"), url_path="lower", permissions=["adjust"], icon="price_change")
    def lower(self, request: HttpRequest, object_id: str) -> HttpResponse:
        ticket = find(object_id)
        return self.ask_plain(
            request,
            ticket,
            LowerForm(posted(request)),
            lambda who, values: lowering.adjust_ticket(ticket=ticket, actor=who, **values),
            _("The ticket costs less now."),
            title=_("Lower the fine"),
            facts=describe(ticket),
            submit=gettext("Lower the fine"),
        )

    @action(description=_("Take back from collections"), url_path="recall", permissions=["recall"], icon="undo")
    def recall(self, request: HttpRequest, object_id: str) -> HttpResponse:
        ticket = find(object_id)
        return self.ask_plain(
            request,
            ticket,
            ReasonForm(posted(request)),
            lambda who, values: collecting.recall_ticket(ticket=ticket, reason=values["reason"], actor=who),
            _("The ticket is open again."),
            title=_("Take back from collections"),
            facts=describe(ticket),
            submit=gettext("Take back"),
        )

    @action(description=_("Enter an appeal"), url_path="enter-appeal", permissions=["enter"], icon="post_add")
    def enter_appeal(self, request: HttpRequest, object_id: str) -> HttpResponse:
        ticket = find(object_id)
        form = PaperAppealForm(posted(request), posted_files(request), ticket=ticket)
        return self.ask_plain(
            request,
            ticket,
            form,
            lambda who, values: deciding.enter_appeal(
                ticket=ticket, paper=paper_of(form), actor=who, files=values["enclosed"]
            ),
            _("The appeal is entered. It stands in the queue."),
            title=_("Enter an appeal that came on paper"),
            facts=describe(ticket),
            submit=gettext("Enter"),
        )


def paper_of(form: PaperAppealForm) -> deciding.PaperAppeal:
    """Return what was typed as the service takes it."""
    values = form.cleaned_data
    return deciding.PaperAppeal(
        appellant=values["appellant"],
        reason=values["reason"],
        received_on=values["received_on"],
        person=form.person,
        email=form.address,
        language=values["language"],
        late_reason=values["late_reason"],
    )


def find(object_id: str) -> Ticket:
    """Return the ticket, or answer 404."""
    return get_object_or_404(Ticket.objects.select_related("person", "lot").with_reviews(), pk=object_id)


def describe_panel(ticket: Ticket) -> dict[str, Any]:
    """Return what stands below a ticket's facts: what it costs and when, photos, appeals, what was told."""
    return {
        "ticket": ticket,
        "line": [] if ticket.is_warning else cost_line(ticket),
        "deadlines": deadlines_of(ticket),
        "photos": ticket.photos.all(),
        "appeals": ticket.appeals.select_related("person"),
        "notices": ticket.notices.all(),
    }
