"""Lakeshore University: six lots of different kinds, what is sold there, and at which price."""

import datetime as dt
from decimal import Decimal
from typing import Any

from django.utils import timezone

from accounts.models import User, UserType
from opscom.provider.models import Disclaimer, FreeHours, Holiday, Lot, Provider, Term
from opscom.provider.selectors import forget_cached, local_date
from payments.models import TaxRate
from permits.models import PermitType, PermitValidity, Sale, TermKind
from permits.services.allotting import NumberRange, allot_numbers
from permits.terms import add_months

WORKDAYS = [0, 1, 2, 3, 4]


def make_provider() -> None:
    """Write who the provider is, its switches and its words."""
    Provider.objects.update_or_create(
        pk=1,
        defaults={
            "name": "Lakeshore University Parking",
            "short_name": "Lakeshore Parking",
            "colour": "#1d4ed8",
            "phone": "613-555-0142",
            "email": "parking@lakeshore.example",
            "address": "410 Lakeshore Avenue, Room 104\nKingsport, Ontario  K7L 3N6",
            "opening_hours": {
                "en": "Monday to Friday, 8:30 am to 4:30 pm",
                "fr-ca": "Du lundi au vendredi, de 8 h 30 à 16 h 30",
            },
            "office_weekdays": WORKDAYS,
            "languages": ["en", "fr-ca"],
            "oversell_percent": 10,
            "registration_mode": "email_verification",
        },
    )
    texts = {
        "vehicle": {
            "en": "I own this vehicle or may use it. I will keep its plate up to date; an outdated plate can lead to a ticket.",
            "fr-ca": "Ce véhicule m’appartient ou j’ai le droit de l’utiliser. Je tiendrai sa plaque à jour; une plaque périmée peut entraîner une contravention.",
        },
        "permit": {
            "en": "A permit is a licence to park in the lots and at the times that it names; it does not reserve a stall. "
            "Parking is at your own risk. Permits are personal and may not be sold.",
            "fr-ca": "Un permis autorise à stationner dans les parcs et aux heures qu’il indique; il ne réserve aucune place. "
            "Le stationnement est à vos risques. Les permis sont personnels et ne peuvent être vendus.",
        },
    }
    for kind, text in texts.items():
        Disclaimer.objects.filter(kind=kind).update(text=text)
    year = local_date().year
    for day, english, french in [
        (dt.date(year, 12, 25), "Christmas Day", "Noël"),
        (dt.date(year, 12, 26), "Boxing Day", "Lendemain de Noël"),
        (dt.date(year + 1, 1, 1), "New Year's Day", "Jour de l’An"),
    ]:
        Holiday.objects.get_or_create(on=day, defaults={"name": {"en": english, "fr-ca": french}})
    forget_cached()


def make_lots() -> dict[str, Lot]:
    """Write the six lots."""
    rows = [
        ("101", "North Garage", "Garage Nord", "410 Lakeshore Ave · covered · 2 EV chargers", "410, av. Lakeshore · couvert · 2 bornes", 120),
        ("102", "Library Lot", "Parc de la Bibliothèque", "12 College St · surface", "12, rue College · extérieur", 6),
        ("103", "Residence Lot", "Parc des Résidences", "80 Bay Lane · surface · gated", "80, allée Bay · extérieur · barrière", 60),
        ("104", "West Field", "Champ Ouest", "900 Shore Road · gravel · shuttle every 10 minutes", "900, ch. Shore · gravier · navette aux 10 minutes", 300),
        ("105", "Arena", "Aréna", "1 Main Street · surface · public", "1, rue Main · extérieur · public", 90),
        ("106", "Motorcycle Row", "Rangée des motos", "412 Lakeshore Ave · motorcycles only", "412, av. Lakeshore · motos seulement", 24),
    ]  # fmt: skip
    lots = {}
    for position, (code, english, french, place, place_french, stalls) in enumerate(rows):
        lots[code] = Lot.objects.create(
            code=code,
            name={"en": english, "fr-ca": french},
            place={"en": place, "fr-ca": place_french},
            stalls=stalls,
            position=position,
        )
    FreeHours.objects.create(
        lot=lots["105"], weekdays=[5, 6], from_time=dt.time(0), until_time=dt.time(0), also_holidays=True
    )
    return lots


