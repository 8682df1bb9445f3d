"""A number that came free is offered to who waits: a reserved permit whose hold ends at the deadline."""

import datetime as dt

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.holds import can_buy
from accounts.models import User
from accounts.selectors import current_user_type
from opscom.core import audit
from opscom.core.errors import Allowed, Busy, Decision, NotAllowed, Refused, Stale
from opscom.core.hooks import after_commit
from opscom.core.locks import lock_row
from opscom.provider.selectors import add_business_days, get_provider, get_time_zone, local_date, start_of_day
from payments.models import OrderLine
from permits import waitlist_emails
from permits.eligibility import conditions_hold, live_permits, sale_conditions
from permits.models import (
    LIVE,
    EntryStatus,
    Permit,
    PermitStatus,
    PermitType,
    Sale,
    Slot,
    Waitlist,
    WaitlistEntry,
    WaitlistOffer,
)
from permits.services.closing import close_permit
from permits.services.lining_up import close_entry, count_out, go_to_the_end, leave_line, relock, return_to_place
from permits.services.reserving import Hold, hold_number
from permits.terms import permit_dates
from vehicles.models import Ownership, Vehicle

# After so many offers that lapsed, one leaves the list.
MOST_LAPSES = 2


def offer_deadline(now: dt.datetime, sale: Sale | None = None) -> dt.datetime:
    """Return until when an offer made now holds: the office's closing time on the last of the provider's business days.

    Of this sale, not beyond the end of the permit itself.
    """
    provider = get_provider()
    day = add_business_days(local_date(now), provider.waitlist_offer_days)
    deadline = dt.datetime.combine(day, provider.office_closes, tzinfo=get_time_zone())
    if sale is None:
        return deadline
    _first, after_last = permit_dates(sale, local_date(now))
    return min(deadline, start_of_day(after_last))


def given_back_for(person: User, kind: PermitType, now: dt.datetime) -> Permit | None:
    """Return the permit that the person would give back for one of this type: theirs that ends first; None: the limit has room."""
    counted = [permit for permit in live_permits(person, now) if permit.limit_group == kind.limit_group]
    if len(counted) < kind.max_per_person:
        return None
    active = [
        permit
        for permit in counted
        if permit.status == PermitStatus.ACTIVE and not permit.is_temporary and permit.promised_until is None
    ]
    return min(active, key=lambda permit: (permit.valid_until, permit.pk), default=None)


def can_take(entry: WaitlistEntry, sale: Sale, now: dt.datetime) -> Decision:
    """Say whether the person in line may be offered a number of the sale now."""
    person, kind = entry.person, sale.permit_type
    if not person.is_active:
        return Refused("closed", _("The account is closed."))
    buying = can_buy(person, now)
    if not buying.is_allowed:
        return buying
    user_type = current_user_type(person, local_date(now))
    decision = conditions_hold(sale_conditions(sale, user_type, now=now, allotted=1, free=1))
    if not decision.is_allowed:
        return decision
    counted = [permit for permit in live_permits(person, now) if permit.limit_group == kind.limit_group]
    if any(permit.sale.lot_id == sale.lot_id and permit.sale.permit_type_id == kind.pk for permit in counted):
        return Refused("holder", _("Holds a permit of this lot already."))
    if len(counted) >= kind.max_per_person and given_back_for(person, kind, now) is None:
        return Refused("person_limit", _("Has reserved as many permits of this kind as one may have."))
    return Allowed()


