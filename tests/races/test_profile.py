"""Answers at one moment: one row for each question, and none in a record that is gone."""

import pytest

from accounts.merging.services import merge_people, plan_merge
from accounts.models import MailingAddress, ProfileAnswer, User
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


@pytest.mark.parametrize("_round", range(4))
def test_answer_given_during_a_merge_is_not_lost_in_the_empty_record(_round: int) -> None:
    keeper, loser, office = make_user(), make_user(), make_user()
    name = make_field().name
    mark = plan_merge(keeper=keeper, loser=loser).mark
    merged, saved = together(
        [
            lambda: merge_people(keeper=keeper, loser=loser, actor=office, reason="Twice", mark=mark),
            lambda: save_profile(person=User.objects.get(pk=loser.pk), values={name: "x"}),
        ]
    )
    assert saved is None or isinstance(saved, Stale)
    is_merged = User.objects.get(pk=loser.pk).merged_into_id is not None
    assert is_merged or saved is None, (merged, saved)
    assert not is_merged or not ProfileAnswer.objects.filter(person=loser).exists()