def make_sales(lots: dict[str, Lot], types: dict[str, UserType], office: User) -> dict[str, Sale]:
    """Write taxes, terms, permit types and open sales with their numbers."""
    tax = TaxRate.objects.create(name={"en": "HST", "fr-ca": "TVH"}, percent=Decimal(13), number="81234 5678 RT0001")
    today = local_date()
    winter = Term.objects.create(
        name={"en": f"Winter {today.year + 1}", "fr-ca": f"Hiver {today.year + 1}"},
        starts_on=dt.date(today.year + 1, 1, 1),
        ends_on=dt.date(today.year + 1, 5, 1),
    )
    academic = Term.objects.create(
        name={"en": "Academic year", "fr-ca": "Année universitaire"},
        starts_on=today.replace(day=1),
        ends_on=dt.date(today.year + 1, 9, 1),
    )
    kinds = _permit_types(types, tax, lots)
    opened = timezone.now() - dt.timedelta(days=14)
    plan: list[tuple[str, str, str, int, dict[str, Any]]] = [
        ("north-monthly", "101", "NG-", 80, {"valid_from": add_months(today.replace(day=1), 1)}),
        ("library-year", "102", "LB-", 6, {"term": academic}),
        ("residence-term", "103", "RS-", 50, {"term": winter}),
        ("west-student", "104", "WF-", 120, {"term": winter}),
        ("west-evening", "104", "WE-", 60, {}),
        ("arena-monthly", "105", "AR-", 40, {}),
        ("motorcycle-year", "106", "MC-", 20, {"term": academic}),
        ("arena-event", "105", "EV-", 20, {"opens_at": timezone.now() + dt.timedelta(days=3)}),
    ]
    sales = {}
    for kind, lot, prefix, count, more in plan:
        term = more.get("term")
        dates = {"valid_from": term.starts_on, "valid_until": term.ends_on} if term else {}
        sale = Sale.objects.create(
            **{"permit_type": kinds[kind], "lot": lots[lot], "opens_at": opened, **dates, **more}
        )
        allot_numbers(sale=sale, numbers=NumberRange(prefix, 1, count), actor=office)
        sales[kind] = sale
    return sales


def _permit_types(types: dict[str, UserType], tax: TaxRate, lots: dict[str, Lot]) -> dict[str, PermitType]:
    fixed, month, rolling = TermKind.FIXED, TermKind.CALENDAR_MONTHS, TermKind.ROLLING_MONTHS
    staff, students = ["staff", "faculty"], ["student", "residence"]
    rows: list[tuple[str, str, str, str, TermKind, list[str], dict[str, Any]]] = [
        ("north-monthly", "Staff monthly", "Personnel, mensuel", "61.95", month, staff, {"max_vehicles": 2}),
        ("library-year", "Faculty reserved, year", "Corps professoral, annuel", "840.00", fixed, staff, {}),
        ("residence-term", "Residence, winter term", "Résidence, session d’hiver", "260.00", fixed, ["residence"], {}),
        ("west-student", "Commuter, winter term", "Externe, session d’hiver", "180.00", fixed, students, {}),
        ("west-evening", "Evening and weekend", "Soir et fin de semaine", "22.00", rolling, [], {"limit_group": "evening"}),
        ("arena-monthly", "Arena monthly", "Aréna, mensuel", "48.00", rolling, [], {"max_vehicles": 2}),
        ("motorcycle-year", "Motorcycle, year", "Moto, annuel", "95.00", fixed, [], {"vehicle_kinds": ["motorcycle"], "limit_group": "motorcycle"}),
        ("arena-event", "Winter events pass", "Laissez-passer, événements d’hiver", "35.00", month, [], {"limit_group": "events"}),
    ]  # fmt: skip
    kinds = {}
    for code, english, french, price, term_kind, for_types, more in rows:
        kind = PermitType.objects.create(
            code=code, name={"en": english, "fr-ca": french}, price=Decimal(price), term_kind=term_kind, **more
        )
        kind.taxes.add(tax)
        kind.user_types.set([types[name] for name in for_types])
        kinds[code] = kind
    evening = kinds["west-evening"]
    after_five = PermitValidity.objects.create(
        permit_type=evening, weekdays=WORKDAYS, from_time=dt.time(17), until_time=dt.time(6)
    )
    weekend = PermitValidity.objects.create(permit_type=evening, weekdays=[5, 6])
    for rule in (after_five, weekend):
        rule.lots.set([lots["101"], lots["104"], lots["105"]])
    return kinds
