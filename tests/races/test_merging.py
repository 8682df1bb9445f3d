"""Two records become one while something else happens to them: nothing is left behind, and nobody waits in a circle."""

import datetime as dt
import time
from collections.abc import Callable
from threading import Event
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.utils import timezone

from accounts import person_parts
from accounts.invariants import check_people
from accounts.links import LinkDead, Purpose, make_token
from accounts.merging.services import merge_people, plan_merge
from accounts.models import User
from accounts.person_parts import PersonPart
from accounts.services.passwords import set_password_by_link
from opscom.core.errors import DomainError, Stale
from payments.models import Order, OrderStatus, Payment
from payments.purchasables import _registry, register
from payments.services.attempts import start_payment
from payments.services.confirming import confirm_payment
from payments.services.orders import place_order
from payments.services.settling import finish_order
from permits.models import Permit, PermitStatus
from permits.services.delivering import activate_permit
from permits.services.holding import lapse_next
from tests.factories.accounts import PASSWORD, make_user
from tests.factories.documents import make_document
from tests.factories.merging import make_driver, make_rich
from tests.factories.payments import go_to_bank, order_permit, pay_at_bank
from tests.factories.peers import ScriptedProduct
from tests.factories.permits import lapse_hold, make_permit_type, make_sale, offer_demo_bank, reserve
from tests.factories.vehicles import vehicle_data
from tests.races.together import assert_books_and_numbers_are_right, together
from vehicles.services import add_vehicle

pytestmark = [pytest.mark.races, pytest.mark.django_db(transaction=True)]
ROUNDS = range(4)


@pytest.fixture(autouse=True)
def bank() -> None:
    offer_demo_bank()


def merging(keeper: User, loser: User, actor: User) -> Callable[[], Any]:
    """Return the merge of a plan that was looked at before the race."""
    people = {"keeper": User.objects.get(pk=keeper.pk), "loser": User.objects.get(pk=loser.pk)}
    mark = plan_merge(**people).mark
    return lambda: merge_people(**people, actor=actor, reason="Twice", mark=mark)


def race(keeper: User, loser: User, *deeds: Callable[[], Any]) -> tuple[Any, list[Any]]:
    """Run the merge beside the deeds; whatever came first, all of it belongs to one person, and every rule holds."""
    office = make_user()
    merged, *others = together([merging(keeper, loser, office), *deeds])
    assert isinstance(merged, User | DomainError)
    loser.refresh_from_db()
    assert (loser.merged_into == keeper) is isinstance(merged, User)
    assert_books_and_numbers_are_right()
    return merged, others


@pytest.mark.parametrize("_round", ROUNDS)
def test_two_merges_that_cross_each_other_one_wins(_round: int) -> None:
    one, two, office = make_driver(), make_driver(), make_user()
    results = together([merging(one, two, office), merging(two, one, office)])
    assert sum(isinstance(result, User) for result in results) == 1, results
    assert sum(isinstance(result, DomainError) for result in results) == 1, results
    assert User.objects.filter(merged_into__isnull=False).count() == 1
    assert_books_and_numbers_are_right()


def test_the_same_merge_four_times_at_once_is_done_once() -> None:
    keeper, loser, office = make_driver(), make_rich(), make_user()
    results = together([merging(keeper, loser, office)] * 4)
    assert sum(isinstance(result, User) for result in results) == 1, results
    assert_books_and_numbers_are_right()


def test_a_ring_of_three_merges_ends_without_waiting() -> None:
    one, two, three, office = make_driver(), make_driver(), make_driver(), make_user()
    results = together([merging(one, two, office), merging(two, three, office), merging(three, one, office)])
    assert all(isinstance(result, User | DomainError) for result in results), results
    living = User.objects.filter(pk__in=[one.pk, two.pk, three.pk], merged_into__isnull=True)
    assert living.exists()
    assert_books_and_numbers_are_right()


@pytest.mark.parametrize("_round", ROUNDS)
def test_reserving_meanwhile(_round: int) -> None:
    kind = make_permit_type(max_per_person=2)
    keeper, loser, sale = make_driver(), make_driver(), make_sale(permit_type=kind)
    race(keeper, loser, lambda: reserve(sale, loser), lambda: reserve(sale, keeper))
    assert not Permit.objects.filter(holder=loser, holder__merged_into__isnull=False).exists()


@pytest.mark.parametrize("_round", ROUNDS)
def test_placing_an_order_meanwhile(_round: int) -> None:
    keeper, loser = make_driver(), make_driver()
    permit, theirs = reserve(make_sale(), loser), reserve(make_sale(), keeper)
    race(keeper, loser, lambda: order_permit(permit, loser), lambda: order_permit(theirs, keeper))
    assert Order.objects.filter(payer=keeper, status=OrderStatus.OPEN).count() <= 1


@pytest.mark.parametrize("_round", ROUNDS)
def test_going_to_the_bank_meanwhile(_round: int) -> None:
    keeper, loser = make_driver(), make_driver()
    order = order_permit(reserve(make_sale(), loser))
    merged, [started] = race(keeper, loser, lambda: start_payment(order=order, method_code="demo-bank"))
    # Whichever came first: one of the two was told no, or the payer pays for what is theirs.
    if isinstance(merged, DomainError):
        assert Payment.objects.filter(order=order).exists()
    else:
        assert not isinstance(started, DomainError) or not Payment.objects.filter(order=order).exists()


