"""Rolling the holders of one sale into another one: who would get what, for how much, and who cannot, and why.

Reads only, in a fixed number of queries for any number of permits: the preview shows thousands.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db.models import Q, QuerySet, prefetch_related_objects
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from accounts.holds import can_buy
from accounts.models import AccountHold, User, UserType
from accounts.selectors import covers, default_user_type
from opscom.core.errors import Allowed, Decision, Refused
from opscom.provider.selectors import local_date, start_of_day
from payments.models import StoredMethod, Subscription, SubscriptionUse, TaxExemption, TaxRate
from payments.stored import may_pay_for
from payments.taxing import rates_for
from permits.eligibility import conditions_hold, sale_conditions, vehicles_suit, within_person_limit
from permits.models import LIVE, Permit, PermitStatus, RollRun, Sale, SlotState
from permits.proration import price_standard
from permits.renewals import Price, holder_of, is_chargeable, with_taxes
from permits.terms import permit_dates
from vehicles.models import Ownership

# What the sale itself must be: open for everybody it need not be, that is the office's to decide.
ASKED = frozenset({"type_active", "user_type", "dates_set", "not_over"})
ONE_DAY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Plan:
    """From which sale into which, only these user types (none: all), until when they pay, on which day who can is charged."""

    source: Sale
    target: Sale
    pay_by: dt.date
    charge_on: dt.date | None = None
    user_types: frozenset[int] = frozenset()
    skips_switched_off: bool = False

    @property
    def held_until(self) -> dt.datetime:
        """The first instant at which it is too late to pay."""
        return start_of_day(self.pay_by + ONE_DAY)


@dataclass(frozen=True, slots=True)
class Line:
    """One holder's permit in the roll: what would come of it. `method`: what is charged on the plan's day."""

    permit: Permit
    decision: Decision
    first: dt.date
    after_last: dt.date
    price: Price | None = None
    method: StoredMethod | None = None

    @property
    def reason(self) -> str:
        """Why not; empty for who is rolled."""
        return str(self.decision.reason) if isinstance(self.decision, Refused) else ""

    @property
    def last_day(self) -> dt.date:
        return self.after_last - ONE_DAY


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of the holders of some permits, loaded for all of them together."""

    live: dict[int, list[Permit]]
    on_hold: frozenset[int]
    kinds: dict[int, dict[int, str]]
    exempt: frozenset[int]
    methods: dict[int, StoredMethod]
    rolled: frozenset[int]
    default_type: UserType | None
    rates: list[TaxRate]


def plan_of(run: RollRun) -> Plan:
    """Return what a roll was started with."""
    return Plan(
        source=run.source,
        target=run.target,
        pay_by=run.pay_by,
        charge_on=run.charge_on,
        user_types=frozenset(run.user_types.values_list("pk", flat=True)),
        skips_switched_off=run.skips_switched_off,
    )


def permits_to_roll(source: Sale) -> QuerySet[Permit]:
    """Return the sale's running permits, those bought first on top, with all that `examine` reads."""
    permits = Permit.objects.filter(sale=source, status=PermitStatus.ACTIVE, holder__isnull=False).counting()
    loaded = permits.select_related("sale__lot", "sale__permit_type", "holder__user_type", "rollover")
    return loaded.prefetch_related("vehicle_links__vehicle").order_by("pk")


def preview(plan: Plan, now: dt.datetime) -> list[Line]:
    """Return every line of the plan, in the order in which numbers are given; who comes when none is left is refused."""
    free = plan.target.slots.filter(state__in=[SlotState.FREE, SlotState.FOR_LIST]).count()
    lines = []
    for line in examine(plan, list(permits_to_roll(plan.source)), now):
        if line.decision.is_allowed:
            free -= 1
        is_short = line.decision.is_allowed and free < 0
        lines.append(_without_number(line) if is_short else line)
    return lines


def _without_number(line: Line) -> Line:
    return Line(line.permit, no_number(), line.first, line.after_last)


def no_number() -> Refused:
    """Return the refusal of who comes when every number of the target is taken."""
    return Refused("full", _("No number of the new sale is free."))


def examine(plan: Plan, permits: Sequence[Permit], now: dt.datetime) -> list[Line]:
    """Return what would come of each of these permits, numbers aside: see `permits_to_roll`."""
    prefetch_related_objects([plan.target], "permit_type__user_types", "permit_type__taxes")
    facts = _load_facts(plan, permits, now)
    return [_examine(plan, permit, facts, now) for permit in permits]


def _examine(plan: Plan, permit: Permit, facts: Facts, now: dt.datetime) -> Line:
    holder = holder_of(permit)
    day = local_date(permit.valid_until)
    first, after_last = permit_dates(plan.target, day)
    decision = _decide(plan, permit, facts, first, after_last, now)
    if not decision.is_allowed:
        return Line(permit, decision, first, after_last)
    group = plan.target.permit_type.limit_group
    others = [one for one in facts.live[holder.pk] if one.limit_group == group and one.pk != permit.pk]
    is_second = any(one.status == PermitStatus.ACTIVE for one in others)
    made = price_standard(plan.target, first, after_last, other="active" if is_second else "none")
    if holder.pk in facts.exempt:
        rates, number = rates_for(holder, facts.rates, local_date(now))
    else:
        rates, number = facts.rates, ""
    method = facts.methods.get(holder.pk) if plan.charge_on else None
    return Line(permit, Allowed(), first, after_last, with_taxes(made, rates, number, holder.language), method)


