"""A ticket is issued: its rule is copied, repeats are counted, and it is whose the plate was at that time."""

import datetime as dt
from decimal import Decimal

import pytest
from django.utils import timezone

from opscom.core.codes import ALPHABET
from opscom.core.errors import DomainError
from opscom.messaging.models import Message
from opscom.provider.selectors import local_date
from payments.services.confirming import confirm_payment
from permits.models import Permit
from tests.factories.accounts import make_user
from tests.factories.payments import go_to_bank, order_permit, pay_at_bank
from tests.factories.permits import make_buyer, make_lot, make_sale, offer_demo_bank, reserve
from tests.factories.vehicles import make_ownership, plate_type, set_provider
from tests.factories.violations import age, make_offence, make_ticket, reload
from vehicles.models import Ownership
from vehicles.services import remove_vehicle
from violations.costing import cost_at
from violations.models import LateFee, Notice, NoticeKind, OffenceStep, Ticket
from violations.numbers import next_number, split_typed
from violations.services.issuing import TicketData, find_objections, issue_ticket
from violations.services.lowering import cancel_ticket, spoil_ticket

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)
MICRO = dt.timedelta(microseconds=1)
VIN = "1HGCM82633A004352"


def again(ticket: Ticket, *, at: dt.datetime | None = None, **data) -> Ticket:
    """Issue one more of the same offence for the same plate."""
    values = {"offence": ticket.offence, "occurred_at": at or timezone.now(), "lot": None}
    if not data.keys() & {"plate", "vin"}:
        values |= {"plate": ticket.plate, "region": ticket.region}
    return issue_ticket(data=TicketData(**values | data), officer=None)


# Repeat offences


def test_steps_of_the_second_and_the_fourth():
    offence = make_offence(steps=[(2, "70.00"), (4, "140.00")])
    ticket = make_ticket(offence=offence)
    fines = [ticket.fine, *(again(ticket).fine for _time in range(4))]
    assert fines == [35, 70, 70, 140, 140]
    assert list(Ticket.objects.order_by("pk").values_list("nth", flat=True)) == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("applies_to", "same_vehicle", "same_person", "both"),
    [("vehicle", 2, 1, 2), ("person", 1, 2, 2), ("both", 2, 2, 2)],
)
def test_counted_by_vehicle_person_or_both(applies_to, same_vehicle, same_person, both):
    """The vehicle's next ticket when it is somebody else's by then; the person's with another vehicle; theirs with it."""
    offence = make_offence(applies_to=applies_to)
    person = make_user()
    first = make_ticket(person, offence=offence)
    other_car = make_ownership(person)
    other = make_ticket(offence=offence, plate=other_car.vehicle.plate, region=other_car.vehicle.region)
    assert (other.person, other.nth) == (person, same_person)
    Ticket.objects.filter(pk=other.pk).update(occurred_at=first.occurred_at - 400 * DAY)
    assert again(first).nth == both
    Ticket.objects.exclude(pk=first.pk).update(occurred_at=first.occurred_at - 400 * DAY)
    Ownership.objects.filter(user=person).update(added_at=timezone.now() + DAY)
    somebody_elses = again(first)
    assert (somebody_elses.person, somebody_elses.nth) == (None, same_vehicle)


def test_another_offence_region_or_plate_is_no_repeat():
    ticket = make_ticket()
    assert again(ticket, offence=make_offence()).nth == 1
    assert again(ticket, plate=ticket.plate, region="CA-QC").nth == 1
    assert again(ticket, plate="OTHER 1", region=ticket.region).nth == 1
    spelled = again(ticket, plate=ticket.plate.replace(" ", "-").lower(), region=ticket.region)
    assert spelled.nth == 2


def test_the_edge_of_the_period():
    offence = make_offence(repeat_days=30, steps=[(2, "70.00")])
    first = make_ticket(offence=offence)
    now = timezone.now()
    for ago, nth in [(30 * DAY, 1), (30 * DAY - MICRO, 2)]:
        Ticket.objects.filter(pk=first.pk).update(occurred_at=now - ago)
        second = again(first, at=now)
        assert second.nth == nth
        Ticket.objects.filter(pk=second.pk).update(occurred_at=now - 400 * DAY)


def test_what_happened_later_does_not_count_for_what_is_written_late():
    ticket = make_ticket()
    assert again(ticket, at=ticket.occurred_at - DAY).nth == 1


def test_with_no_days_each_is_a_first_one():
    ticket = make_ticket(offence=make_offence(repeat_days=0, steps=[(2, "70.00")]))
    assert again(ticket).fine == 35