def offer_number(
    *, entry: WaitlistEntry, slot: Slot, now: dt.datetime, offered_by: User | None = None, skip_reason: str = ""
) -> WaitlistOffer:
    """Hold the locked number for who waits, and tell them; the list is locked.

    Raises Stale when the person took or reserved something in this very moment: look again.
    """
    sale, person = slot.sale, entry.person
    old = given_back_for(person, sale.permit_type, now)
    terms = Hold(
        until=offer_deadline(now, sale),
        vehicles=usable_vehicles(entry, sale.permit_type, now),
        may_exceed_limit=True,
        # What is given back in exchange is no other permit beside this one.
        counts_others=old is None,
    )
    try:
        with transaction.atomic():
            # First: it locks the place in line, as `lock_offered` does where late money for an earlier offer arrives.
            leave_line(entry, EntryStatus.OFFERED)
            if not WaitlistEntry.objects.filter(pk=entry.pk, person=person).exists():
                raise Stale(_("This record changed while you were looking at it. Please reload."))
            permit = hold_number(slot=slot, holder=person, terms=terms, actor=offered_by, now=now)
            offer = WaitlistOffer.objects.create(
                entry=entry,
                permit=permit,
                offered_by=offered_by,
                skip_reason=skip_reason,
                deadline=terms.until,
                gives_back=old,
            )
            audit.record(
                "waitlist.offered", entry, actor=offered_by, number=slot.number, until=terms.until, reason=skip_reason
            )
            waitlist_emails.offered(offer)
    except IntegrityError as error:
        raise Stale(_("This person reserved a permit at this very moment. Please look again.")) from error
    return offer


def usable_vehicles(entry: WaitlistEntry, kind: PermitType, now: dt.datetime) -> list[Vehicle]:
    """Return the vehicle chosen at joining while it may be used, else another of theirs; none when they have none."""
    owned = Ownership.objects.visible_to(entry.person).usable(local_date(now)).select_related("vehicle").order_by("pk")
    fitting = [row.vehicle for row in owned if not kind.vehicle_kinds or row.kind in kind.vehicle_kinds]
    chosen = [vehicle for vehicle in fitting if vehicle.pk == entry.vehicle_id]
    return (chosen or fitting)[:1]


@transaction.atomic
def decline_offer(*, offer: WaitlistOffer, stays: bool, actor: User) -> None:
    """Let the number go to the next in line. `stays`: the person goes to the end of the line, else they leave the list.

    Raises NotAllowed when the offer is over, paid or promised.
    """
    waitlist, permit = _lock_offer(offer)
    if permit.promised_until is not None:
        raise NotAllowed(_("You promised to bring the money for it. To give it back, take that promise back first."))
    entry = offer.entry
    entry.refresh_from_db()
    close_permit(permit, PermitStatus.CANCELLED)
    if stays:
        go_to_the_end(waitlist, entry)
    else:
        close_entry(entry, EntryStatus.LEFT)
    audit.record("waitlist.declined", entry, actor=actor, number=permit.number, stays=stays)


@transaction.atomic
def extend_offer(*, offer: WaitlistOffer, until: dt.datetime, actor: User) -> None:
    """The office gives the person more time; raises NotAllowed when the offer is over, or the time is not longer."""
    _waitlist, permit = _lock_offer(offer)
    if until <= offer.deadline or until <= timezone.now():
        raise NotAllowed(_("Choose a time after the present deadline."))
    if until >= permit.valid_until:
        raise NotAllowed(_("The permit itself would be over by then."))
    WaitlistOffer.objects.filter(pk=offer.pk).update(deadline=until)
    Permit.objects.filter(pk=permit.pk).update(held_until=max(until, permit.held_until or until))
    audit.record("waitlist.extended", offer.entry, actor=actor, number=permit.number, until=until)
    offer.refresh_from_db()
    waitlist_emails.extended(offer)


@transaction.atomic
def release_offer(*, offer: WaitlistOffer, reason: str, actor: User) -> None:
    """The office takes an offer back: the person returns to the place that they had.

    That very number is not offered to them again by itself: it goes to the next in line, or waits for the office's pick.
    Raises NotAllowed when the offer is over, paid or promised.
    """
    _waitlist, permit = _lock_offer(offer)
    if permit.promised_until is not None:
        raise NotAllowed(_("Its money is promised: call that promise off first, with the order that it belongs to."))
    entry = offer.entry
    entry.refresh_from_db()
    close_permit(permit, PermitStatus.CANCELLED)
    WaitlistOffer.objects.filter(pk=offer.pk).update(withdrawn_at=timezone.now())
    return_to_place(entry)
    audit.record("waitlist.released", entry, actor=actor, number=permit.number, reason=reason)
    waitlist_emails.released(offer, reason)


