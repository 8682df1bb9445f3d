"""Lots, sales with numbers, and permits for tests, made through the services that the office and people use."""

import datetime as dt
from decimal import Decimal
from itertools import count
from typing import Any

from django.utils import timezone

from accounts.models import User
from opscom.provider.models import Lot
from payments.models import Rate, RateTable, TaxRate
from permits.models import Permit, PermitType, Sale, WaitlistEntry
from permits.selectors import load_sales
from permits.services.allotting import NumberRange, allot_numbers
from permits.services.reserving import reserve_permit
from permits.services.temporary import Wish, reserve_temporary
from permits.services.waiting import join_waitlist
from permits.temporary import price, stay_by_hours
from tests.factories.vehicles import make_owner, make_ownership, set_provider  # noqa: F401
from vehicles.models import Ownership

_numbers = count(1)


def make_lot(*, stalls: int = 500, **fields: Any) -> Lot:
    """Return a visible lot."""
    number = next(_numbers)
    return Lot.objects.create(
        **{"code": str(100 + number), "name": {"en": f"Lot {number}", "fr-ca": f"Parc {number}"}, "stalls": stalls}
        | fields
    )


def make_tax(percent: str = "13") -> TaxRate:
    """Return a tax (Ontario's HST by default)."""
    return TaxRate.objects.create(name={"en": "HST", "fr-ca": "TVH"}, percent=Decimal(percent), number="RT0001")


def make_permit_type(**fields: Any) -> PermitType:
    """Return a type for everybody, $100.00 and no tax, calendar month."""
    number = next(_numbers)
    values = {
        "code": f"type-{number}",
        "name": {"en": f"Type {number}", "fr-ca": f"Genre {number}"},
        "price": Decimal("100.00"),
        "term_kind": "calendar_months",
        "limit_group": f"group-{number}",
    } | fields
    taxes = values.pop("taxes", [])
    user_types = values.pop("user_types", [])
    kind = PermitType.objects.create(**values)
    kind.taxes.set(taxes)
    kind.user_types.set(user_types)
    return kind


def make_sale(
    *, numbers: int = 5, lot: Lot | None = None, permit_type: PermitType | None = None, **fields: Any
) -> Sale:
    """Return an open sale with so many numbers."""
    sale = Sale.objects.create(
        lot=lot or make_lot(),
        permit_type=permit_type or make_permit_type(),
        **{"opens_at": timezone.now() - dt.timedelta(days=1)} | fields,
    )
    if numbers:
        prefix = f"N{sale.pk}-"
        allot_numbers(sale=sale, numbers=NumberRange(prefix, 1, numbers), actor=make_owner(first_name="Office"))
    return Sale.objects.select_related("lot", "permit_type").get(pk=sale.pk)


def make_rate_table(*rates: dict[str, Any], **fields: Any) -> RateTable:
    """Return a table with these rates; $4.00 an hour when none are given."""
    number = next(_numbers)
    table = RateTable.objects.create(
        **{"code": f"rates-{number}", "name": {"en": f"Rates {number}", "fr-ca": f"Tarif {number}"}} | fields
    )
    for position, rate in enumerate(rates or ({"rate": Decimal("4.00")},)):
        Rate.objects.create(table=table, position=position, **rate)
    return table


def make_temporary_sale(*, spaces: int = 5, lot: Lot | None = None, **type_fields: Any) -> Sale:
    """Return an open sale of a temporary type, by dates and by hours, to guests too, in a lot with so many spaces."""
    values = {
        "term_kind": "temporary",
        "is_by_dates": True,
        "is_by_hours": True,
        "is_for_guests": True,
        "max_per_person": 5,
    } | type_fields
    kind = make_permit_type(**{"rate_table": values.pop("rate_table", None) or make_rate_table()} | values)
    sale = make_sale(numbers=0, lot=lot or make_lot(temporary_spaces=spaces), permit_type=kind)
    return load_sales().get(pk=sale.pk)