def test_first_a_warning_then_the_fine():
    ticket = make_ticket(offence=make_offence(is_first_a_warning=True, steps=[(2, "70.00"), (3, "99.00")]))
    assert (ticket.is_warning, ticket.fine, ticket.discount, ticket.late_fees) == (True, 0, 0, [])
    assert cost_at(ticket) == 0
    second, third = again(ticket), again(ticket)
    assert (second.is_warning, second.fine, third.fine) == (False, 70, 99)


@pytest.mark.parametrize("deed", [spoil_ticket, cancel_ticket])
def test_what_is_void_does_not_count(clerk, deed):
    ticket = make_ticket(offence=make_offence(is_first_a_warning=True))
    deed(ticket=ticket, reason="A mistake.", actor=clerk)
    assert again(ticket).is_warning


def test_a_vin_is_one_however_it_is_written():
    """Officers type it in small letters, and from a plate on the dashboard with gaps."""
    own = make_ownership(make_user(), plate="", vin=VIN, plate_type=None, temporary_plate_until=local_date())
    first = make_ticket(vin=VIN)
    second = again(first, vin="1hgcm826 33a004352")
    assert (second.vin, second.nth) == (VIN, 2)
    assert (second.person, second.vehicle) == (own.user, own.vehicle)


# Whose it is


def test_whose_the_plate_was_at_that_time():
    person = make_user()
    own = make_ownership(person)
    now = timezone.now()
    car = {"plate": own.vehicle.plate, "region": own.vehicle.region}
    Ownership.objects.filter(pk=own.pk).update(added_at=now - 20 * DAY, removed_at=now - 10 * DAY, is_active=False)
    table = [
        (now - 20 * DAY - MICRO, None),
        (now - 20 * DAY, person),
        (now - 10 * DAY - MICRO, person),
        (now - 10 * DAY, None),
        (now, None),
    ]
    for at, who in table:
        ticket = make_ticket(occurred_at=at, **car)
        assert (ticket.person, ticket.vehicle) == (who, own.vehicle)


def test_registering_a_plate_shows_and_asks_for_no_earlier_ticket(resident):
    ticket = make_ticket(plate="NEW 4711", days_ago=3)
    make_ownership(resident, plate="NEW 4711")
    assert not Ticket.objects.visible_to(resident).exists()
    assert not Ticket.objects.payable_by(resident).exists()
    later = again(ticket)
    assert list(Ticket.objects.visible_to(resident)) == [later]
    # Written down today, and it happened before: not theirs either.
    written_late = again(ticket, at=timezone.now() - DAY)
    assert written_late not in Ticket.objects.visible_to(resident)


def test_a_removed_vehicle_keeps_its_ticket(resident):
    ticket = make_ticket(resident)
    Ticket.objects.update(status="paid", closed_at=timezone.now())
    remove_vehicle(ownership=resident.ownerships.get(), by_office=True)
    assert list(Ticket.objects.visible_to(resident)) == [ticket]


def test_of_several_owners_the_active_one_and_the_first():
    first, second, third = make_user(), make_user(), make_user()
    plate = "FAM 1"
    owns = [make_ownership(first, plate=plate, is_active=False)]
    owns += [make_ownership(person, plate=plate) for person in (second, third)]
    assert len({own.vehicle_id for own in owns}) == 1
    assert make_ticket(plate=plate).person == second
    Ownership.objects.filter(user=second).update(is_active=False)
    assert make_ticket(plate=plate).person == third
    Ownership.objects.filter(user=third).update(is_active=False)
    assert make_ticket(plate=plate).person == first


def test_two_kinds_of_plate_with_the_same_letters():
    car, trailer = make_user(), make_user()
    make_ownership(car, plate="SAME 1")
    kind = plate_type("commercial")
    make_ownership(trailer, plate="SAME 1", plate_type=kind)
    found = make_ticket(plate="SAME 1", plate_type=kind)
    assert found.person == trailer
    assert found.vehicle.plate_type == kind
    assert make_ticket(plate="SAME 1").vehicle is None, "nobody knows which"


# The rule is copied


def test_a_later_change_of_the_offence_changes_no_ticket():
    offence = make_offence(fee=Decimal("5.00"), steps=[(2, "70.00")])
    ticket = make_ticket(offence=offence)
    before = [cost_at(age(ticket, days)) for days in (0, 8, 23)]
    fresh = reload(ticket)
    offence.fine, offence.fee, offence.discount, offence.discount_days = 500, 50, 0, 0
    offence.due_days = offence.appeal_days = 1
    offence.save()
    LateFee.objects.update(amount=400)
    OffenceStep.objects.update(fine=900)
    assert before == [30, 40, 55]
    assert cost_at(reload(ticket)) == 55
    assert (reload(ticket).due_days, reload(ticket).appeal_days) == (fresh.due_days, fresh.appeal_days) == (30, 15)


