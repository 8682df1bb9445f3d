"""Join a waitlist, and leave it."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.holds import can_buy
from accounts.models import User, UserType
from accounts.selectors import current_user_type, require_proved
from accounts.services.people import lock_person
from opscom.core import audit
from opscom.core.errors import Allowed, Decision, NotAllowed, Refused
from opscom.provider.selectors import get_provider, local_date
from permits import waitlist_emails
from permits.eligibility import first_failing, live_permits, sale_conditions
from permits.models import EntryStatus, Permit, Sale, SlotState, WaitlistEntry
from permits.services.lining_up import count_in, leave_line, lock_list, relock, take_ticket
from vehicles.models import Ownership, Vehicle

# A class for who has no user type.
PLAIN_PRIORITY = 5


def has_waitlist(sale: Sale) -> bool:
    """Say whether the sale's lot has waitlists; temporary permits have none."""
    return sale.lot.is_waitlist_on and not sale.permit_type.is_temporary


def priority_of(person: User, now: dt.datetime) -> int:
    """Return the person's class on waitlists: that of their user type."""
    user_type = current_user_type(person, local_date(now))
    return user_type.waitlist_priority if user_type else PLAIN_PRIORITY


@dataclass(frozen=True, slots=True)
class JoinFacts:
    """What decides about joining: the person's holds, type and live permits (with their sales), and the sale's numbers."""

    buying: Decision
    user_type: UserType | None
    live: Sequence[Permit]
    allotted: int
    free: int
    is_on_list: bool


def can_join(*, person: User, sale: Sale, facts: JoinFacts, now: dt.datetime) -> Decision:
    """Say whether the person may wait for a permit of this sale's type in its lot, or which rule refuses it; no query."""
    if not has_waitlist(sale):
        return Refused("no_list", _("This lot has no waitlist."))
    for decision in (require_proved(person, "waitlist"), facts.buying):
        if not decision.is_allowed:
            return decision
    conditions = sale_conditions(sale, facts.user_type, now=now, allotted=facts.allotted, free=1)
    failing = first_failing([one for one in conditions if one.hides or one.code == "not_closed"])
    if failing:
        return Refused(failing.code, failing.refusal)
    pair = (sale.lot_id, sale.permit_type_id)
    held = next((one for one in facts.live if (one.sale.lot_id, one.sale.permit_type_id) == pair), None)
    if held:
        return Refused("holder", _("You hold a permit of this lot already: %(number)s.") % {"number": held.number})
    if facts.is_on_list:
        return Refused("twice", _("You are on this waitlist already."))
    if facts.free > 0 and get_provider().is_waitlist_only_when_full:
        return Refused("not_full", _("Permits are free: you can reserve one now, nobody has to wait."))
    return Allowed()


def load_facts(person: User, sale: Sale, now: dt.datetime) -> JoinFacts:
    """Return what decides about joining now."""
    slots = sale.slots.exclude(state=SlotState.RETIRED)
    on_list = WaitlistEntry.objects.on_list().filter(
        person=person, waitlist__lot=sale.lot_id, waitlist__permit_type=sale.permit_type_id
    )
    return JoinFacts(
        buying=can_buy(person, max(now, timezone.now())),
        user_type=current_user_type(person, local_date(now)),
        live=live_permits(person, now),
        allotted=slots.count(),
        free=slots.filter(state=SlotState.FREE).count(),
        is_on_list=on_list.exists(),
    )


def join_waitlist(
    *, person: User, sale: Sale, vehicle: Vehicle | None, actor: User | None = None, now: dt.datetime | None = None
) -> WaitlistEntry:
    """Put the person at the end of their class; raises NotAllowed with the rule that refuses. Twice is refused, too.

    `vehicle`: the one that an offer will be made out for.
    """
    now = now or timezone.now()
    try:
        with transaction.atomic():
            lock_person(person)
            waitlist = lock_list(sale)
            can_join(person=person, sale=sale, facts=load_facts(person, sale, now), now=now).or_raise()
            if vehicle and not Ownership.objects.visible_to(person).usable(local_date(now)).filter(vehicle=vehicle):
                raise NotAllowed(_("Choose active vehicles of your own."))
            entry = WaitlistEntry.objects.create(
                waitlist=waitlist,
                person=person,
                priority=priority_of(person, now),
                ticket=take_ticket(waitlist),
                vehicle=vehicle,
            )
            count_in(entry)
            audit.record("waitlist.joined", entry, actor=actor or person, place=entry.ticket)
            waitlist_emails.joined(entry)
            return entry
    except IntegrityError as error:
        if "permits_waitlistentry_once" not in str(error):
            raise
        raise NotAllowed(_("You are on this waitlist already.")) from error


@transaction.atomic
def leave_waitlist(*, entry: WaitlistEntry, actor: User) -> None:
    """Take a waiting person off the list, at their own wish; raises NotAllowed when they no longer wait.

    Who has an offer declines it instead.
    """
    relock(entry.waitlist)
    entry.refresh_from_db()
    if entry.status != EntryStatus.WAITING:
        raise NotAllowed(_("You do not wait in this line any more. Please look at the list again."))
    leave_line(entry, EntryStatus.LEFT)
    audit.record("waitlist.left", entry, actor=actor)
