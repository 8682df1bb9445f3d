"""Lockers in two buildings: free, rented, kept for the next term, out of order, and one that must be emptied."""

import datetime as dt
from decimal import Decimal

from django.utils import timezone
from django.utils.translation import override

from accounts.models import User
from demo.data.money import pay_at_bank
from lockers.models import Area, Building, Locker, LockerSale, LockKind, Rental
from lockers.services.combinations import set_combination
from lockers.services.holding import leave_early
from lockers.services.managing import add_lockers, hold_for_maintenance
from lockers.services.reserving import reserve_locker
from opscom.provider.models import Disclaimer, Provider, Term
from opscom.provider.selectors import forget_cached, local_date
from payments.models import TaxRate
from payments.services.orders import complete_selection, place_order
from payments.services.settling import finish_order

DISCLAIMER = {
    "en": "Keep no food and nothing dangerous in the locker. Empty it by the last day: what is left in it is kept for 30 days.",
    "fr-ca": "Ne gardez dans le casier ni nourriture ni rien de dangereux. Videz-le au plus tard le dernier jour : ce qui y reste est conservé 30 jours.",
}  # fmt: skip


def make_lockers(people: list[User], office: User) -> None:
    """Maya rents one and can keep it for the next term; others stand in every state."""
    Provider.objects.update(is_lockers_on=True)
    Disclaimer.objects.filter(kind="locker").update(text=DISCLAIMER)
    forget_cached()
    arena, science = make_areas(office)
    now_term, next_term = make_terms()
    now = timezone.now()
    running = {
        area: LockerSale.objects.create(area=area, term=now_term, price=price, opens_at=now - dt.timedelta(days=60))
        for area, price in ((arena, Decimal("45.00")), (science, Decimal("30.00")))
    }
    LockerSale.objects.create(
        area=arena,
        term=next_term,
        price=Decimal("48.00"),
        renewal_opens_at=now - dt.timedelta(days=2),
        opens_at=now + dt.timedelta(days=12),
    )
    for person, number in ((people[0], "W-107"), (people[5], "W-103"), (people[9], "W-115"), (people[12], "W-110")):
        _rent(person, running[arena], number)
    for person, number in ((people[7], "S-04"), (people[11], "S-05")):
        _rent(person, running[science], number)
    leave_early(rental=Rental.objects.get(locker__number="W-110"), actor=people[12])
    broken = Locker.objects.get(number="W-118")
    hold_for_maintenance(locker=broken, reason="Hinge broken", actor=office)


def make_areas(office: User) -> tuple[Area, Area]:
    """One area with combination locks, one for the renter's own padlock."""
    main = Building.objects.create(
        name={"en": "Main Street Arena", "fr-ca": "Aréna de la rue Main"}, address="12 Main Street", position=1
    )
    sciences = Building.objects.create(
        name={"en": "Science Building", "fr-ca": "Pavillon des sciences"}, address="380 Lakeshore Avenue", position=2
    )
    arena = Area.objects.create(
        building=main,
        name={
            "en": "Women's Locker Room at the Main Street Arena",
            "fr-ca": "Vestiaire des femmes à l’aréna de la rue Main",
        },
        description={
            "en": "Ground floor, beside the pool. Full height.",
            "fr-ca": "Au rez-de-chaussée, à côté de la piscine. Pleine hauteur.",
        },
        lock_kind=LockKind.COMBINATION,
        deposit=Decimal("20.00"),
    )
    science = Area.objects.create(
        building=sciences,
        name={"en": "Science Building, ground floor", "fr-ca": "Pavillon des sciences, rez-de-chaussée"},
        description={"en": "Half height. Bring your padlock.", "fr-ca": "Mi-hauteur. Apportez votre cadenas."},
        lock_kind=LockKind.OWN,
    )
    for area in (arena, science):
        area.taxes.set(TaxRate.objects.all()[:1])
    numbers = [f"W-{number}" for number in range(101, 121)]
    for part, size, accessible in ((numbers[:4], "large", True), (numbers[4:], "medium", False)):
        add_lockers(
            area=arena, numbers=part, columns=8, size=size, is_accessible=accessible, is_visible=True, actor=office
        )
    add_lockers(
        area=science,
        numbers=[f"S-{number:02}" for number in range(1, 13)],
        columns=6,
        size="small",
        is_accessible=False,
        is_visible=True,
        actor=office,
    )
    for place, locker in enumerate(Locker.objects.filter(area=arena)):
        set_combination(locker=locker, combination=f"{11 + place}-28-{40 - place}", actor=office)
    # As the database has them: their names are texts in two languages there.
    return Area.objects.get(pk=arena.pk), Area.objects.get(pk=science.pk)


def make_terms() -> tuple[Term, Term]:
    """The term that runs, and the one after it: four months each, from the month's first day."""
    today = local_date()
    first = (today.replace(day=1) - dt.timedelta(days=40)).replace(day=1)
    middle = (first + dt.timedelta(days=125)).replace(day=1)
    end = (middle + dt.timedelta(days=125)).replace(day=1)
    names = ({"en": "Locker term", "fr-ca": "Session"}, {"en": "Next locker term", "fr-ca": "Session suivante"})
    return (
        Term.objects.create(name=names[0], starts_on=first, ends_on=middle),
        Term.objects.create(name=names[1], starts_on=middle, ends_on=end),
    )


def _rent(person: User, sale: LockerSale, number: str) -> None:
    locker = Locker.objects.get(area=sale.area, number=number)
    rental = reserve_locker(renter=person, sale=sale, locker=locker)
    selection = complete_selection({"locker": [rental.pk]}, payer=person)
    with override(person.language):
        order = place_order(payer=person, selection=selection, email=person.contact_email, language=person.language)
    pay_at_bank(order)
    finish_order(order.pk)