@pytest.mark.parametrize(("fine", "discount"), [("4.00", 0), ("10.00", 0), ("10.01", 10)])
def test_a_discount_leaves_something_to_pay(fine, discount):
    ticket = make_ticket(offence=make_offence(is_adjustable=True), fine=Decimal(fine))
    assert ticket.discount == discount
    assert cost_at(ticket) > 0


def test_a_fine_of_the_officers_own_only_where_the_offence_allows():
    assert make_ticket(offence=make_offence(is_adjustable=True), fine=Decimal(20)).fine == 20
    with pytest.raises(DomainError, match="cannot be adjusted"):
        make_ticket(offence=make_offence(is_adjustable=False), fine=Decimal(20))
    with pytest.raises(DomainError, match="not less than nothing"):
        make_ticket(offence=make_offence(is_adjustable=True), fine=Decimal(-20))


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"plate": "", "vin": ""}, "Enter the plate, or the VIN"),
        ({"plate": "ABC 1", "vin": VIN}, "either the plate or the VIN"),
        ({"plate": "ABC 1", "region": ""}, "Choose the state or province"),
        ({"plate": "---"}, "letters and digits of the plate"),
        ({"vin": "1234"}, "17 letters and digits"),
        ({"occurred_at": timezone.now() + DAY}, "still to come"),
        ({"number": "X" * 21}, "at most 20"),
        ({"number": "X" + "-" * 24}, "at most"),
        ({"number": " - "}, "number"),
    ],
)
def test_what_cannot_be(data, words):
    with pytest.raises(DomainError, match=words):
        make_ticket(**{"plate": "ABC 1"} | data if "vin" not in data else data)
    assert not Ticket.objects.exists()


# Numbers and PINs


def test_pin_and_codes_have_no_letters_that_look_alike():
    tickets = [make_ticket() for _number in range(3)]
    for ticket in tickets:
        assert len(ticket.pin) == 2
        assert set(ticket.pin + ticket.pay_code) <= set(ALPHABET)
    assert len({ticket.pay_code for ticket in tickets}) == 3
    assert not set("0O1IL2Z5S8B") & set(ALPHABET)


def test_a_number_of_ones_own_is_taken_once_however_it_is_written():
    ticket = make_ticket(number="book 7-001")
    assert ticket.number == "BOOK 7-001"
    assert split_typed(ticket.full_number.lower()) == (ticket.number_key, ticket.pin)
    with pytest.raises(DomainError, match="this number already"):
        make_ticket(number="BOOK-7 001")


def test_the_next_number_passes_over_one_that_was_written_by_hand():
    prefix, _dash, last = next_number().rpartition("-")
    make_ticket(number=f"{prefix}-{int(last) + 1}")
    assert make_ticket().number == f"{prefix}-{int(last) + 2}"


# What speaks against it


def objections(lot, plate: str, offence, at=None) -> list[str]:
    data = TicketData(offence=offence, occurred_at=at or timezone.now(), plate=plate, region="CA-ON", lot=lot)
    return find_objections(data)


def test_objections_and_days_of_grace():
    set_provider(time_zone="America/Toronto")
    offer_demo_bank()
    buyer, own = make_buyer()
    sale = make_sale()
    permit = reserve(sale, buyer)
    plate, offence = own.vehicle.plate, make_offence(grace_days=3)
    assert objections(sale.lot, plate, offence) == [], "only reserved"
    payment = go_to_bank(order_permit(permit))
    pay_at_bank(payment)
    confirm_payment(payment)
    Permit.objects.filter(pk=permit.pk).update(valid_from=timezone.now() - 60 * DAY)
    [words] = objections(sale.lot, plate, offence)
    assert "may stand there" in words
    assert objections(make_lot(), plate, offence) == [], "in another lot"
    Permit.objects.filter(pk=permit.pk).update(valid_until=timezone.now() - 2 * DAY)
    [words] = objections(sale.lot, plate, offence)
    assert "3 days of grace" in words
    assert objections(sale.lot, plate, make_offence(grace_days=1)) == []
    assert objections(sale.lot, plate, make_offence()) == []
    assert objections(None, plate, offence) == []


# Telling its person


def test_the_person_is_told_once_and_strangers_are_not(resident):
    ticket = make_ticket(resident)
    assert Notice.objects.get(ticket=ticket).kind == NoticeKind.NEW
    [mail] = Message.objects.filter(template="violations/ticket_new")
    assert mail.to == resident.email
    assert ticket.pin not in str(mail.context)
    assert ticket.pay_code not in str(mail.context)
    make_ticket()
    assert Notice.objects.count() == 1
