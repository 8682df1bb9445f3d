"""What the first page and the frame around every page show."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from accounts.models import User
from boots.models import Booting
from lockers.models import RentalStatus
from lockers.selectors import load_rentals
from opscom.core.money import ZERO
from opscom.provider.selectors import get_provider, local_date
from payments.purchasables import Quote, all_purchasables
from permits.closures import coming_closures, concerns
from permits.models import Closure, Permit, PermitStatus
from vehicles.selectors import vehicles_of
from violations.selectors import unpaid_tickets

ROWS_PER_CARD = 5


@dataclass(frozen=True, slots=True)
class Card:
    """One card of the first page: its template, its first rows, and how many there are in all."""

    template: str
    rows: Sequence[Any]
    count: int

    @property
    def hidden(self) -> int:
        """How many are behind the link to all."""
        return self.count - len(self.rows)


@dataclass(frozen=True, slots=True)
class PermitRow:
    """A permit with how far it has run. Days are the provider's calendar days."""

    permit: Permit
    days: int
    days_gone: int
    closures: Sequence[Closure] = ()

    @property
    def days_left(self) -> int:
        return self.days - self.days_gone

    @property
    def has_begun(self) -> bool:
        return self.permit.valid_from <= timezone.now()

    @property
    def plates(self) -> str:
        return ", ".join(link.vehicle.label for link in self.permit.vehicle_links.all())


def boots_out(user: User) -> list[Booting]:
    """Return the boots that the person has taken off and is to return."""
    if not get_provider().is_boots_on:
        return []
    rows = Booting.objects.visible_to(user).running().select_related("ticket")
    return list(rows.order_by("return_by"))


def home_cards(user: User) -> list[Card]:
    """Return the cards of this account, in the manual's order; only modules that are switched on have one."""
    cards = [violations_card(user), permits_card(user), vehicles_card(user)]
    return [*cards, lockers_card(user)] if get_provider().is_lockers_on else cards


def violations_card(user: User) -> Card:
    """Return what the person has to pay for tickets: what a boot is on for first, then the oldest."""
    rows = sorted(unpaid_tickets(user), key=lambda view: not view.ticket.release_path)
    return Card("home/_violations_card.html", rows[:ROWS_PER_CARD], len(rows))


def permits_card(user: User) -> Card:
    """Return the permits that are paid and not over: those that end first stand first."""
    permits = (
        Permit.objects.visible_to(user)
        .filter(status=PermitStatus.ACTIVE, valid_until__gt=timezone.now())
        .select_related("sale__lot", "sale__permit_type")
        .prefetch_related("vehicle_links__vehicle")
        .order_by("valid_until", "pk")
    )
    rows, count = first_rows(permits)
    now = timezone.now()
    closures = coming_closures(now) if rows else []
    shown = [permit_row(permit, [one for one in closures if concerns(one, permit)]) for permit in rows]
    return Card("home/_permits_card.html", shown, count)


def vehicles_card(user: User) -> Card:
    """Return the person's vehicles, the active ones first."""
    rows, count = first_rows(vehicles_of(user))
    return Card("home/_vehicles_card.html", rows, count)


def lockers_card(user: User) -> Card:
    """Return the lockers that are paid and not over: those that end first stand first."""
    rentals = load_rentals().visible_to(user).filter(status=RentalStatus.ACTIVE, ends_at__gt=timezone.now())
    rows, count = first_rows(rentals.order_by("ends_at", "pk"))
    return Card("home/_lockers_card.html", rows, count)


def first_rows(queryset: QuerySet[Any]) -> tuple[list[Any], int]:
    """Return the first rows and the number of all; counting costs a query only when there are more than fit."""
    rows = list(queryset[: ROWS_PER_CARD + 1])
    count = len(rows) if len(rows) <= ROWS_PER_CARD else queryset.count()
    return rows[:ROWS_PER_CARD], count


def permit_row(permit: Permit, closures: Sequence[Closure]) -> PermitRow:
    """Return the permit with its length and how much of it is gone, in days."""
    first, end = local_date(permit.valid_from), local_date(permit.valid_until)
    days = max((end - first).days, 1)
    return PermitRow(permit, days, min(max((local_date() - first).days, 0), days), closures)


def held_quotes(request: HttpRequest) -> list[Quote]:
    """Return what is held for this person until it is paid, the shortest time first."""
    if not request.user.is_authenticated:
        return []
    due = [quote for product in all_purchasables() if product.is_held for quote in product.list_due(request.user)]
    held = [(quote.held_until, quote) for quote in due if quote.held_until and not quote.lock_reason]
    return [quote for _until, quote in sorted(held, key=lambda pair: pair[0])]


def cart_sum(held: Sequence[Quote]) -> Decimal:
    """Return the sum that stands ticked on the payments page: what is held."""
    return sum((quote.amount for quote in held), ZERO)


def offered_languages() -> list[tuple[str, str]]:
    """Return the languages that the provider offers, as (code, own name); all of ours when it has chosen none."""
    chosen = get_provider().languages
    return [(code, str(name)) for code, name in settings.LANGUAGES if not chosen or code in chosen]


def part_of_day(moment: datetime) -> str:
    """Return morning, afternoon or evening, for the greeting; `moment` is local."""
    if moment.hour < 12:
        return "morning"
    return "afternoon" if moment.hour < 18 else "evening"
