"""What the permit pages show. Numbers are counted from their rows at each look, never stored."""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db.models import Count, Q, QuerySet
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from accounts.holds import ON_HOLD, can_buy
from accounts.models import User, UserType
from accounts.selectors import current_user_type
from opscom.core.errors import Decision, Refused
from opscom.provider.hours import describe_free_hours
from opscom.provider.models import Lot
from opscom.provider.selectors import get_provider, local_date
from payments.models import Rate
from payments.rates import lowest_rate
from payments.tax_sums import price_with_tax
from permits.closures import coming_closures, of_lot
from permits.eligibility import (
    conditions_hold,
    held_already,
    is_shown,
    live_permits,
    sale_conditions,
    within_person_limit,
)
from permits.models import LIVE, Closure, Permit, PermitQuerySet, PermitStatus, Sale, Slot, SlotState, TermKind
from permits.price_words import Line, describe_price, is_worth_explaining
from permits.proration import Price, price_standard
from permits.terms import permit_dates
from permits.validity import describe_validity, has_place
from permits.waiting_room import has_line
from permits.waitlist_cards import PersonFacts, WaitlistRow, waitlist_rows
from vehicles.models import Ownership


@dataclass(frozen=True, slots=True)
class Counts:
    """A sale's numbers: all that are in use, free ones, and those that somebody holds or has."""

    allotted: int = 0
    free: int = 0
    taken: int = 0


@dataclass(slots=True)
class Offer:
    """One sale as one person sees it. A temporary one's price is its lowest rate."""

    sale: Sale
    counts: Counts
    decision: Decision
    price: Decimal
    first_day: dt.date
    last_day: dt.date
    places: Sequence[str]
    waitlist: WaitlistRow | None = None
    parts: Sequence[dict[str, Any]] = ()
    closures: Sequence[Closure] = ()

    @property
    def price_lines(self) -> list[Line]:
        """How the price was made, without tax; nothing where it is simply the type's."""
        return describe_price(self.parts) if is_worth_explaining(self.parts) else []

    @property
    def is_full(self) -> bool:
        return isinstance(self.decision, Refused) and self.decision.code == "free"

    @property
    def is_on_hold(self) -> bool:
        """This person may buy nothing now."""
        return isinstance(self.decision, Refused) and self.decision.code == ON_HOLD

    @property
    def is_off_sale(self) -> bool:
        """Nobody can buy it now, for another reason than being full."""
        return isinstance(self.decision, Refused) and self.decision.code in ("opened", "not_closed", "closed")

    @property
    def has_line(self) -> bool:
        """One may come to its waiting room now, before it opens."""
        waits = isinstance(self.decision, Refused) and self.decision.code == "opened"
        return waits and has_line(self.sale, timezone.now())

    @property
    def rates(self) -> list[Rate]:
        """A temporary type's rates, in the order in which they count."""
        table = self.sale.permit_type.rate_table
        return list(table.rates.all()) if table else []

    @property
    def lowest_rate(self) -> Rate | None:
        """What 'from' stands before."""
        return lowest_rate(self.rates)

    @property
    def months(self) -> int:
        """How many months the price is for; 0 when it is for the whole term."""
        kind = self.sale.permit_type
        return 0 if kind.term_kind == TermKind.FIXED else kind.months


@dataclass(slots=True)
class LotCard:
    """A lot with what this person may have in it."""

    lot: Lot
    offers: list[Offer] = field(default_factory=list)
    temporary: list[Offer] = field(default_factory=list)
    closures: Sequence[Closure] = ()

    @property
    def free_hours(self) -> list[str]:
        """When nobody needs a permit here, in words."""
        return describe_free_hours(self.lot)

    @property
    def allotted(self) -> int:
        return sum(offer.counts.allotted for offer in self.offers)

    @property
    def taken(self) -> int:
        return sum(offer.counts.taken for offer in self.offers)

    @property
    def free(self) -> int:
        return sum(offer.counts.free for offer in self.offers)

    @property
    def is_full(self) -> bool:
        return bool(self.offers) and self.free == 0


def count_numbers(sales: Iterable[Sale]) -> dict[int, Counts]:
    """Return each sale's counts, in one query. Sales come with their lot and type."""
    sales = list(sales)
    rows = (
        Slot.objects.filter(sale__in=[sale.pk for sale in sales])
        .values("sale")
        .annotate(
            allotted=Count("pk", filter=~Q(state=SlotState.RETIRED)),
            free=Count("pk", filter=Q(state=SlotState.FREE)),
            taken=Count("pk", filter=Q(state__in=[SlotState.HELD, SlotState.TAKEN])),
        )
    )
    counts = {row["sale"]: Counts(row["allotted"], row["free"], row["taken"]) for row in rows}
    for sale in sales:
        if sale.permit_type.is_temporary:
            # Free or not is a question of the time: `Check Availability` answers it.
            counts[sale.pk] = Counts(sale.lot.temporary_spaces, sale.lot.temporary_spaces)
    return counts


