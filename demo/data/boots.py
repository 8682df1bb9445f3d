"""Boots in every state, put on, paid for and brought back by the services that officers, drivers and the office use."""

import datetime as dt
from decimal import Decimal

from django.db.models import F
from django.utils.translation import override

from accounts.models import User
from boots.models import Boot, Booting, BootPolicy, DropOffPlace, LateRule
from boots.services.codes import set_code
from boots.services.files import add_picture
from boots.services.putting_on import put_on
from boots.services.returning import Returned, return_boot
from boots.services.steps import take_next_step
from demo.data.money import pay_at_bank
from demo.data.pictures import as_sent, draw_car, draw_card
from demo.data.tickets import FIRE_LANE, Cast
from opscom.provider.models import Lot, Provider
from opscom.provider.selectors import forget_cached
from payments.services.orders import complete_selection, place_order
from payments.services.settling import finish_order
from violations.models import Offence, Ticket

# Nobody of the demo has this vehicle on their account. The way to its boot stands on the demo's own page.
BOOTED_PLATE = "CKLM 208"
SERIALS = ["LU-01", "LU-02", "LU-03", "LU-04", "LU-05", "LU-06"]
STEPS = [("1", "Enter the code", "Saisissez le code"), ("2", "Turn the lock to the left", "Tournez la serrure à gauche"), ("3", "Lift the boot off the wheel", "Soulevez le sabot de la roue")]  # fmt: skip
PLACES = [
    ("Parking office", "Bureau du stationnement", "410 Lakeshore Avenue, Room 104", "Monday to Friday, 8:30 am to 4:30 pm", "Du lundi au vendredi, de 8 h 30 à 16 h 30"),
    ("Box beside the North Garage's gate", "Boîte à côté de l’entrée du Garage Nord", "410 Lakeshore Avenue", "Day and night", "Jour et nuit"),
]  # fmt: skip


def make_boots(people: list[User], lots: dict[str, Lot]) -> None:
    """One on a car of nobody known, one on Maya's, one out, one late, one that came back, and one on the shelf."""
    office = User.objects.get(email="office@lakeshore.example")
    make_rule()
    boots = [make_boot(serial, f"40{number}7", office) for number, serial in enumerate(SERIALS, 1)]
    cast = Cast(people, {offence.code: offence for offence in Offence.objects.all()}, lots)
    _put_on(boots[0], cast.issue(BOOTED_PLATE, FIRE_LANE, "101", days_ago=0, place="Before the gate"), cast.officer)
    _put_on(boots[1], cast.issue(0, FIRE_LANE, "102", days_ago=0, vehicle=1), cast.officer)
    out = _put_on(boots[2], cast.issue(6, FIRE_LANE, "105", days_ago=0), cast.officer)
    _pay(out)
    late = _put_on(boots[3], cast.issue(13, FIRE_LANE, "104", days_ago=1), cast.officer)
    _pay(late)
    _let_hours_pass(late, 30)
    back = _put_on(boots[4], cast.issue(15, FIRE_LANE, "103", days_ago=2), cast.officer)
    _pay(back)
    _let_hours_pass(back, 20)
    return_boot(booting=back, how=Returned(new_code="40577"), actor=office)
    while take_next_step():
        pass


def make_rule() -> None:
    """Switch boots on: a deposit, a day to bring them back, a fine for who is late, and what a lost one costs."""
    Provider.objects.update(is_boots_on=True)
    forget_cached()
    fire_lane = Offence.objects.get(code=FIRE_LANE)
    Offence.objects.filter(pk=fire_lane.pk).update(is_boot_eligible=True)
    late, lost = (
        Offence.objects.create(
            code=code,
            category=fire_lane.category,
            by_law=by_law,
            description={"en": english, "fr-ca": french},
            fine=Decimal(fine),
            position=20,
        )
        for code, by_law, english, french, fine in [
            ("BL", "12.3", "Boot not returned in time", "Sabot non rendu à temps", "60.00"),
            ("BN", "12.4", "Boot not returned", "Sabot non rendu", "450.00"),
        ]
    )
    BootPolicy.objects.update_or_create(
        pk=1,
        defaults={
            "deposit": Decimal("50.00"),
            "unpaid_above": 3,
            "late_rule": LateRule.FINE,
            "late_offence": late,
            "lost_offence": lost,
            "email": "parking@lakeshore.example",
        },
    )
    office = User.objects.get(email="office@lakeshore.example")
    for position, (english, french, address, hours, hours_in_french) in enumerate(PLACES):
        DropOffPlace.objects.create(
            name={"en": english, "fr-ca": french},
            address=address,
            hours={"en": hours, "fr-ca": hours_in_french},
            position=position,
        )
    for number, english, french in STEPS:
        card = as_sent(f"step-{number}.png", draw_card(f"{number}", english))
        add_picture(picture=card, caption={"en": english, "fr-ca": french}, position=int(number), actor=office)


def make_boot(serial: str, code: str, office: User) -> Boot:
    """Return a boot with its code."""
    boot = Boot.objects.create(serial=serial)
    set_code(boot=boot, code=code, actor=office)
    boot.refresh_from_db()
    return boot


def _put_on(boot: Boot, ticket: Ticket, officer: User) -> Booting:
    photo = as_sent("wheel.png", draw_car(ticket.vehicle_label))
    return put_on(boot=boot, ticket=ticket, actor=officer, photos=[photo])


def _pay(booting: Booting) -> None:
    """Let whoever has the car pay for its release."""
    payer = booting.ticket.person
    assert payer is not None
    with override(payer.language):
        selection = complete_selection({"boot": [booting.pk]}, payer=payer)
        email = payer.email or "driver@example.org"
        order = place_order(payer=payer, selection=selection, email=email, language=payer.language)
    pay_at_bank(order)
    finish_order(order.pk)
    booting.refresh_from_db()


def _let_hours_pass(booting: Booting, hours: int) -> None:
    past = dt.timedelta(hours=hours)
    names = ["put_on_at", "released_at", "return_by", "next_step_at"]
    Booting.objects.filter(pk=booting.pk).update(**{name: F(name) - past for name in names})
    booting.refresh_from_db()
