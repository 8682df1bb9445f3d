"""What the permit pages show. Numbers are counted from their rows at each look, never stored."""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

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
from payments.rates import price_with_tax
from permits.eligibility import conditions_hold, is_shown, live_permits, sale_conditions, within_person_limit
from permits.models import LIVE, Permit, PermitQuerySet, PermitStatus, Sale, Slot, SlotState, TermKind
from permits.terms import permit_dates
from permits.validity import describe_validity
from vehicles.models import Ownership


@dataclass(frozen=True, slots=True)
class Counts:
    """A sale's numbers: all that are in use, free ones, and those that somebody holds or has."""

    allotted: int = 0
    free: int = 0
    taken: int = 0


@dataclass(slots=True)
class Offer:
    """One sale as one person sees it."""

    sale: Sale
    counts: Counts
    decision: Decision
    price: Decimal
    first_day: dt.date
    last_day: dt.date
    places: Sequence[str]

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
        return isinstance(self.decision, Refused) and self.decision.code in ("opened", "not_closed")

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
        return self.free == 0


def count_numbers(sales: Iterable[Sale]) -> dict[int, Counts]:
    """Return each sale's counts, in one query."""
    rows = (
        Slot.objects.filter(sale__in=[sale.pk for sale in sales])
        .values("sale")
        .annotate(
            allotted=Count("pk", filter=~Q(state=SlotState.RETIRED)),
            free=Count("pk", filter=Q(state=SlotState.FREE)),
            taken=Count("pk", filter=Q(state__in=[SlotState.HELD, SlotState.TAKEN])),
        )
    )
    return {row["sale"]: Counts(row["allotted"], row["free"], row["taken"]) for row in rows}


def lot_cards(user: User, now: dt.datetime | None = None, *, buying: Decision | None = None) -> list[LotCard]:
    """Return the lots in which the portal shows this person anything to buy, in the office's order: a fixed number of queries.

    `buying`: what `can_buy` said of the person, when that is known already.
    """
    now = now or timezone.now()
    buying = buying or can_buy(user, now)
    user_type = current_user_type(user, local_date(now))
    cards: dict[int, LotCard] = {}
    live = live_permits(user, now)
    for offer in offers_for(user_type, now):
        if offer.decision.is_allowed:
            may_have = within_person_limit(user, offer.sale.permit_type, live)
            offer.decision = may_have if buying.is_allowed else buying
        cards.setdefault(offer.sale.lot_id, LotCard(offer.sale.lot)).offers.append(offer)
    return sorted(cards.values(), key=lambda card: (card.lot.position, card.lot.code))


def offers_for(user_type: UserType | None, now: dt.datetime) -> list[Offer]:
    """Return every sale that the portal shows to this user type now."""
    sales = load_sales().filter(is_active=True, lot__is_visible=True, permit_type__is_active=True)
    still_on = Q(closes_at__isnull=True) | Q(closes_at__gt=now - dt.timedelta(days=14))
    rows = list(sales.filter(still_on))
    counts = count_numbers(rows)
    offers = []
    for sale in rows:
        numbers = counts.get(sale.pk, Counts())
        conditions = sale_conditions(sale, user_type, now=now, allotted=numbers.allotted, free=numbers.free)
        if is_shown(conditions):
            offers.append(make_offer(sale, numbers, conditions_hold(conditions), now))
    return offers


def load_sales() -> QuerySet[Sale]:
    """Return sales with all that an offer shows."""
    return Sale.objects.select_related("lot", "permit_type", "term").prefetch_related(
        "permit_type__user_types", "permit_type__taxes", "permit_type__validities__lots", "lot__free_hours"
    )


def make_offer(sale: Sale, counts: Counts, decision: Decision, now: dt.datetime) -> Offer:
    """Return the sale as a person sees it, priced as the provider shows prices."""
    kind = sale.permit_type
    first, after_last = permit_dates(sale, local_date(now))
    price = price_with_tax(kind.price, list(kind.taxes.all())) if get_provider().prices_include_tax else kind.price
    return Offer(
        sale=sale,
        counts=counts,
        decision=decision,
        price=price,
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


def is_valid_now(permit: Permit, now: dt.datetime | None = None) -> bool:
    """Say whether the permit is active and its dates have begun and not ended."""
    now = now or timezone.now()
    if permit.promised_until is not None and permit.promised_until <= now:
        return False
    return permit.status == PermitStatus.ACTIVE and permit.valid_from <= now < permit.valid_until
