"""The office's pages about waitlists: who waits, who has an offer, and picking whom to offer a number to."""

from collections.abc import Callable
from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.db.models import Count, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display

from accounts.models import User
from opscom.core.admin import QueueFilter, ReadOnlyAdmin, change_page, posted, render_ask_page
from opscom.core.errors import DomainError
from opscom.provider.templatetags.portal import local_datetime
from permits.models import ON_LIST, EntryStatus, Slot, SlotState, Waitlist, WaitlistBucket, WaitlistEntry
from permits.services import offering, picking
from permits.waitlist_office_forms import ClassForm, ExtendForm, PickForm, WhyForm
from permits.waitlists import standings_of

ENTRY_TONES = {
    EntryStatus.WAITING: "info",
    EntryStatus.OFFERED: "warning",
    EntryStatus.SERVED: "success",
    EntryStatus.LEFT: "default",
    EntryStatus.REMOVED: "danger",
}
SHOWN_IN_LINE = 50


@admin.register(Waitlist)
class WaitlistAdmin(ReadOnlyAdmin):
    """Every list with how many wait, how many have an offer, and which numbers are kept for it."""

    list_display = ["lot", "permit_type", "waiting", "offered", "kept"]
    list_filter = ["lot", "permit_type"]
    list_select_related = ["lot", "permit_type"]
    fields = ["lot", "permit_type", "waiting", "offered", "kept"]
    readonly_fields = fields
    change_form_outer_after_template = "permits/admin/_waitlist.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Waitlist]:
        return count_lists(super().get_queryset(request))

    @display(description=_("waiting"), ordering="waiting_count")
    def waiting(self, waitlist: Any) -> SafeString:
        return link_to_entries(waitlist, "", waitlist.waiting_count)

    @display(description=_("offered"), ordering="offered_count")
    def offered(self, waitlist: Any) -> SafeString:
        return link_to_entries(waitlist, "offered", waitlist.offered_count)

    @display(description=_("numbers kept"), ordering="kept_count")
    def kept(self, waitlist: Any) -> int:
        return cast(int, waitlist.kept_count)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        waitlist = get_object_or_404(Waitlist, pk=object_id)
        line = waitlist.entries.in_line().select_related("person")[:SHOWN_IN_LINE]
        offered = waitlist.entries.filter(status=EntryStatus.OFFERED).select_related("person")
        panel = {
            "line": list(enumerate(line, 1)),
            "offered_entries": offered.prefetch_related("offers__permit")[:SHOWN_IN_LINE],
            "kept_slots": picking.kept_slots(waitlist)[:SHOWN_IN_LINE],
            "all_entries": entries_address(waitlist, ""),
        }
        return cast(HttpResponse, super().change_view(request, object_id, form_url, {**(extra_context or {}), **panel}))


def count_lists(lists: QuerySet[Waitlist]) -> QuerySet[Waitlist]:
    """Add what each list's row shows, in the one query of the list."""

    def number_of(rows: QuerySet[Any], group: str, value: Any) -> Coalesce:
        return Coalesce(Subquery(rows.order_by().values(group).annotate(n=value).values("n")), 0)

    buckets = WaitlistBucket.objects.filter(waitlist=OuterRef("pk"))
    offered = WaitlistEntry.objects.filter(waitlist=OuterRef("pk"), status=EntryStatus.OFFERED)
    kept = Slot.objects.filter(
        state=SlotState.FOR_LIST, sale__lot=OuterRef("lot"), sale__permit_type=OuterRef("permit_type")
    )
    return lists.annotate(
        waiting_count=number_of(buckets, "waitlist", Sum("count")),
        offered_count=number_of(offered, "waitlist", Count("pk")),
        kept_count=number_of(kept, "sale__lot", Count("pk")),
    )


def entries_address(waitlist: Waitlist, queue: str) -> str:
    """Return the list of this waitlist's entries."""
    more = f"&queue={queue}" if queue else ""
    return f"{reverse('admin:permits_waitlistentry_changelist')}?waitlist__id__exact={waitlist.pk}{more}"


def link_to_entries(waitlist: Waitlist, queue: str, count: int) -> SafeString:
    """Return the number, leading to those whom it counts."""
    return format_html('<a href="{}">{}</a>', entries_address(waitlist, queue), count)


class EntryQueue(QueueFilter):
    """Who waits, first of all."""

    first = (_("Waiting"), Q(status=EntryStatus.WAITING))
    QUEUES = {
        "offered": (_("Offered a permit"), Q(status=EntryStatus.OFFERED)),
        "over": (_("Over"), ~Q(status__in=ON_LIST)),
        "all": (_("All"), Q()),
    }


ACTIONS: dict[str, set[str]] = {
    EntryStatus.WAITING: {"offer", "change_class", "take_off"},
    EntryStatus.OFFERED: {"extend", "release"},
}


