"""The office's first page: today's figures, each a link to what it counts, and only those that the role may see."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from office import selectors
from opscom.core.money import format_money
from opscom.provider.selectors import local_date, start_of_day

LOTS_SHOWN = 12


@dataclass(frozen=True, slots=True)
class Figure:
    """One number of today. `tone` is bad when somebody must act, else plain."""

    title: str
    value: str
    link: str
    icon: str
    note: str = ""
    tone: str = "plain"


def add_figures(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Add the figures to the context of the site's first page."""
    today = local_date()
    start = start_of_day(today)
    to_do = [figure for figure in list_tasks(request) if figure]
    figures = list(list_figures(request, start))
    meters = selectors.lot_meters() if may(request, "permits.view_sale") else []
    shown = {"to_do": to_do, "figures": figures, "meters": meters[:LOTS_SHOWN], "more_lots": len(meters) > LOTS_SHOWN}
    return context | shown | {"title": _("Today"), "today": today}


def may(request: HttpRequest, *rights: str) -> bool:
    """Say whether this person has all the rights."""
    return bool(request.user.has_perms(rights))


def link_to(page: str, **filters: Any) -> str:
    """Return the address of a list, filtered."""
    address = reverse(f"admin:{page}_changelist")
    return f"{address}?{urlencode(filters)}" if filters else address


def list_figures(request: HttpRequest, start: dt.datetime) -> Iterator[Figure]:
    """Yield what happened today and how things stand."""
    since = start.isoformat()
    if may(request, "permits.view_permit"):
        yield from list_permit_figures(request, since, selectors.count_permits(start))
    if may(request, "payments.view_payment"):
        count, received = selectors.sum_payments(start)
        note = ngettext("%(count)d payment", "%(count)d payments", count) % {"count": count}
        link = link_to("payments_payment", status__exact="approved", approved_at__gte=since)
        yield Figure(_("Money received today"), format_money(received), link, "payments", note)
    if may(request, "accounts.view_user"):
        link = link_to("accounts_user", created_at__gte=since)
        yield Figure(_("New people today"), str(selectors.count_people(start)), link, "person_add")


def list_permit_figures(request: HttpRequest, since: str, counts: dict[str, Any]) -> Iterator[Figure]:
    """Yield the permits sold today, active and held."""
    net = _("%(sum)s without tax") % {"sum": format_money(counts["sold_net"])}
    note = net if may(request, "payments.view_order") else ""
    yield Figure(
        _("Permits sold today"), str(counts["sold"]), link_to("permits_permit", activated_at__gte=since), "sell", note
    )
    active = link_to("permits_permit", status__exact="active")
    yield Figure(_("Active permits"), str(counts["active"]), active, "badge")
    held = link_to("permits_permit", status__exact="reserved")
    yield Figure(_("Held for a payment now"), str(counts["held"]), held, "hourglass_top")


def list_tasks(request: HttpRequest) -> Iterator[Figure | None]:
    """Yield what waits for somebody of the office; nothing is yielded for what does not wait."""
    yield from list_desk_tasks(request)
    yield from list_boot_tasks(request)
    yield from list_locker_tasks(request)
    yield from list_money_tasks(request)
    yield from list_message_tasks(request)


def list_desk_tasks(request: HttpRequest) -> Iterator[Figure | None]:
    """Yield what people have sent and wait for, and what is to be printed for them."""
    if may(request, "accounts.view_documentrequest"):
        link = link_to("accounts_documentrequest")
        yield task(_("Documents to be looked at"), selectors.count_documents_to_review(), link, "approval", "plain")
    if may(request, "permits.change_waitlistentry"):
        link, count = link_to("permits_waitlist"), selectors.count_numbers_to_offer()
        yield task(_("Numbers to offer from waitlists"), count, link, "format_list_bulleted", "plain")
    if may(request, "violations.view_appeal"):
        yield task(_("Appeals to decide"), selectors.count_appeals(), link_to("violations_appeal"), "balance", "plain")
    if may(request, "violations.view_notice"):
        printable, incomplete = selectors.count_letters()
        link = link_to("violations_notice", letters="printable")
        yield task(_("Letters to print"), printable, link, "mail", "plain")
        link = link_to("violations_notice", letters="unprintable")
        yield task(_("Letters without a complete address"), incomplete, link, "unsubscribe", "plain")


