"""Offences, tickets and appeals for tests, made through the services that the office and people use."""

import datetime as dt
import io
from decimal import Decimal
from itertools import count
from typing import Any

from django.utils import timezone
from PIL import Image

from accounts.models import User
from accounts.services.documents import NewDocument
from opscom.core.uploads import check_document
from opscom.provider.selectors import get_time_zone, local_date
from payments.models import Order, Payment
from payments.services.confirming import confirm_payment
from payments.services.orders import place_order
from tests.factories.accounts import make_user
from tests.factories.payments import go_to_bank, pay_at_bank
from tests.factories.permits import make_lot
from tests.factories.vehicles import make_ownership
from violations.models import Appeal, Association, LateFee, Offence, OffenceCategory, OffenceStep, Ticket
from violations.services.appealing import submit_appeal
from violations.services.associating import associate
from violations.services.issuing import TicketData, issue_ticket
from violations.services.steps import plan_next_step

_numbers = count(1)


def make_offence(
    *, late_fees: list[tuple[int, str]] | None = None, steps: list[tuple[int, str]] | None = None, **fields: Any
) -> Offence:
    """Return an offence of $35.00, $10.00 less within 7 days, $15.00 more after 30 days; appealed within 15 days."""
    number = next(_numbers)
    category = fields.pop("category", None) or OffenceCategory.objects.create(
        name={"en": "Parking", "fr-ca": "Stationnement"}, applies_to=fields.pop("applies_to", "vehicle")
    )
    values = {
        "code": f"OFF-{number}",
        "by_law": "2019-41, s. 7",
        "description": {"en": f"Expired permit {number}", "fr-ca": f"Permis expiré {number}"},
        "fine": Decimal("35.00"),
        "discount": Decimal("10.00"),
        "discount_days": 7,
        "due_days": 30,
        "appeal_days": 15,
    } | fields
    offence = Offence.objects.create(category=category, **values)
    for after_days, amount in [(30, "15.00")] if late_fees is None else late_fees:
        LateFee.objects.create(offence=offence, after_days=after_days, amount=Decimal(amount))
    for nth, fine in steps or []:
        OffenceStep.objects.create(offence=offence, nth=nth, fine=Decimal(fine))
    return Offence.objects.get(pk=offence.pk)


def make_ticket(person: User | None = None, *, days_ago: int = 0, officer: User | None = None, **data: Any) -> Ticket:
    """Return a ticket for a vehicle of this person (of nobody known when None), issued so many days ago."""
    if "plate" not in data and "vin" not in data:
        data["plate"] = own_plate(person) if person else f"XYZ {next(_numbers):04}"
    values = {"offence": None, "region": "CA-ON", "occurred_at": timezone.now(), "lot": None, **data}
    values["offence"] = values["offence"] or make_offence()
    values["lot"] = values["lot"] or make_lot()
    ticket = issue_ticket(data=TicketData(**values), officer=officer)
    return age(ticket, days_ago) if days_ago else reload(ticket)


def own_plate(person: User) -> str:
    """Return the plate of the person's first vehicle; one is added where there is none."""
    own = person.ownerships.order_by("pk").first() or make_ownership(person)
    return own.label


def days_before(moment: dt.date, days: int) -> dt.date:
    """Return the day, or the same time of day at the provider's place, so many days earlier, whatever its clocks did."""
    if not isinstance(moment, dt.datetime):
        return moment - dt.timedelta(days=days)
    zone = get_time_zone()
    there = moment.astimezone(zone).replace(tzinfo=None)
    return (there - dt.timedelta(days=days)).replace(tzinfo=zone)


def age(ticket: Ticket, days: int) -> Ticket:
    """Let so many days go by since the ticket was issued, its appeals and links included."""
    ticket = reload(ticket)
    _move(ticket, days, "occurred_at", "issued_at", "appeal_from")
    for appeal in ticket.appeals.all():
        _move(appeal, days, "sent_at", "review_from", "review_until", "closed_at")
    for link in ticket.associations.all():
        _move(link, days, "began_at", "ends_at")
    ticket = reload(ticket)
    plan_next_step(ticket, after=local_date() - dt.timedelta(days=days + 1))
    return reload(ticket)


def _move(row: Any, days: int, *names: str) -> None:
    moved = {name: days_before(value, days) for name in names if (value := getattr(row, name))}
    type(row).objects.filter(pk=row.pk).update(**moved)


def reload(ticket: Ticket) -> Ticket:
    """Return the ticket as the database has it now."""
    return Ticket.objects.with_reviews().get(pk=ticket.pk)


def make_appeal(ticket: Ticket, person: User | None = None, reason: str = "The machine was broken.") -> Appeal:
    """Return an appeal of the ticket by this person (by whose it is when None)."""
    appellant = person or ticket.person
    assert appellant is not None
    return submit_appeal(ticket=ticket, person=appellant, reason=reason, language="en")


def picture_file(name: str = "sign.jpg") -> NewDocument:
    """Return a picture that has passed its checks."""
    content = io.BytesIO()
    Image.new("RGB", (400, 300), "teal").save(content, "JPEG")
    return NewDocument(name, check_document(content))


def link(ticket: Ticket, person: User | None = None) -> Association:
    """Return the link of the ticket's vehicle to this person (to somebody new when None), as `Associate` makes it."""
    return associate(ticket=reload(ticket), person=person or make_user())


def order_tickets(*tickets: Ticket, payer: User | str | None = "owner") -> Order:
    """Place the order for these tickets, by the person of the first, by somebody else, or by a guest (None)."""
    who = tickets[0].person if isinstance(payer, str) else payer
    email = who.email if who else "guest@example.org"
    return place_order(payer=who, selection={"ticket": [one.pk for one in tickets]}, email=email or "", language="en")


def finish_at_bank(payment: Payment) -> Payment:
    """Pay at the demo bank and come back: the money counts, and what it pays for is delivered."""
    pay_at_bank(payment)
    confirm_payment(payment)
    payment.refresh_from_db()
    return payment


def pay_tickets(*tickets: Ticket, payer: User | str | None = "owner") -> Payment:
    """Pay these tickets at the demo bank."""
    return finish_at_bank(go_to_bank(order_tickets(*tickets, payer=payer)))