@admin.register(WaitlistEntry)
class WaitlistEntryAdmin(ReadOnlyAdmin):
    """Who is on which list, in the order of the line."""

    list_display = ["person", "waitlist", "state", "priority", "joined_at", "lapses"]
    list_filter = [EntryQueue, "waitlist"]
    list_select_related = ["person", "waitlist__lot", "waitlist__permit_type"]
    ordering = ["waitlist", "priority", "ticket"]
    search_fields = ["person__last_name", "person__first_name", "person__email"]
    fields = [
        "person",
        "waitlist",
        "status",
        "position",
        "priority",
        "vehicle",
        "joined_at",
        "lapses",
        "closed_at",
        "offers_made",
    ]
    readonly_fields = fields
    actions_detail = ["offer", "change_class", "take_off", "extend", "release"]

    @display(description=_("status"), ordering="status", label=ENTRY_TONES)
    def state(self, entry: WaitlistEntry) -> tuple[str, str]:
        return entry.status, entry.get_status_display()

    @display(description=_("position"))
    def position(self, entry: WaitlistEntry) -> str:
        found = standings_of(WaitlistEntry.objects.filter(pk=entry.pk), timezone.now()).get(entry.pk)
        return (
            gettext("%(position)d of %(waiting)d") % {"position": found.position, "waiting": found.waiting}
            if found
            else "-"
        )

    @display(description=_("offers"))
    def offers_made(self, entry: WaitlistEntry) -> str:
        offers = entry.offers.select_related("permit", "offered_by")
        return "; ".join(describe_offer(offer) for offer in offers) or "-"

    def has_keep_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("permits.change_waitlistentry")

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        entry = WaitlistEntry.objects.filter(pk=object_id).first()
        offered = ACTIONS.get(entry.status, set()) if entry else set()
        if entry and "offer" in offered and not picking.kept_slots(entry.waitlist):
            offered = offered - {"offer"}
        return [one for one in super().get_actions_detail(request, object_id) if one.method.__name__ in offered]

    @action(description=_("Offer a number"), url_path="offer", permissions=["keep"], icon="redeem")
    def offer(self, request: HttpRequest, object_id: str) -> HttpResponse:
        entry = find_entry(object_id)
        is_next = picking.is_next(entry)
        facts = [*describe(entry), (_("first in line"), _("Yes") if is_next else _("No"))]
        return self._ask(
            request, entry, PickForm(posted(request), is_next=is_next), facts, _("Offer a number"),
            lambda who, values: picking.pick(entry=entry, reason=values["reason"], actor=who),
            _("The number is offered."),
        )  # fmt: skip

    @action(description=_("Change the class"), url_path="class", permissions=["keep"], icon="swap_vert")
    def change_class(self, request: HttpRequest, object_id: str) -> HttpResponse:
        entry = find_entry(object_id)
        return self._ask(
            request, entry, ClassForm(posted(request), initial={"priority": entry.priority}), describe(entry),
            _("Change the class"),
            lambda who, values: picking.change_class(entry=entry, actor=who, **values),
            _("The class is changed."),
        )  # fmt: skip

    @action(description=_("Take off the list"), url_path="take-off", permissions=["keep"], icon="person_remove")
    def take_off(self, request: HttpRequest, object_id: str) -> HttpResponse:
        entry = find_entry(object_id)
        return self._ask(
            request, entry, WhyForm(posted(request)), describe(entry), _("Take off the list"),
            lambda who, values: picking.take_off(entry=entry, reason=values["reason"], actor=who),
            _("The person is no longer on the list."),
        )  # fmt: skip

    @action(description=_("Give more time"), url_path="extend", permissions=["keep"], icon="more_time")
    def extend(self, request: HttpRequest, object_id: str) -> HttpResponse:
        entry = find_entry(object_id)
        offer = entry.offers.select_related("permit", "entry__waitlist", "entry__person").latest("pk")
        form = ExtendForm(posted(request), initial={"until": offer.deadline})
        return self._ask(
            request, entry, form, [*describe(entry), (_("offer"), describe_offer(offer))], _("Give more time"),
            lambda who, values: offering.extend_offer(offer=offer, until=values["until"], actor=who),
            _("The offer holds longer."),
        )  # fmt: skip

    @action(description=_("Withdraw the offer"), url_path="release", permissions=["keep"], icon="undo")
    def release(self, request: HttpRequest, object_id: str) -> HttpResponse:
        entry = find_entry(object_id)
        offer = entry.offers.select_related("permit", "entry__waitlist", "entry__person").latest("pk")
        return self._ask(
            request, entry, WhyForm(posted(request)), [*describe(entry), (_("offer"), describe_offer(offer))],
            _("Withdraw the offer"),
            lambda who, values: offering.release_offer(offer=offer, reason=values["reason"], actor=who),
            _("The offer is withdrawn; the person is back in line."),
        )  # fmt: skip

    def _ask(
        self,
        request: HttpRequest,
        entry: WaitlistEntry,
        form: forms.Form,
        facts: Any,
        title: Any,
        deed: Callable[[User, dict[str, Any]], Any],
        done: Any,
    ) -> HttpResponse:
        if form.is_bound and form.is_valid():
            try:
                deed(cast(User, request.user), form.cleaned_data)
            except DomainError as error:
                form.add_error(None, str(error))
            else:
                messages.success(request, done)
                return redirect(change_page(entry))
        return render_ask_page(
            self, request, title=title, form=form, facts=facts, submit=title, original=entry, back=change_page(entry)
        )


def find_entry(object_id: str) -> WaitlistEntry:
    """Return the entry, or answer 404."""
    entries = WaitlistEntry.objects.select_related("person", "waitlist__lot", "waitlist__permit_type")
    return get_object_or_404(entries, pk=object_id)


def describe(entry: WaitlistEntry) -> list[tuple[Any, Any]]:
    """Return what every page that asks about an entry shows."""
    return [
        (_("person"), entry.person),
        (_("waitlist"), entry.waitlist),
        (_("status"), entry.get_status_display()),
        (_("class"), entry.priority),
        (_("joined"), local_datetime(entry.joined_at)),
    ]


def describe_offer(offer: Any) -> str:
    """Return an offer in one line: number, until when, what became of it, and why the order was not kept."""
    words = gettext("%(number)s until %(deadline)s: %(status)s") % {
        "number": offer.permit.number,
        "deadline": local_datetime(offer.deadline),
        "status": offer.permit.get_status_display(),
    }
    return f"{words} ({offer.skip_reason})" if offer.skip_reason else words