def list_boot_tasks(request: HttpRequest) -> Iterator[Figure | None]:
    """Yield the boots that are out, those that are late, and those that do not open."""
    if may(request, "boots.view_booting"):
        counts = selectors.count_boots()
        problem = link_to("boots_booting", queue="problem")
        yield task(_("Boots that do not open"), counts["problem"], problem, "emergency", "bad")
        yield task(_("Boots that are late"), counts["late"], link_to("boots_booting", queue="late"), "schedule", "bad")
        yield task(_("Boots out"), counts["out"], link_to("boots_booting"), "directions_car", "plain")


def list_locker_tasks(request: HttpRequest) -> Iterator[Figure | None]:
    """Yield the lockers that somebody must look into before they are let again."""
    if may(request, "lockers.view_locker"):
        waiting = link_to("lockers_locker", queue="to_empty")
        yield task(_("Lockers to be emptied"), selectors.count_lockers_to_empty(), waiting, "inventory_2", "plain")


def list_money_tasks(request: HttpRequest) -> Iterator[Figure | None]:
    """Yield the money that somebody must look at, give, or approve."""
    if may(request, "payments.view_payment"):
        link = link_to("payments_payment", review="waiting")
        yield task(_("Payments to look at"), selectors.count_payments_to_review(), link, "rule", "bad")
    if may(request, "payments.view_orderline"):
        link = link_to("payments_orderline", status__exact="needs_review")
        yield task(
            _("Paid, not delivered"), selectors.count_lines_to_review(), link, "production_quantity_limits", "bad"
        )
    if may(request, "payments.view_refund"):
        counts = selectors.count_refunds()
        failed = link_to("payments_refund", status__exact="failed")
        yield task(_("Refunds that failed"), counts["failed"], failed, "money_off", "bad")
        yield task(
            _("Refunds to be given by hand"),
            counts["by_hand"],
            link_to("payments_refund", status__exact="due"),
            "payments",
            "bad",
        )
        waiting = link_to("payments_refund", status__in="due,sending,pending")
        yield task(_("Refunds on their way"), counts["waiting"], waiting, "undo", "plain")
        proposed = link_to("payments_refund", status__exact="proposed")
        yield task(_("Refunds that wait for a second person"), counts["proposed"], proposed, "how_to_reg", "bad")
    if may(request, "payments.view_dispute"):
        link = link_to("payments_dispute", status__exact="open")
        yield task(_("Disputed payments to answer"), selectors.count_open_disputes(), link, "gavel", "bad")
    if may(request, "payments.view_booksproof"):
        yield task(
            _("Things in the books that differ"),
            selectors.count_differences(),
            link_to("payments_booksproof"),
            "menu_book",
            "bad",
        )


def list_message_tasks(request: HttpRequest) -> Iterator[Figure | None]:
    """Yield the messages that did not go out, or not yet."""
    if may(request, "messaging.view_message"):
        counts = selectors.count_messages()
        failed = link_to("messaging_message", status__exact="failed")
        yield task(_("Messages that failed"), counts["failed"], failed, "unsubscribe", "bad")
        waiting = link_to("messaging_message", status__in="queued,sending")
        yield task(_("Messages waiting"), counts["waiting"], waiting, "schedule_send", "plain")


def task(title: str, count: int, link: str, icon: str, tone: str) -> Figure | None:
    """Return the figure unless there is nothing to do."""
    return Figure(title, str(count), link, icon, tone=tone) if count else None
