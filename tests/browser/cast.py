"""People of the browser tests, and what they hold; each call makes new ones, so that tests do not meet."""

import datetime as dt
import time
from itertools import count
from typing import Any

from django.utils import timezone

from accounts.models import User, UserType
from boots.models import Booting
from boots.services.putting_on import put_on
from demo.data.permits import pay
from opscom.provider.models import Disclaimer, Lot
from opscom.provider.services import agree_to_disclaimer
from payments.models import Order, Payment
from payments.services.orders import place_order
from permits.models import Permit, PermitStatus, PermitType, Sale, WaitlistEntry
from permits.services.allotting import NumberRange, allot_numbers
from permits.services.holding import end_next
from permits.services.promoting import promote
from permits.services.reserving import reserve_permit
from permits.services.waiting import join_waitlist
from permits.tasks import release_lapsed_holds
from tests.factories.accounts import make_user
from tests.factories.boots import make_boot
from tests.factories.payments import go_to_bank
from tests.factories.vehicles import make_ownership
from tests.factories.violations import make_ticket, picture_file
from vehicles.models import Ownership
from violations.models import Offence, Ticket
from violations.services.files import keep_photos

_numbers = count(1)


def make_newcomer(**fields: Any) -> User:
    """Return somebody who has signed up and done nothing yet."""
    number = next(_numbers)
    names = {"first_name": "Robin", "last_name": "Field", "email": f"robin.field{number}@example.org"}
    public = UserType.objects.get(code="public")
    return make_user(**{**names, "user_type": public, "mobile_phone": "+16135550188", **fields})


def make_driver(**fields: Any) -> User:
    """Return somebody with a vehicle who has agreed to all that is asked."""
    person = make_newcomer(**fields)
    make_vehicle(person)
    agree_to_all(person)
    return person


def agree_to_all(person: User) -> None:
    """Agree to every disclaimer, as its page would ask."""
    for row in Disclaimer.objects.all():
        if row.text:
            agree_to_disclaimer(user=person, kind=row.kind, text=str(row.text), version=row.version)


def make_vehicle(person: User, **changes: Any) -> Ownership:
    """Give the person one more vehicle, with a plate that nobody has yet."""
    return make_ownership(person, **{"plate": f"BRW {next(_numbers):04}", "make": "Mazda", "model": "3", **changes})


def hold(person: User, kind: str = "arena-monthly") -> Permit:
    """Reserve a permit for the person's first vehicle."""
    sale = Sale.objects.select_related("lot", "permit_type").get(permit_type__code=kind)
    vehicles = [ownership.vehicle for ownership in person.ownerships.all()][:1]
    return reserve_permit(holder=person, sale=sale, vehicles=vehicles)


def buy(person: User, kind: str = "arena-monthly") -> Permit:
    """Reserve a permit and pay for it; the portal's worker makes its PDF."""
    permit = hold(person, kind)
    pay(permit)
    permit.refresh_from_db()
    return permit


def make_full_lot() -> tuple[Sale, Permit, UserType]:
    """Return a sale of one number in a lot of its own, the permit that has it, and the only user type that sees it."""
    code = f"w{timezone.now():%H%M%S%f}"
    kind = UserType.objects.create(code=code, name={"en": code}, max_active_vehicles=2)
    lot = Lot.objects.create(code=code[:8], name={"en": f"Cedar Lot {code}"}, stalls=1)
    permit_type = PermitType.objects.create(
        code=code, name={"en": "Cedar monthly"}, price=50, term_kind="calendar_months", limit_group=code
    )
    permit_type.user_types.set([kind])
    sale = Sale.objects.create(lot=lot, permit_type=permit_type, opens_at=timezone.now() - dt.timedelta(days=1))
    allot_numbers(sale=sale, numbers=NumberRange(f"{code}-", 1, 1), actor=make_user())
    # As the database has it: a name that was written as a plain dictionary is a translated text when it is read.
    sale = Sale.objects.select_related("lot", "permit_type").get(pk=sale.pk)
    return sale, buy(make_driver(user_type=kind), code), kind


def wait_in_line(person: User) -> tuple[WaitlistEntry, Permit]:
    """Put the person first in the line of a full lot; return their place, and the permit that fills the lot."""
    sale, permit, kind = make_full_lot()
    User.objects.filter(pk=person.pk).update(user_type=kind)
    person.refresh_from_db()
    return join_waitlist(person=person, sale=sale, vehicle=person.ownerships.get().vehicle), permit


def free_number(permit: Permit) -> None:
    """Let the permit end as the clock does, and the list decide about its number."""
    now = timezone.now()
    Permit.objects.filter(pk=permit.pk).update(
        valid_from=now - dt.timedelta(days=9), valid_until=now - dt.timedelta(seconds=1)
    )
    end_next()
    deadline = time.monotonic() + 20
    # The site's own worker may be ending it at this very moment.
    while Permit.objects.filter(pk=permit.pk, status=PermitStatus.ACTIVE).exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
        end_next()
    promote(permit.sale_id)


def offer(person: User) -> Permit:
    """Offer the person a permit from a waitlist."""
    entry, permit = wait_in_line(person)
    free_number(permit)
    return entry.offers.get().permit


def order_of(permit: Permit) -> Order:
    """Return the order that a reserved permit stands in, or is put in now."""
    found = Order.objects.filter(lines__kind="permit", lines__object_id=permit.pk).first()
    holder = permit.holder
    selection = {"permit": [permit.pk]}
    return found or place_order(payer=holder, selection=selection, email=holder.email, language=holder.language)


def begin_to_pay(permit: Permit) -> Payment:
    """Return a payment whose bank page is open."""
    return go_to_bank(order_of(permit))


def let_hold_run_out(permit: Permit) -> None:
    """Move the clock of a reservation past its end, and let its number go as the beat task would."""
    Permit.objects.filter(pk=permit.pk).update(held_until=timezone.now() - dt.timedelta(seconds=1))
    release_lapsed_holds()
    permit.refresh_from_db()


def fine(person: User | None = None, **data: Any) -> Ticket:
    """Ticket the person's vehicle (nobody's when None) in the North Garage: $30.00 within a week, $45.00 afterwards."""
    offence, lot = Offence.objects.get(code="NP"), Lot.objects.get(code="101")
    plate = {} if person else {"plate": f"BRW {next(_numbers):04}"}
    ticket = make_ticket(person, **{"offence": offence, "lot": lot, **plate, **data})
    keep_photos(ticket=ticket, photos=[picture_file("From behind.jpg")], actor=None)
    return ticket


def boot_on(person: User | None = None) -> Booting:
    """Put a boot on the person's vehicle (on nobody's when None), with a deposit, in the fire lane of the North Garage."""
    ticket = fine(person, offence=Offence.objects.get(code="FL"))
    officer = User.objects.get(email="officer@lakeshore.example")
    return put_on(boot=make_boot(actor=officer), ticket=ticket, actor=officer)
