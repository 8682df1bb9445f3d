"""Lots, sales with numbers, and permits for tests, made through the services that the office and people use."""

import datetime as dt
from decimal import Decimal
from itertools import count
from typing import Any

from django.utils import timezone

from accounts.models import User
from opscom.provider.models import Lot
from payments.models import TaxRate
from permits.models import Permit, PermitType, Sale
from permits.services.allotting import NumberRange, allot_numbers
from permits.services.reserving import reserve_permit
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