def _decide(
    plan: Plan, permit: Permit, facts: Facts, first: dt.date, after_last: dt.date, now: dt.datetime
) -> Decision:
    holder, kind = holder_of(permit), plan.target.permit_type
    user_type = holder.user_type if holder.user_type and covers(holder, first) else facts.default_type
    for decision in (
        _is_meant(plan, permit, user_type),
        _dates_follow(plan, permit, first, after_last),
        Refused("rolled", _("It has a next permit already.")) if permit.pk in facts.rolled else Allowed(),
        can_buy(holder, now) if holder.pk in facts.on_hold else Allowed(),
        _sale_takes(plan.target, user_type, now),
        within_person_limit(holder, kind, [one for one in facts.live[holder.pk] if one.pk != permit.pk]),
        vehicles_suit(kind, [link.vehicle for link in permit.vehicle_links.all()], facts.kinds[holder.pk]),
    ):
        if not decision.is_allowed:
            return decision
    return Allowed()


def _is_meant(plan: Plan, permit: Permit, user_type: UserType | None) -> Decision:
    if permit.status != PermitStatus.ACTIVE or permit.promised_until is not None:
        return Refused("not_active", _("It is not active, or its money has not come in yet."))
    if permit.suspended_at is not None:
        return Refused("suspended", _("It is suspended: %(reason)s") % {"reason": permit.suspension_reason})
    if plan.user_types and (user_type is None or user_type.pk not in plan.user_types):
        return Refused("not_chosen", _("This user type is not chosen."))
    row = getattr(permit, "rollover", None)
    if plan.skips_switched_off and permit.permit_type.is_rollover_offered and not (row and row.is_on):
        return Refused("switched_off", _("Not renewable: Permit Rollover is switched off."))
    return Allowed()


def _dates_follow(plan: Plan, permit: Permit, first: dt.date, after_last: dt.date) -> Decision:
    begins = plan.target.valid_from
    if begins is not None and start_of_day(begins) < permit.valid_until:
        day = date_format(begins, "DATE_FORMAT")
        return Refused("overlaps", _("The new sale begins on %(day)s, before this permit ends.") % {"day": day})
    if first >= after_last:
        return Refused("over", _("The new sale is over when this permit ends."))
    return Allowed()


def _sale_takes(target: Sale, user_type: UserType | None, now: dt.datetime) -> Decision:
    conditions = sale_conditions(target, user_type, now=now, allotted=1, free=1)
    return conditions_hold(one for one in conditions if one.code in ASKED)


def _load_facts(plan: Plan, permits: Sequence[Permit], now: dt.datetime) -> Facts:
    people = {holder_of(permit).pk for permit in permits}
    live: dict[int, list[Permit]] = defaultdict(list)
    for permit in Permit.objects.filter(holder__in=people).holding(now).counting().order_by("reserved_at"):
        live[permit.holder_id or 0].append(permit)
    kinds: dict[int, dict[int, str]] = defaultdict(dict)
    vehicles = {link.vehicle_id for permit in permits for link in permit.vehicle_links.all()}
    for owned in Ownership.objects.usable(local_date(now)).filter(user__in=people, vehicle__in=vehicles):
        kinds[owned.user_id][owned.vehicle_id] = owned.kind
    # Who gave the new permit back, or let it lapse, is not given a second one by another run.
    renewed = Permit.objects.filter(Q(status__in=LIVE) | Q(sale=plan.target), renews__in=permits)
    return Facts(
        live=live,
        on_hold=frozenset(AccountHold.objects.filter(person__in=people).running(now).values_list("person", flat=True)),
        kinds=kinds,
        exempt=frozenset(
            TaxExemption.objects.filter(person__in=people).valid_on(local_date(now)).values_list("person", flat=True)
        ),
        methods=_methods_of(people) if plan.charge_on else {},
        rolled=frozenset(pk for pk in renewed.values_list("renews", flat=True) if pk),
        default_type=default_user_type(),
        rates=list(plan.target.permit_type.taxes.all()),
    )


def _methods_of(people: Iterable[int]) -> dict[int, StoredMethod]:
    use = SubscriptionUse.PERMIT_ROLLOVER
    rows = Subscription.objects.filter(person__in=people, use=use, stored_method__removed_at__isnull=True)
    chosen = {row.person_id: row.stored_method for row in rows.select_related("stored_method__method")}
    return {pk: stored for pk, stored in chosen.items() if may_pay_for(stored, use) and is_chargeable(stored)}


def holder_name(person: User) -> str:
    """Return how the office knows the person, in lists and files."""
    return f"{person} <{person.contact_email}>" if person.contact_email else str(person)
