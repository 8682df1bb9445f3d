"""What the office does with lockers: emptied after a rental, moved to another one, added by list or by range."""

import datetime as dt
import re
from collections.abc import Sequence
from decimal import Decimal

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from lockers import emails
from lockers.locking import KIND, lock_locker
from lockers.models import LIVE, Area, Locker, LockerSize, LockKind, Rental, RentalStatus
from lockers.rules import taken
from lockers.services.closing import has_begun, must_be_emptied
from lockers.services.combinations import write_combination
from opscom.core import audit
from opscom.core.errors import DomainError, NotAllowed, Stale
from opscom.core.locks import lock_rows
from payments.models import Deposit, DepositStatus
from payments.services.deposits import decide_locked, lock_order_of

MOST_LOCKERS = 1000


def deposit_to_decide(locker: Locker) -> Deposit | None:
    """Return the held deposit of who has left the locker; none while they rent another one with it."""
    left_by = locker.left_by
    if left_by is None or left_by.status in LIVE or left_by.deposit is None:
        return None
    return left_by.deposit if left_by.deposit.status == DepositStatus.HELD else None


@transaction.atomic
def empty_locker(
    *, locker: Locker, actor: User, combination: str = "", returned: Decimal | None = None, reason: str = ""
) -> None:
    """The locker is empty: it can be let again, with a new combination; and the deposit is decided about.

    `returned`: how much of the deposit goes back; None: all of it. Raises NotAllowed when it need not be emptied,
    DomainError without the new combination that its lock needs.
    """
    before = Locker.objects.select_related("left_by__deposit").get(pk=locker.pk)
    deposit = deposit_to_decide(before)
    if deposit is not None:
        lock_order_of(deposit)
        back = deposit.amount if returned is None else returned
        decide_locked(deposit=deposit, returned=back, actor=actor, reason=reason)
    locker = lock_locker(locker.pk)
    if locker.to_empty_since is None:
        raise NotAllowed(_("Locker %(number)s need not be emptied.") % {"number": locker})
    if locker.left_by_id != before.left_by_id:
        raise Stale(_("Somebody else changed this in the meantime. Please look again."))
    if locker.area.lock_kind == LockKind.COMBINATION:
        write_combination(locker, combination)
    Locker.objects.filter(pk=locker.pk).update(to_empty_since=None, left_by=None)
    audit.record("locker.emptied", locker, actor=actor)


@transaction.atomic
def switch_locker(*, rental: Rental, to: Locker, actor: User, reason: str, now: dt.datetime | None = None) -> Rental:
    """Move a live rental, and what renews it, to another locker for the rest of its time; the renter is told.

    Raises NotAllowed when it is over, or when the other locker cannot be let or is taken in that time.
    """
    now = now or timezone.now()
    former_id = Rental.objects.values_list("locker", flat=True).get(pk=rental.pk)
    locked = {one.pk: one for one in lock_rows(Locker.objects.filter(pk__in=[former_id, to.pk]), "product", KIND)}
    moved = list(
        Rental.objects.live()
        .filter(pk=rental.pk, locker=former_id)
        .union(Rental.objects.live().filter(renews=rental.pk, locker=former_id))
        .order_by("pk")
    )
    if rental.pk not in {one.pk for one in moved} or former_id == to.pk:
        raise NotAllowed(_("Only a rental that is not over can be moved, and to another locker."))
    _check_target(locked[to.pk], moved)
    current = next(one for one in moved if one.pk == rental.pk)
    try:
        with transaction.atomic():
            Rental.objects.filter(pk__in=[one.pk for one in moved]).update(locker=to)
    except IntegrityError as error:
        raise NotAllowed(taken(to).reason) from error
    if current.status == RentalStatus.ACTIVE and has_begun(current, now):
        must_be_emptied(locked[former_id], current, now)
    rental.refresh_from_db()
    audit.record("rental.switched", rental, actor=actor, former=str(locked[former_id]), reason=reason)
    if current.status == RentalStatus.ACTIVE:
        emails.switched(rental, former=locked[former_id], reason=reason)
    return rental


def _check_target(to: Locker, moved: Sequence[Rental]) -> None:
    usable = Locker.objects.filter(pk=to.pk, out_of_order="", to_empty_since=None)
    needs = to.area.lock_kind == LockKind.COMBINATION
    if not usable.exists() or (needs and not to.has_combination):
        raise NotAllowed(_("Locker %(number)s cannot be rented now. Please choose another one.") % {"number": to})
    for one in moved:
        others = Rental.objects.live().filter(locker=to, starts_at__lt=one.ends_at, ends_at__gt=one.starts_at)
        if others.exists():
            raise NotAllowed(taken(to).reason)


def make_numbers(*, first: int, last: int, prefix: str = "", postfix: str = "", digits: int = 0) -> list[str]:
    """Return the numbers of a range, both ends included, each with prefix and postfix, filled with zeros to `digits`."""
    if not 0 <= first <= last or last - first >= MOST_LOCKERS:
        raise DomainError(
            _("A range goes from a smaller to a greater number, with %(most)d lockers at most.")
            % {"most": MOST_LOCKERS}
        )
    return [f"{prefix}{number:0{digits}d}{postfix}" for number in range(first, last + 1)]


def read_list(text: str) -> list[str]:
    """Return the numbers of a list, separated by commas, semicolons or lines, each once."""
    return list(dict.fromkeys(filter(None, (part.strip() for part in re.split(r"[,;\r\n]+", text)))))


@transaction.atomic
def add_lockers(
    *, area: Area, numbers: Sequence[str], columns: int, size: str, is_accessible: bool, is_visible: bool, actor: User
) -> list[Locker]:
    """Add lockers in rows of so many columns, below those that are there. DomainError when a number is not one, or is there."""
    if not numbers or len(numbers) > MOST_LOCKERS:
        raise DomainError(_("Between 1 and %(most)d lockers can be added at a time.") % {"most": MOST_LOCKERS})
    rule = Locker._meta.get_field("number").validators[0]
    wrong = [number for number in numbers if len(number) > 20 or not re.match(rule.regex, number)]  # type: ignore[attr-defined]
    if wrong:
        raise DomainError(_("This is no number of a locker: %(number)s") % {"number": wrong[0][:40]})
    last_row = area.lockers.order_by("-row").values_list("row", flat=True).first() or 0
    rows = [
        Locker(
            area=area,
            number=number,
            row=last_row + 1 + place // columns,
            column=place % columns + 1,
            size=LockerSize(size),
            is_accessible=is_accessible,
            is_visible=is_visible,
        )
        for place, number in enumerate(numbers)
    ]
    try:
        with transaction.atomic():
            made = Locker.objects.bulk_create(rows)
    except IntegrityError as error:
        raise DomainError(_("One of these numbers is there already.")) from error
    audit.record("area.lockers_added", area, actor=actor, count=len(made), first=numbers[0], last=numbers[-1])
    return made


@transaction.atomic
def hold_for_maintenance(*, locker: Locker, reason: str, actor: User) -> None:
    """Let the locker to nobody new for this reason; without one, let it again. Who rents it now keeps it."""
    locker = lock_locker(locker.pk)
    Locker.objects.filter(pk=locker.pk).update(out_of_order=reason)
    audit.record("locker.out_of_order" if reason else "locker.in_order", locker, actor=actor, reason=reason)
