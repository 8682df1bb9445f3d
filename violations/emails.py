"""One function for each message about tickets. Sums and dates are written out here, in the receiver's language."""

from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import override

from accounts.emails.sending import write_to
from accounts.models import User
from accounts.selectors import offered_languages
from opscom.core.money import format_money
from opscom.messaging.models import Lane
from opscom.messaging.services import queue_email
from opscom.provider.selectors import get_provider, local_date
from violations.costing import cost_at, cost_line, deadlines_of
from violations.models import UNPAID, Appeal, AppealMessage, NoticeKind, Ticket


def notice(ticket: Ticket, kind: NoticeKind) -> None:
    """New ticket, discount ending, past due."""
    if ticket.person:
        _to_person(ticket.person, f"ticket_{kind}", ticket, key=f"ticket-{kind}:{ticket.pk}")


def ticket_closed(ticket: Ticket, *, amount: str = "", reason: str = "") -> None:
    """The office cancelled or spoiled the ticket, or lowered it to `amount`, without an appeal; with the reason."""
    if ticket.person:
        key = f"ticket-{ticket.status}-{ticket.set_amount}:{ticket.pk}"
        _to_person(
            ticket.person, "ticket_changed", ticket, key=key, amount=amount, reason=reason or ticket.closing_reason
        )


def ticket_granted(ticket: Ticket) -> None:
    """The ticket was cancelled after the appeal of somebody else."""
    if ticket.person:
        _to_person(ticket.person, "ticket_changed", ticket, key=f"ticket-granted:{ticket.pk}", amount="", reason="")


def appeal_received(appeal: Appeal) -> None:
    """The confirmation that an appeal has come, with what follows."""
    _to_appellant(appeal, "appeal_received", f"appeal-received:{appeal.pk}", decision_days=get_provider().decision_days)


def appeal_to_office(appeal: Appeal, *, event: str) -> None:
    """Tell the office, where it wants so: an appeal, an answer, a withdrawal (`event`)."""
    provider = get_provider()
    if not provider.appeal_email:
        return
    language = offered_languages()[0][0]
    number = appeal.messages.count()
    queue_email(
        template="violations/appeal_to_office",
        to=provider.appeal_email,
        language=language,
        dedupe_key=f"appeal-office-{event}:{appeal.pk}:{number}",
        context={
            "ticket_number": appeal.ticket.number,
            "who": appeal.who,
            "event": event,
            "office_link": settings.SITE_URL + reverse("admin:violations_appeal_change", args=[appeal.pk]),
        },
    )


def appeal_question(message: AppealMessage) -> None:
    """The office asks for more."""
    _to_appellant(message.appeal, "appeal_question", f"appeal-question:{message.pk}", question=message.text)


def appeal_decided(appeal: Appeal) -> None:
    """The decision with the office's words, what it costs now and until when."""
    with override(appeal.language):
        decision = str(appeal.get_status_display())
    _to_appellant(appeal, "appeal_decided", f"appeal-decided:{appeal.pk}", decision=decision, response=appeal.response)


def appeal_withdrawn(appeal: Appeal) -> None:
    """The confirmation that an appeal was withdrawn, and what that costs."""
    _to_appellant(appeal, "appeal_withdrawn", f"appeal-withdrawn:{appeal.pk}")


def _to_appellant(appeal: Appeal, template: str, key: str, **more: Any) -> None:
    if not appeal.email:
        return
    with override(appeal.language):
        queue_email(
            template=f"violations/{template}",
            to=appeal.email,
            language=appeal.language,
            dedupe_key=key,
            context={**about(appeal.ticket), "first_name": appeal.who, **more},
            lane=Lane.URGENT,
        )


def _to_person(person: User, template: str, ticket: Ticket, *, key: str, **more: Any) -> None:
    write_to(person, f"violations/{template}", key=key, lane=Lane.BULK, about=lambda: {**about(ticket), **more})


def about(ticket: Ticket) -> dict[str, Any]:
    """Return what messages and letters say of a ticket, in the active language: no PIN, which is on the paper."""
    deadlines = deadlines_of(ticket)
    return {
        "ticket_number": ticket.number,
        "offence": str(ticket.offence.description),
        "vehicle": ticket.vehicle_label,
        "place": ", ".join(filter(None, [str(ticket.lot or ""), ticket.place])),
        "occurred_at": ticket.occurred_at,
        "is_warning": ticket.is_warning,
        "is_open": ticket.status in UNPAID,
        "amount_now": format_money(cost_at(ticket)),
        "discount_until": date_format(deadlines.discount, "DATE_FORMAT") if deadlines.discount else "",
        "due_until": date_format(deadlines.due, "DATE_FORMAT"),
        "appeal_until": date_format(deadlines.appeal, "DATE_FORMAT"),
        "can_appeal": get_provider().is_appeals_on and local_date() <= deadlines.appeal,
        "steps": write_steps(ticket),
        "quick_pay_link": settings.SITE_URL + reverse("guest:quick-pay"),
        "ticket_link": settings.SITE_URL + reverse("violations:ticket", args=[ticket.code]),
    }


def write_steps(ticket: Ticket) -> list[dict[str, str]]:
    """Return what it costs and until when, for messages and letters; what is past, or closed, is left out."""
    if ticket.is_warning or ticket.status not in UNPAID:
        return []
    return [
        {
            "amount": format_money(period.amount),
            "until": date_format(period.last_date, "DATE_FORMAT") if period.last_date else "",
            "since": date_format(period.first_date, "DATE_FORMAT"),
        }
        for period in cost_line(ticket)
        if not period.is_past
    ]
