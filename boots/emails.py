"""One function for each message about boots. Only `code` names a release code, and only in its secret context."""

from contextlib import suppress
from typing import Any

from django.conf import settings
from django.core.files.storage import default_storage
from django.urls import reverse
from django.utils.translation import override

from accounts.emails.sending import make_link, write_to
from accounts.selectors import offered_languages
from boots import selectors
from boots.driver import describe_late_rule, driver_path, how_to_remove
from boots.models import Booting
from opscom.core.errors import Stale
from opscom.core.money import format_money
from opscom.messaging.models import Lane, Message, MessageStatus
from opscom.messaging.services import cancel_message, queue_email
from payments.models import Order, Refund, RefundStatus
from violations.costing import cost_at
from violations.models import Ticket

TEMPLATE = "boots/code"


def put_on(booting: Booting) -> None:
    """Tell whoever has the car on their account that a boot is on, and how it comes off."""
    person = booting.ticket.person
    if person is None:
        return

    def about() -> dict[str, Any]:
        link = make_link("boots:pay", person.language, booting.pay_code)
        return {**_about(booting), "release_link": link}

    write_to(person, "boots/put_on", key=f"boot-put-on:{booting.pk}", about=about)


def code(booting: Booting, *, code: str, key: str, is_corrected: bool = False) -> None:
    """The release code, how the boot is taken off, where and until when it is returned; once for each `key`."""
    order = _order(booting)
    if not order.email:
        return
    with override(order.language):
        queue_email(
            template=TEMPLATE,
            to=order.email,
            language=order.language,
            dedupe_key=f"{_key(booting)}{key}",
            context={
                **_about(booting),
                **_about_return(booting, order),
                "is_corrected": is_corrected,
                "instructions": how_to_remove(order.language),
            },
            secret_context={"release_code": code},
            attachments=_picture_files(),
            lane=Lane.URGENT,
        )


def _picture_files() -> list[str]:
    """Return the names of the pictures' files that are there: one that was lost must not keep the code from going out."""
    names = [str(picture.file.name) for picture in selectors.pictures()]
    return [name for name in names if default_storage.exists(name)]


def withdraw_codes(booting: Booting) -> None:
    """Take back mails with a code that is void by now and that no worker has taken up yet; nobody sends a failed one again."""
    mails = Message.objects.filter(dedupe_key__startswith=_key(booting))
    for message in mails.filter(status=MessageStatus.QUEUED):
        # A worker has just taken it up: what is on its way is not called back, and what we do does not fail for it.
        with suppress(Stale):
            cancel_message(message=message)
    mails.filter(status=MessageStatus.FAILED).update(secret_context=None)


def code_problem(booting: Booting) -> None:
    """Tell the office, where it wants so, that a driver stands before a boot which does not open."""
    address = selectors.get_policy().email
    if not address:
        return
    language = offered_languages()[0][0]
    with override(language):
        queue_email(
            template="boots/code_problem",
            to=address,
            language=language,
            dedupe_key=f"boot-problem:{booting.pk}:{booting.code_edition}",
            context={
                **_about(booting),
                "driver_email": _order(booting).email,
                "office_link": settings.SITE_URL + reverse("admin:boots_booting_change", args=[booting.pk]),
            },
            lane=Lane.URGENT,
        )


def return_soon(booting: Booting) -> None:
    """The boot is to be brought back soon."""
    _to_driver(booting, "return_soon", key=_time_key(booting))


def return_late(booting: Booting) -> None:
    """The boot is late, and what follows."""
    _to_driver(booting, "return_late", key=_time_key(booting))


def more_time(booting: Booting) -> None:
    """The office gave more time."""
    _to_driver(booting, "more_time", key=_time_key(booting))


def late_charged(booting: Booting) -> None:
    """It is still not back: the fine, or that the deposit is kept."""
    _to_driver(booting, "late_charged", ticket=booting.late_ticket)


def lost(booting: Booting) -> None:
    """The boot counts as lost: what is kept and what it costs. Who never paid for it is told by the ticket alone."""
    if booting.line_id:
        _to_driver(booting, "lost", ticket=booting.lost_ticket)


def returned(booting: Booting) -> None:
    """Thank you: the boot is back, and what becomes of the deposit."""
    _to_driver(booting, "returned")


def _to_driver(booting: Booting, template: str, *, key: str = "once", ticket: Ticket | None = None) -> None:
    order = _order(booting)
    if not order.email:
        return
    with override(order.language):
        queue_email(
            template=f"boots/{template}",
            to=order.email,
            language=order.language,
            dedupe_key=f"boot-{template}:{booting.pk}:{key}",
            context={**_about(booting), **_about_return(booting, order), **_about_charge(booting, ticket)},
            lane=Lane.URGENT,
        )


def _about(booting: Booting) -> dict[str, Any]:
    ticket = booting.ticket
    return {
        "ticket_number": ticket.number,
        "vehicle": ticket.vehicle_label,
        "boot_serial": booting.boot.serial,
        "place": ", ".join(filter(None, [str(booting.lot or ""), booting.place])),
        "put_on_at": booting.put_on_at,
        "deposit": format_money(booting.deposit.amount) if booting.deposit else "",
        "return_hours": booting.return_hours,
        "late_rule": describe_late_rule(booting),
    }


def _about_return(booting: Booting, order: Order) -> dict[str, Any]:
    places = [
        {"name": str(one.name), "address": one.address, "hours": str(one.hours), "map_link": one.map_link}
        for one in selectors.drop_off_places()
    ]
    return {
        "return_by": booting.return_by,
        "places": places,
        "boot_link": settings.SITE_URL + driver_path(booting, order),
    }


def _about_charge(booting: Booting, ticket: Ticket | None) -> dict[str, Any]:
    deposit, refund = booting.deposit, booting.deposit.refund if booting.deposit else None
    return {
        "charge_ticket": ticket.number if ticket else "",
        "charge_amount": format_money(cost_at(ticket)) if ticket else "",
        "charge_link": settings.SITE_URL + reverse("guest:ticket", args=[ticket.pay_code]) if ticket else "",
        "returned_amount": format_money(deposit.returned_amount) if deposit and deposit.returned_amount else "",
        # What waits for a second person of the office is no promise yet.
        "is_checked": isinstance(refund, Refund) and refund.status == RefundStatus.PROPOSED,
        "kept_amount": format_money(deposit.kept_amount) if deposit and deposit.kept_amount else "",
        "card": refund.payment.card_label if isinstance(refund, Refund) else "",
        "condition": str(booting.get_condition_display()) if booting.condition else "",
        "note": booting.note,
    }


def _order(booting: Booting) -> Order:
    if booting.line is None:
        raise ValueError("The boot was not released.")
    return booting.line.order


def _key(booting: Booting) -> str:
    return f"boot-code:{booting.pk}:"


def _time_key(booting: Booting) -> str:
    """More time begins the reminders anew."""
    return f"{booting.return_by:%Y%m%d%H%M}"
