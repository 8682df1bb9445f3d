"""Answers at one moment: one row for each question, and none in a record that is gone."""

from collections.abc import Callable
from threading import Event
from typing import Any

import pytest

from accounts import person_parts
from accounts.merging.services import merge_people, plan_merge
from accounts.models import MailingAddress, ProfileAnswer, User
from accounts.person_parts import PersonPart
from accounts.services.people import save_mailing_address, save_profile
from opscom.core.errors import Stale
from tests.factories.accounts import make_field, make_user
from tests.races.together import together

pytestmark = [pytest.mark.races, pytest.mark.django_db(transaction=True)]
LINES = {"street": "PO Box 7", "city": "Kingston", "country": "CA"}


@pytest.mark.parametrize("_round", range(3))
def test_profile_sent_six_times_at_once_is_answered_once(_round: int) -> None:
    person, name = make_user(), make_field().name
    saves = [lambda: save_profile(person=User.objects.get(pk=person.pk), values={name: "same"})] * 3
    saves += [lambda: save_mailing_address(person=person, lines=LINES)] * 3
    assert together(saves) == [None] * 6
    assert ProfileAnswer.objects.get().value == "same"
    assert MailingAddress.objects.get().street == "PO Box 7"


def save_answer(person: User, name: str) -> None:
    save_profile(person=person, values={name: "x"})


def save_letters(person: User, name: str) -> None:
    save_mailing_address(person=person, lines=LINES)


@pytest.mark.parametrize("save", [save_answer, save_letters])
def test_what_is_saved_between_a_merges_move_and_its_commit_is_refused(save: Callable[[User, str], None]) -> None:
    keeper, loser, office = make_user(), make_user(), make_user()
    name = make_field().name
    mark = plan_merge(keeper=keeper, loser=loser).mark
    moved, saved = Event(), Event()

    class Slow(PersonPart):
        name = "slow"

        def merge(self, **people: Any) -> None:
            moved.set()
            saved.wait(timeout=0.7)

    def save_meanwhile() -> None:
        assert moved.wait(timeout=10)
        save(User.objects.get(pk=loser.pk), name)
        saved.set()

    merge = lambda: merge_people(keeper=keeper, loser=loser, actor=office, reason="Twice", mark=mark)  # noqa: E731
    person_parts.register(Slow())
    try:
        merged, answer = together([merge, save_meanwhile])
    finally:
        person_parts.unregister("slow")
    assert isinstance(merged, User), merged
    assert isinstance(answer, Stale), answer
    assert not ProfileAnswer.objects.exists()
    assert not MailingAddress.objects.exists()
