"""Reads about tickets that pages need: what a page shows of one, and finding one by what stands on the paper."""

import datetime as dt
import secrets
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Prefetch
from django.utils.translation import gettext as _

from accounts.models import User
from opscom.core.errors import Decision
from opscom.core.money import ZERO
from opscom.provider.selectors import add_business_days, get_provider, local_date
from vehicles.models import Ownership
from vehicles.plates import normalise_plate
from violations import throttles
from violations.cost import Period
from violations.costing import Deadlines, calendar_of, cost_at, cost_line, deadlines_of, due_at, is_overdue
from violations.models import UNPAID, Appeal, Association, Ticket, TicketQuerySet, TicketStatus
from violations.numbers import split_typed
from violations.rules import can_appeal, can_be_appealed, payment_lock

# A plate has few open tickets; whoever asks for more is told to use the number.
MOST_BY_PLATE = 10


@dataclass(frozen=True, slots=True)
class TicketView:
    """One ticket as a page shows it, at one instant."""

    ticket: Ticket
    amount: Decimal
    lock_reason: str
    is_overdue: bool
    deadlines: Deadlines
    appeal: Appeal | None
    can_appeal: Decision

    @property
    def is_payable(self) -> bool:
        return self.amount > 0 and not self.lock_reason

    @property
    def is_under_review(self) -> bool:
        return self.appeal is not None and self.appeal.is_under_review

    @property
    def is_closed(self) -> bool:
        """Nobody has to pay it any more: its days lead nowhere."""
        return self.ticket.status not in UNPAID

    @property
    def line(self) -> list[Period]:
        """What it costs, and when."""
        return cost_line(self.ticket)

    @property
    def days_left(self) -> int:
        """The days left at what it costs now; the ticket's own days, which stand still under review."""
        today = calendar_of(self.ticket).day_on(local_date())
        now = next((period for period in self.line if period.is_now), None)
        return now.last_day - today if now and now.last_day is not None else 0

    @property
    def state(self) -> tuple[str, str]:
        """The state in words, and its tone."""
        if self.is_under_review:
            return _("Under review"), "calm"
        if self.ticket.is_warning and self.ticket.status == TicketStatus.OPEN:
            return _("Warning"), "plain"
        if self.ticket.status == TicketStatus.OPEN:
            return (_("Overdue"), "bad") if self.is_overdue else (_("Unpaid"), "warn")
        tone = {"paid": "good", "collections": "bad"}.get(self.ticket.status, "plain")
        return str(self.ticket.get_status_display()), tone


def view_ticket(ticket: Ticket, person: User | None = None, at: dt.datetime | None = None) -> TicketView:
    """Return the ticket for its page; `person` None: for somebody with the number and the PIN."""
    appeals = list(ticket.appeals.all())
    return TicketView(
        ticket=ticket,
        amount=due_at(ticket, at),
        lock_reason=payment_lock(ticket) if ticket.status in UNPAID else "",
        is_overdue=is_overdue(ticket, at),
        deadlines=deadlines_of(ticket),
        appeal=appeals[-1] if appeals else None,
        can_appeal=can_appeal(ticket, person, at) if person else can_be_appealed(ticket, at),
    )


def tickets_of(person: User, *, search: str = "") -> TicketQuerySet:
    """Return the tickets that the person may see, the newest first; `search` narrows by number, with or without the PIN."""
    tickets = Ticket.objects.visible_to(person).with_reviews()
    if search.strip():
        key = normalise_plate(search)
        number, _pin = split_typed(search)
        tickets = tickets.filter(number_key__in=[key, number]) | tickets.filter(plate_key=key)
    return tickets


def load_ticket(tickets: TicketQuerySet) -> TicketQuerySet:
    """Return them with all that a ticket's page shows."""
    appeals = Appeal.objects.prefetch_related("messages", "evidence")
    return tickets.select_related("offence", "lot").prefetch_related(Prefetch("appeals", appeals), "photos")


def find_by_number(typed: str) -> Ticket | None:
    """Return the ticket behind the number and PIN as somebody typed them; a wrong number is as a wrong PIN.

    None also while this number was tried too often: see `throttles`.
    """
    key, pin = split_typed(typed)
    if not key or not throttles.may_try_pin(key):
        return None
    ticket = Ticket.objects.filter(number_key=key).first()
    kept = ticket.pin if ticket else "--"
    is_right = secrets.compare_digest(kept.encode(), pin.encode())
    return ticket if is_right else None


@dataclass(frozen=True, slots=True)
class AppealableTicket:
    """All that a search by plate says: that there is such a ticket, of which day and for what."""

    occurred_on: dt.date
    offence: str
    appeal_until: dt.date


def appealable_of_plate(typed: str) -> list[AppealableTicket]:
    """Return what can be appealed now of exactly this plate, wherever it is registered; nothing of whose or where."""
    key = normalise_plate(typed)
    if not key:
        return []
    tickets = Ticket.objects.filter(plate_key=key, status=TicketStatus.OPEN).with_reviews()
    return [
        AppealableTicket(local_date(one.occurred_at), str(one.offence.description), deadlines_of(one).appeal)
        for one in tickets.order_by("-occurred_at")[:MOST_BY_PLATE]
        if can_be_appealed(one).is_allowed
    ]


def own_vehicle(ticket: Ticket, person: User) -> Ownership | None:
    """Return the person's own vehicle that the ticket is about, for its description."""
    if ticket.vehicle_id is None:
        return None
    return Ownership.objects.filter(user=person, vehicle=ticket.vehicle_id).order_by("-added_at").first()


def live_link(ticket: Ticket, person: User) -> Association | None:
    """Return the link by which the person sees somebody else's ticket."""
    return Association.objects.live().visible_to(person).filter(ticket=ticket).first()


def usual_decision_day() -> dt.date:
    """Return by when an appeal sent today is usually decided: business days of the office."""
    return add_business_days(local_date(), get_provider().decision_days)


def cost_of_refusal(ticket: Ticket) -> Decimal:
    """Return what the ticket will cost if an appeal sent now is refused: the days stand still, the discount may be gone."""
    loses = ticket.has_lost_discount or get_provider().removes_discount_on_appeal
    return cost_at(ticket, has_lost_discount=loses)


def unpaid_tickets(person: User) -> list[TicketView]:
    """Return what the person has to pay for tickets, the oldest first."""
    tickets = Ticket.objects.payable_by(person).with_reviews().order_by("issued_at", "pk")
    return [view for view in (view_ticket(one) for one in tickets) if view.amount > ZERO]