def _lock_offer(offer: WaitlistOffer) -> tuple[Waitlist, Permit]:
    """Lock the list, then the permit of an open offer."""
    waitlist = relock(offer.entry.waitlist)
    permit = lock_row(Permit.objects.filter(pk=offer.permit_id), "product", "permit")
    if permit.status != PermitStatus.RESERVED:
        raise NotAllowed(_("This offer is over."))
    return waitlist, permit


def settle_lapsed(waitlist: Waitlist) -> None:
    """Decide about everybody of the locked list whose offer is over and who was not moved yet: they lapsed, or it was undone.

    After the first lapsed offer one goes to the end of the line, after the second off the list.
    """
    over = WaitlistEntry.objects.filter(waitlist=waitlist, status=EntryStatus.OFFERED)
    over = over.exclude(offers__permit__status__in=LIVE).select_related("person", "waitlist")
    for entry in over.order_by("pk"):
        offer = entry.offers.select_related("permit").latest("pk")
        if offer.permit.status == PermitStatus.LAPSED:
            _note_lapse(waitlist, entry, offer)
        elif offer.permit.status in (PermitStatus.ENDED, PermitStatus.REVOKED):
            # Valid while its money was promised, and over since: they had it.
            close_entry(entry, EntryStatus.SERVED)
        else:
            go_to_the_end(waitlist, entry)


def _note_lapse(waitlist: Waitlist, entry: WaitlistEntry, offer: WaitlistOffer) -> None:
    lapses = entry.lapses + 1
    is_out = lapses >= MOST_LAPSES
    if is_out:
        close_entry(entry, EntryStatus.REMOVED, lapses=lapses)
    else:
        go_to_the_end(waitlist, entry, lapses=lapses)
    audit.record("waitlist.lapsed", entry, number=offer.permit.number, removed=is_out)
    waitlist_emails.lapsed(offer, is_out=is_out)
    if get_provider().is_waitlist_managed:
        waitlist_emails.lapsed_to_office(offer)


def later_offer(offer: WaitlistOffer) -> Permit | None:
    """Return the permit of another offer to the same place in line that is open: not paid, not promised."""
    paid = OrderLine.objects.filter(kind="permit", object_id=OuterRef("pk"), settled=True)
    open_ones = Permit.objects.filter(~Exists(paid), status=PermitStatus.RESERVED, promised_until=None)
    return open_ones.filter(offer__entry=offer.entry_id).exclude(pk=offer.permit_id).order_by("pk").first()


def lock_offered(permit: Permit) -> WaitlistOffer | None:
    """Lock the place in line to which a locked permit was offered, and return the offer; None for one that was not.

    Without the list's lock, which comes earlier in the order than the money's. What was offered to the same place since
    is locked before it. Raises Busy when an offer was made in this very moment.
    """
    offer = WaitlistOffer.objects.filter(permit=permit).first()
    if offer is None:
        return None
    later = later_offer(offer)
    if later:
        lock_row(Permit.objects.filter(pk=later.pk), "product", "permit")
    offer.entry = lock_row(
        WaitlistEntry.objects.filter(pk=offer.entry_id).select_related("person", "waitlist"), "product", "place"
    )
    if later_offer(offer) != later:
        raise Busy
    return offer


def replaces_another(offer: WaitlistOffer) -> bool:
    """Say whether a permit will be given back for it, beside which it may stand until then."""
    return offer.gives_back is not None and offer.gives_back.status == PermitStatus.ACTIVE


def serve(offer: WaitlistOffer | None) -> None:
    """The person paid for what was offered, and `lock_offered` locked: they are on the list no more, wherever they stand.

    Late money for an offer that lapsed counts them out, too.
    """
    if offer is None or offer.entry.status == EntryStatus.SERVED:
        return
    entry = offer.entry
    was_waiting = entry.status == EntryStatus.WAITING
    close_entry(entry, EntryStatus.SERVED)
    if was_waiting:
        count_out(entry)
    audit.record("waitlist.served", entry, actor=entry.person, number=offer.permit.number)
    if offer.gives_back_id:
        after_commit(give_back_soon, offer.pk)


def give_back_soon(offer_id: int) -> None:
    """Give the old permit back right after the commit that made the new one active; when this fails, the beat does it."""
    from permits.services.exchanging import give_back_exchanged  # noqa: PLC0415 - exchanging needs the money's side

    give_back_exchanged(offer_id)