def make_wish(sale: Sale, buyer: User | None = None, *, start: dt.datetime | None = None, hours: int = 2) -> Wish:
    """Return the buyer's wish to park their first vehicle from then (tomorrow at this hour) for so many hours."""
    if buyer is None:
        buyer, _ownership = make_buyer()
    start = start or timezone.now() + dt.timedelta(days=1)
    vehicle = buyer.ownerships.order_by("pk").first().vehicle
    return Wish(sale, stay_by_hours(start, hours), vehicle, by_hours=True, holder=buyer)


def reserve_time(wish: Wish, **options: Any) -> Permit:
    """Reserve what is wished at the price that `Check Availability` shows."""
    return reserve_temporary(wish, shown=price(wish.sale, wish.stay).amount, **options)


def make_buyer(**fields: Any) -> tuple[User, Ownership]:
    """Return a proved person with one active vehicle."""
    buyer = make_owner(**{"email_proved_at": timezone.now()} | fields)
    return buyer, make_ownership(buyer)


def reserve(sale: Sale, buyer: User | None = None, **options: Any) -> Permit:
    """Reserve a permit of the sale for the buyer's first vehicle."""
    if buyer is None:
        buyer, _ownership = make_buyer()
    vehicles = [ownership.vehicle for ownership in buyer.ownerships.all()][:1]
    return reserve_permit(holder=buyer, sale=sale, vehicles=vehicles, **options)


def make_full_sale(**fields: Any) -> tuple[Sale, Permit]:
    """Return a sale with one number, and the active permit that has it."""
    sale = make_sale(numbers=1, **fields)
    return sale, activate(reserve(sale))


def wait_for(sale: Sale, person: User | None = None, **options: Any) -> WaitlistEntry:
    """Put a person, new unless named, on the sale's list, with their vehicle if they have one."""
    person = person or make_buyer()[0]
    vehicle = next((ownership.vehicle for ownership in person.ownerships.all()), None)
    return join_waitlist(person=person, sale=sale, vehicle=vehicle, **options)


def offered_to(person: User) -> Permit:
    """Return a permit that the person is offered from a waitlist."""
    sale, _permit = make_full_sale()
    entry = wait_for(sale, person)
    allot_numbers(sale=sale, numbers=NumberRange(f"O{sale.pk}-", 1, 1), actor=make_owner(first_name="Office"))
    return entry.offers.get().permit


def activate(permit: Permit) -> Permit:
    """Pay for a reserved permit at the demo bank."""
    from payments.services.confirming import confirm_payment
    from tests.factories.payments import go_to_bank, order_permit, pay_at_bank

    offer_demo_bank()
    payment = go_to_bank(order_permit(permit))
    pay_at_bank(payment)
    confirm_payment(payment)
    permit.refresh_from_db()
    return permit


def lapse_hold(permit: Permit) -> Permit:
    """Let the permit's hold run out, as the clock and the beat task would."""
    from permits.tasks import release_lapsed_holds

    Permit.objects.filter(pk=permit.pk).update(held_until=timezone.now() - dt.timedelta(seconds=1))
    release_lapsed_holds()
    permit.refresh_from_db()
    return permit


def offer_demo_bank() -> None:
    """Switch the demo bank on."""
    from tests.factories.payments import offer_method

    offer_method("demo-bank")


def buy(sale: Sale, buyer: User | None = None) -> Permit:
    """Reserve a permit of the sale, pay it at the demo bank, and return it active."""
    return activate(reserve(sale, buyer))


def begin_days_ago(permit: Permit, days: int) -> Permit:
    """Let the permit have begun so many whole days before today."""
    from opscom.provider.selectors import local_date, start_of_day

    begun = start_of_day(local_date() - dt.timedelta(days=days))
    Permit.objects.filter(pk=permit.pk).update(valid_from=begun, activated_at=begun)
    permit.refresh_from_db()
    return permit