def lot_cards(user: User, now: dt.datetime | None = None, *, buying: Decision | None = None) -> list[LotCard]:
    """Return the lots in which the portal shows this person anything to buy, in the office's order: a fixed number of queries.

    `buying`: what `can_buy` said of the person, when that is known already.
    """
    now = now or timezone.now()
    buying = buying or can_buy(user, now)
    user_type = current_user_type(user, local_date(now))
    cards: dict[int, LotCard] = {}
    live = live_permits(user, now)
    for offer in offers_for(user_type, now, live):
        if offer.decision.is_allowed:
            may_have = within_person_limit(user, offer.sale.permit_type, live)
            offer.decision = may_have if buying.is_allowed else buying
        card = cards.setdefault(offer.sale.lot_id, LotCard(offer.sale.lot, closures=offer.closures))
        (card.temporary if offer.sale.permit_type.is_temporary else card.offers).append(offer)
    standard = [offer for card in cards.values() for offer in card.offers]
    facts = PersonFacts(buying, user_type, live)
    rows = waitlist_rows(user, [(offer.sale, offer.counts) for offer in standard], facts, now=now)
    for offer in standard:
        offer.waitlist = rows.get(offer.sale.pk)
    return sorted(cards.values(), key=lambda card: (card.lot.position, card.lot.code))


def offers_for(
    user_type: UserType | None, now: dt.datetime, live: Sequence[Permit] = (), *, lot: Lot | None = None
) -> list[Offer]:
    """Return every sale (of this lot) that the portal shows to this user type now, priced for who holds these permits."""
    sales = load_sales().filter(is_active=True, lot__is_visible=True, permit_type__is_active=True)
    sales = sales.filter(lot=lot) if lot else sales
    still_on = Q(closes_at__isnull=True) | Q(closes_at__gt=now - dt.timedelta(days=14))
    rows = list(sales.filter(still_on))
    counts, closures = count_numbers(rows), coming_closures(now)
    offers = []
    for sale in rows:
        numbers = counts.get(sale.pk, Counts())
        conditions = sale_conditions(
            sale, user_type, now=now, allotted=numbers.allotted, free=numbers.free, closures=closures
        )
        if is_shown(conditions):
            offer = make_offer(sale, numbers, conditions_hold(conditions), now, live)
            offer.closures = of_lot(closures, sale.lot_id)
            offers.append(offer)
    return offers


def guest_offers(lot: Lot, now: dt.datetime | None = None) -> list[Offer]:
    """Return what the lot sells to people without an account."""
    offers = offers_for(None, now or timezone.now(), lot=lot)
    return [offer for offer in offers if offer.sale.permit_type.is_temporary and offer.sale.permit_type.is_for_guests]


def load_sales() -> QuerySet[Sale]:
    """Return sales with all that an offer shows."""
    return Sale.objects.select_related("lot", "permit_type__rate_table", "term").prefetch_related(
        "permit_type__rate_table__rates",
        "permit_type__user_types",
        "permit_type__taxes",
        "permit_type__validities__lots",
        "lot__free_hours",
    )


def make_offer(sale: Sale, counts: Counts, decision: Decision, now: dt.datetime, live: Sequence[Permit] = ()) -> Offer:
    """Return the sale as the holder of these live permits sees it, priced as the provider shows prices."""
    kind = sale.permit_type
    first, after_last = permit_dates(sale, local_date(now))
    from_rate = lowest_rate(kind.rate_table.rates.all()) if kind.rate_table else None
    if kind.is_temporary and from_rate:
        made = Price(from_rate.rate, [])
    else:
        made = price_standard(sale, first, after_last, other=held_already(live, kind))
    has_tax = get_provider().prices_include_tax
    return Offer(
        sale=sale,
        counts=counts,
        decision=decision,
        price=price_with_tax(made.net, list(kind.taxes.all())) if has_tax else made.net,
        parts=made.parts,
        first_day=first,
        last_day=after_last - dt.timedelta(days=1),
        places=describe_validity(kind, sale.lot),
    )


def vehicle_choices(sale: Sale, ownerships: Iterable[Ownership]) -> list[Ownership]:
    """Return the vehicles that this type of permit takes."""
    kinds = sale.permit_type.vehicle_kinds
    return [ownership for ownership in ownerships if not kinds or ownership.kind in kinds]


def live_permits_of(user: User) -> PermitQuerySet:
    """Return what the person has reserved or holds, the shortest hold first."""
    return load_permits().visible_to(user).holding(timezone.now()).order_by("held_until", "valid_until", "pk")


def load_permits() -> PermitQuerySet:
    """Return permits with all that their page shows."""
    return Permit.objects.select_related("sale__lot", "sale__permit_type", "holder").prefetch_related(
        "vehicle_links__vehicle", "sale__permit_type__validities__lots"
    )


def explain_payment(permit: Permit) -> str:
    """Return what everybody may know of a live permit whose money is promised; empty for any other."""
    if permit.promised_until is None or permit.status not in LIVE:
        return ""
    last_day = date_format(local_date(permit.promised_until - dt.timedelta(microseconds=1)), "DATE_FORMAT")
    if permit.status == PermitStatus.ACTIVE:
        return _("Paid but not Processed: valid until %(day)s while the money is awaited.") % {"day": last_day}
    return _("Paid but not Processed: held until %(day)s, not valid until the money is in.") % {"day": last_day}


def is_valid_now(permit: Permit, now: dt.datetime | None = None, *, closures: Sequence[Closure]) -> bool:
    """Say whether the permit is active, its dates have begun and not ended, and these closures leave it a place."""
    now = now or timezone.now()
    if permit.suspended_at is not None or (permit.promised_until is not None and permit.promised_until <= now):
        return False
    is_running = permit.status == PermitStatus.ACTIVE and permit.valid_from <= now < permit.valid_until
    return is_running and has_place(permit, now, closures)
