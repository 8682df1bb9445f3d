"""The queue of appeals, the oldest first, and the decision about each."""

from collections.abc import Callable
from typing import Any, cast

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.formats import date_format
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_post_parameters
from unfold.decorators import action, display

from accounts.models import User
from opscom.core.admin import QueueFilter, ReadOnlyAdmin, posted
from opscom.core.money import format_money
from opscom.provider.selectors import local_date
from payments.admin.shared import AsksOffice, link_to
from vehicles.entitlements import find_entitlements
from violations.admin.forms import AskForm, DecideForm, DecideWithPasswordForm
from violations.admin.shared import APPEAL_TONES, FindsByNumber, describe
from violations.costing import cost_line, deadlines_of
from violations.look_alikes import near_rights
from violations.models import UNDER_REVIEW, Appeal, AppealStatus, Association, Evidence, Ticket, TicketStatus
from violations.services import deciding
from violations.services.files import note_opening
from violations.views.files import send_file

A = AppealStatus
HISTORY_SHOWN = 10


class AppealQueue(QueueFilter):
    """Whom an appeal waits for. Without a choice: the office."""

    first = (_("To be decided"), Q(status=A.SENT))
    QUEUES = {
        "asked": (_("Waiting for an answer"), Q(status=A.ASKED)),
        "closed": (_("Closed"), ~Q(status__in=UNDER_REVIEW)),
        "all": (_("All"), Q()),
    }


