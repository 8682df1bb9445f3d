"""Two at once: a link works once, and an address belongs to one."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.contrib.auth.models import Group
from django.db import connection, transaction

from accounts.links import LinkDead, Purpose, make_change_token, make_token
from accounts.models import User
from accounts.roles import ADMINISTRATOR, CLERK
from accounts.services.email_change import change_email_by_link
from accounts.services.passwords import set_password_by_link
from accounts.services.people import save_person
from accounts.services.registration import register
from tests.accounts.helpers import mails
from tests.factories.accounts import make_registered, make_user
from tests.factories.provider import set_provider

pytestmark = [pytest.mark.races, pytest.mark.django_db(transaction=True)]


def together(deeds: list[Callable[[], object]]) -> list[object]:
    """Run the deeds in threads that start at one moment; what a deed raises is returned."""
    gate = Barrier(len(deeds))

    def run(deed: Callable[[], object]) -> object:
        try:
            connection.ensure_connection()
            gate.wait(timeout=10)
            return deed()
        except Exception as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(deeds)) as pool:
        return list(pool.map(run, deeds))


def use(token: str, password: str) -> Callable[[], User]:
    return lambda: set_password_by_link(token=token, purpose=Purpose.CREATE, password=password)


@pytest.mark.parametrize("_round", range(3))
def test_link_used_six_times_at_once_works_once(_round: int) -> None:
    token = make_token(make_registered(), Purpose.CREATE)
    results = together([use(token, f"a long password {number}") for number in range(6)])
    winners = [number for number, result in enumerate(results) if isinstance(result, User)]
    assert len(winners) == 1, results
    assert sum(isinstance(result, LinkDead) for result in results) == 5, results
    assert User.objects.get().check_password(f"a long password {winners[0]}")


@pytest.mark.parametrize("_round", range(3))
def test_registering_one_address_at_once_gives_it_to_one(_round: int) -> None:
    set_provider(registration_mode="auto_login")
    enter = lambda: register(email="nia@example.org", profile={"first_name": "Nia"}, language="en")  # noqa: E731
    results = together([enter] * 5)
    assert all(isinstance(result, User) for result in results), results
    assert User.objects.filter(email="nia@example.org").count() == 1
    assert User.objects.filter(claimed_email="nia@example.org").count() == 4


@pytest.mark.parametrize("_round", range(3))
def test_several_claims_proved_at_once_leave_one_owner(_round: int) -> None:
    people = [make_registered(email="nia@example.org")]
    people += [make_registered(email=None, claimed_email="nia@example.org") for _n in range(3)]
    tokens = [make_token(person, Purpose.CREATE) for person in people]
    results = together([use(token, f"a long password {number}") for number, token in enumerate(tokens)])
    assert sum(isinstance(result, User) for result in results) == 1, results
    assert sum(isinstance(result, LinkDead) for result in results) == 3, results
    assert User.objects.proved().get().email == "nia@example.org"


def move(token: str) -> Callable[[], User]:
    return lambda: change_email_by_link(token=token)


@pytest.mark.parametrize("_round", range(3))
def test_people_who_move_to_one_address_at_once_leave_one_owner(_round: int) -> None:
    people = [make_user() for _n in range(4)]
    tokens = [make_change_token(person, "nia@example.org") for person in people]
    results = together([move(token) for token in tokens])
    (winner,) = [result for result in results if isinstance(result, User)]
    assert sum(isinstance(result, LinkDead) for result in results) == 3, results
    assert User.objects.get(email="nia@example.org") == winner
    assert User.objects.proved().count() == 4
    assert len(mails("email_changed")) == 1


@pytest.mark.parametrize("_round", range(3))
def test_one_person_who_moves_to_several_addresses_at_once_has_one(_round: int) -> None:
    person = make_user()
    tokens = [make_change_token(person, f"nia{number}@example.org") for number in range(4)]
    results = together([move(token) for token in tokens])
    (winner,) = [result for result in results if isinstance(result, User)]
    assert sum(isinstance(result, LinkDead) for result in results) == 3, results
    assert User.objects.get().email == winner.email


@pytest.mark.parametrize("_round", range(3))
def test_moving_to_an_address_while_its_registrant_proves_it_leaves_one_owner(_round: int) -> None:
    typed, person = make_registered(email="nia@example.org"), make_user()
    deeds = [
        use(make_token(typed, Purpose.CREATE), "a long password"),
        move(make_change_token(person, "nia@example.org")),
    ]
    results = together(deeds)
    assert sum(isinstance(result, User) for result in results) == 1, results
    assert sum(isinstance(result, LinkDead) for result in results) == 1, results
    assert User.objects.proved().filter(email="nia@example.org").count() == 1


@pytest.mark.parametrize("_round", range(3))
def test_nobody_comes_to_the_office_with_the_address_that_a_clerk_typed_meanwhile(_round: int) -> None:
    person, clerk, administrator = make_user(), make_user(role=CLERK), make_user(role=ADMINISTRATOR)

    # Both see the record as it is now.
    seen_by_clerk, seen = User.objects.get(pk=person.pk), User.objects.get(pk=person.pk)

    def move() -> None:
        seen_by_clerk.email = "clerks.own@example.org"
        save_person(person=seen_by_clerk, actor=clerk, changed=["email"])

    def promote() -> None:
        with transaction.atomic():
            seen.is_staff = True
            save_person(person=seen, actor=administrator, changed=["is_staff"], gives_rights=True)
            seen.groups.add(Group.objects.get(name=ADMINISTRATOR))

    results = together([move, promote])
    found = User.objects.get(pk=person.pk)
    assert not (found.is_staff and found.email == "clerks.own@example.org"), results
    assert results.count(None) == 1, results
