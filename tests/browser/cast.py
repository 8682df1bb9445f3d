"""People of the browser tests, and what they hold; each call makes new ones, so that tests do not meet."""

import datetime as dt
from itertools import count
from typing import Any

from django.utils import timezone

from accounts.models import User, UserType
from demo.data.permits import pay
from opscom.provider.models import Disclaimer, Lot
from opscom.provider.services import agree_to_disclaimer
from payments.models import Order, Payment
from payments.services.orders import place_order
from permits.models import Permit, Sale
from permits.services.reserving import reserve_permit
from permits.tasks import release_lapsed_holds
from tests.factories.accounts import make_user
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