@admin.register(Appeal)
class AppealAdmin(FindsByNumber, AsksOffice, ReadOnlyAdmin):
    """What people appeal. The page shows ticket, rights to park, reasons and history side by side."""

    list_display = ["ticket_number", "who", "offence", "sent_at", "waiting", "cost", "state"]
    list_filter = [AppealQueue, "sent_at"]
    list_select_related = ["ticket__offence", "person"]
    ordering = ["sent_at", "pk"]
    search_fields = ["ticket__number_key", "ticket__plate_key", "person__last_name", "person__email", "appellant"]
    search_help_text = _("Ticket number, plate, name or e-mail")
    fields = ["ticket_link", "owner", "status", "sent_at", "received_on", "entered_by", "late_reason", "cost"]
    fields += ["decided_cost", "response", "closed_at", "decided_by"]
    readonly_fields = fields
    actions_detail = ["uphold", "reduce", "grant", "ask"]
    # What is decided upon stands above the record of the appeal itself.
    change_form_outer_before_template = "violations/admin/_appeal.html"

    @display(description=_("ticket"), ordering="ticket__number")
    def ticket_number(self, appeal: Appeal) -> str:
        return appeal.ticket.number

    @display(description=_("ticket"))
    def ticket_link(self, appeal: Appeal) -> SafeString | str:
        return link_to(appeal.ticket)

    @display(description=_("offence"))
    def offence(self, appeal: Appeal) -> str:
        return str(appeal.ticket.offence)

    @display(description=_("who appeals"))
    def who(self, appeal: Appeal) -> str:
        return appeal.who

    @display(description=_("who appeals"))
    def owner(self, appeal: Appeal) -> SafeString | str:
        return link_to(appeal.person, appeal.who) if appeal.person else appeal.who

    @display(description=_("waiting, days"), ordering="sent_at")
    def waiting(self, appeal: Appeal) -> int:
        until = appeal.review_until or local_date()
        return (until - appeal.review_from).days

    @display(description=_("received"), ordering="review_from")
    def received_on(self, appeal: Appeal) -> str:
        return date_format(appeal.review_from, "DATE_FORMAT")

    @display(description=_("cost when it was sent"), ordering="amount_before")
    def cost(self, appeal: Appeal) -> str:
        return format_money(appeal.amount_before)

    @display(description=_("cost as decided"))
    def decided_cost(self, appeal: Appeal) -> str:
        return "-" if appeal.amount_after is None else format_money(appeal.amount_after)

    @display(description=_("state"), ordering="status", label=APPEAL_TONES)
    def state(self, appeal: Appeal) -> tuple[str, str]:
        return appeal.status, appeal.get_status_display()

    def has_decide_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("violations.change_appeal")

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        appeal = Appeal.objects.select_related("ticket").filter(pk=object_id).first()
        hidden = set()
        if appeal is None or not appeal.is_under_review:
            return []
        if appeal.status == A.ASKED:
            hidden.add("ask")
        if appeal.ticket.is_warning:
            hidden.add("reduce")
        return [one for one in super().get_actions_detail(request, object_id) if one.method.__name__ not in hidden]

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.evidence)
        return [path("evidence/<slug:file_code>/", view, name="violations_appeal_evidence"), *super().get_urls()]

    def evidence(self, request: HttpRequest, file_code: str) -> HttpResponseBase:
        """Hand a file out to those who may see evidence; who opened it whole stands in the log."""
        if not request.user.has_perm("violations.view_evidence"):
            raise PermissionDenied
        found = get_object_or_404(Evidence.objects.select_related("ticket"), code=file_code, appeal__isnull=False)
        is_small = "small" in request.GET
        response = send_file(found, small=is_small)
        if not is_small:
            note_opening(evidence=found, actor=cast(User, request.user))
        return response

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        rows = Appeal.objects.select_related("ticket__offence", "ticket__lot", "ticket__person", "person")
        found = rows.filter(pk=unquote(object_id)).first() if object_id else None
        panel = describe_panel(found) if found and self.has_view_permission(request) else {}
        may_see = {"may_see_evidence": request.user.has_perm("violations.view_evidence")}
        context = {**(extra_context or {}), **panel, **may_see}
        return cast(HttpResponse, super().changeform_view(request, object_id, form_url, context))

    @method_decorator(sensitive_post_parameters("password", "code"))
    @action(description=_("Uphold"), url_path="uphold", permissions=["decide"], icon="gavel")
    def uphold(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._decide(request, object_id, A.UPHELD, _("Uphold the ticket"))

    @method_decorator(sensitive_post_parameters("password", "code"))
    @action(description=_("Reduce"), url_path="reduce", permissions=["decide"], icon="price_change")
    def reduce(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._decide(request, object_id, A.REDUCED, _("Reduce the ticket"))

    @method_decorator(sensitive_post_parameters("password", "code"))
    @action(description=_("Cancel the ticket"), url_path="grant", permissions=["decide"], icon="block")
    def grant(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._decide(request, object_id, A.CANCELLED, _("Cancel the ticket"))

    @action(description=_("Ask for more"), url_path="ask", permissions=["decide"], icon="help")
    def ask(self, request: HttpRequest, object_id: str) -> HttpResponse:
        appeal = find(object_id)
        form = AskForm(posted(request))
        return self.ask_plain(
            request,
            appeal,
            form,
            lambda who, values: deciding.ask_appellant(appeal=appeal, text=form.answer(appeal.language), actor=who),
            _("The question is sent."),
            title=_("Ask for more"),
            facts=describe(appeal.ticket),
            submit=gettext("Send the question"),
        )

    def _decide(self, request: HttpRequest, object_id: str, to: AppealStatus, title: Any) -> HttpResponse:
        """Ask for the words, the sum of a reduction and, where money goes back, the password; then decide."""
        appeal = find(object_id)
        # Only what lowers a paid ticket moves money.
        is_paid = appeal.ticket.status == TicketStatus.PAID and to != A.UPHELD
        has_link = Association.objects.live().filter(ticket=appeal.ticket, person=appeal.person, is_kept=False).exists()
        kind: Callable[..., Any] = DecideWithPasswordForm if is_paid else DecideForm
        more = {"request": request} if is_paid else {}
        form = kind(posted(request), has_amount=to == A.REDUCED, has_link=has_link, **more)
        return self.ask_plain(
            request,
            appeal,
            form,
            lambda who, values: deciding.decide_appeal(
                appeal=appeal,
                decision=to,
                response=form.answer(appeal.language),
                actor=who,
                amount=values.get("amount"),
                keep_link=values.get("keep_link", False),
            ),
            _("It is decided, and the appellant is told."),
            title=title,
            facts=[*describe(appeal.ticket), (_("Language of the answer"), appeal.language)],
            warning=gettext("This ticket is paid: what is granted goes back to where it came from.") if is_paid else "",
            submit=title,
        )


def find(object_id: str) -> Appeal:
    """Return the appeal, or answer 404."""
    rows = Appeal.objects.select_related("ticket__offence", "ticket__lot", "ticket__person", "person")
    return get_object_or_404(rows, pk=object_id)


def describe_panel(appeal: Appeal) -> dict[str, Any]:
    """Return what the decision needs side by side: ticket, rights to park at that time, the appeal, the history."""
    ticket = appeal.ticket
    where = {"plate_key": ticket.plate_key, "region": ticket.region}
    rights = []
    if ticket.lot and ticket.plate_key:
        rights = find_entitlements(**where, lot=ticket.lot, at=ticket.occurred_at)
    return {
        "appeal": appeal,
        "ticket": ticket,
        "line": [] if ticket.is_warning else cost_line(ticket),
        "deadlines": deadlines_of(ticket),
        "photos": ticket.photos.all(),
        "evidence": appeal.evidence.all(),
        "messages_sent": appeal.messages.select_related("written_by"),
        "rights": rights,
        "near_rights": near_rights(**where, lot=ticket.lot, at=ticket.occurred_at),
        "history": history_of(appeal),
        "now": timezone.now(),
    }


def history_of(appeal: Appeal) -> list[Ticket]:
    """Return the earlier tickets of the same person or plate, the newest first, with how their appeals ended."""
    ticket = appeal.ticket
    same = Q(plate_key=ticket.plate_key, region=ticket.region) if ticket.plate_key else Q(vin=ticket.vin)
    people = [pk for pk in (ticket.person_id, appeal.person_id) if pk]
    rows = Ticket.objects.filter(same | Q(person__in=people)).exclude(pk=ticket.pk)
    return list(rows.select_related("offence").prefetch_related("appeals").order_by("-occurred_at")[:HISTORY_SHOWN])