@pytest.mark.parametrize("_round", ROUNDS)
def test_money_that_comes_in_late_meanwhile(_round: int) -> None:
    """The attempt was given up, its order closed; then the bank says yes, while the records are put together."""
    keeper, loser = make_driver(), make_driver()
    permit = reserve(make_sale(), loser)
    payment = go_to_bank(order_permit(permit))
    pay_at_bank(payment)
    Payment.objects.filter(pk=payment.pk).update(status="expired")
    lapse_hold(permit)
    order_permit(reserve(make_sale(), keeper))

    def report() -> None:
        confirm_payment(Payment.objects.get(pk=payment.pk))
        finish_order(payment.order_id)

    race(keeper, loser, report, report)
    report()
    permit.refresh_from_db()
    assert permit.status == PermitStatus.ACTIVE
    assert_books_and_numbers_are_right()


@pytest.mark.parametrize("_round", ROUNDS)
def test_holds_that_lapse_meanwhile(_round: int) -> None:
    keeper, loser = make_driver(), make_driver()
    for person in (keeper, loser, loser):
        permit = reserve(make_sale(), person)
        Permit.objects.filter(pk=permit.pk).update(held_until=timezone.now() - dt.timedelta(minutes=1))
    race(keeper, loser, lapse_next, lapse_next, lapse_next)
    while lapse_next():
        pass
    assert_books_and_numbers_are_right()


@pytest.mark.parametrize("_round", ROUNDS)
def test_adding_a_vehicle_meanwhile(_round: int) -> None:
    keeper, loser = make_driver(), make_driver()
    data = vehicle_data(plate="CKMT 482")
    race(keeper, loser, lambda: add_vehicle(owner=loser, data=data), lambda: add_vehicle(owner=keeper, data=data))
    assert keeper.ownerships.current().filter(vehicle__plate_key="CKMT482").count() <= 1


@pytest.mark.parametrize("_round", ROUNDS)
def test_setting_a_password_by_link_meanwhile(_round: int) -> None:
    keeper, loser = make_driver(), make_driver()
    token = make_token(loser, Purpose.RESET)

    def follow() -> User | LinkDead:
        return set_password_by_link(token=token, purpose=Purpose.RESET, password="a long new password")

    merged, _others = race(keeper, loser, follow)
    if isinstance(merged, User):
        loser.refresh_from_db()
        assert not loser.has_usable_password()
        assert (loser.is_active, loser.email) == (False, None)


@pytest.mark.parametrize("_round", ROUNDS)
def test_uploading_meanwhile(_round: int) -> None:
    keeper, loser = make_driver(), make_driver()
    race(keeper, loser, lambda: make_document(loser), lambda: make_document(keeper))


@pytest.mark.parametrize("_round", ROUNDS)
def test_signing_in_meanwhile(_round: int) -> None:
    keeper, loser = make_driver(), make_driver()
    client = Client()

    def sign_in() -> None:
        client.post("/login", {"email": loser.email, "password": PASSWORD})

    merged, _others = race(keeper, loser, sign_in)
    assert isinstance(merged, User), merged
    assert client.get("/").status_code == 302
    assert not client.get("/vehicles/").context


def waiting_until(reached: Event, go_on: Event) -> Callable[[], None]:
    """Return a deed that says that it is there, and goes on when told, or when nobody tells it for long enough."""

    def wait() -> None:
        reached.set()
        go_on.wait(timeout=0.7)

    return wait


def test_an_order_placed_between_the_move_and_the_commit_is_refused() -> None:
    """The things in it are locked by no merge: only the lock of the person keeps the order from being left behind."""
    keeper, loser = make_driver(), make_driver()
    moved, ordered = Event(), Event()
    pause = waiting_until(moved, ordered)

    class Slow(PersonPart):
        name = "slow"

        def merge(self, **people: Any) -> None:
            pause()

    def order() -> Order:
        moved.wait(timeout=5)
        return place_order(payer=loser, selection={"thing": [1]}, email="", language="en")

    register(ScriptedProduct())
    person_parts.register(Slow())
    try:
        _merged, [answer] = race(keeper, loser, order)
    finally:
        person_parts.unregister("slow")
        _registry.pop("thing")
    assert isinstance(answer, Stale), answer
    assert not Order.objects.exists()


def test_a_permit_that_becomes_active_late_keeps_its_place() -> None:
    """The keeper's old hold is paid after all and takes the place that the merge was about to give away."""
    kind = make_permit_type()
    keeper, loser = make_driver(), make_driver()
    late = reserve(make_sale(permit_type=kind), keeper)
    order = order_permit(late)
    lapse_hold(late)
    reserve(make_sale(permit_type=kind), loser)
    active = Event()

    @transaction.atomic
    def deliver() -> None:
        activate_permit(permit_id=late.pk, order=order)
        active.set()
        time.sleep(0.5)

    merge_now = merging(keeper, loser, make_user())

    def merge_meanwhile() -> Any:
        active.wait(timeout=5)
        return merge_now()

    together([deliver, merge_meanwhile])
    late.refresh_from_db()
    assert late.status == PermitStatus.ACTIVE
    assert list(check_people()) == []
