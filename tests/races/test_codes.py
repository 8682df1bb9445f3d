"""One-time passwords that are typed twice at once, and guessed by many hands."""

import pytest
from django.test import Client
from django_otp.plugins.otp_email.models import EmailDevice

from accounts.mfa import services
from accounts.mfa.codes import CodeRefused, check_code, send_code
from accounts.models import User
from tests.accounts.helpers import mails
from tests.accounts.mfa import app_code, enter, give_app, give_email, is_in, newest_code
from tests.races.together import together

pytestmark = [pytest.mark.races, pytest.mark.django_db(transaction=True)]


def passes(person: User, code: str) -> bool:
    try:
        check_code(person=person, code=code)
    except CodeRefused:
        return False
    return True


def test_of_two_with_the_same_mailed_code_one_wins(resident):
    give_email(resident)
    send_code(person=resident).or_raise()
    code = newest_code()
    assert sorted(together([lambda: passes(resident, code)] * 4)) == [False, False, False, True]


def test_of_two_with_the_same_app_code_one_wins(resident):
    code = app_code(give_app(resident))
    assert sorted(together([lambda: passes(resident, code)] * 4)) == [False, False, False, True]


def test_of_two_with_the_same_recovery_code_one_wins(resident):
    give_email(resident)
    code = services.make_recovery_codes(person=resident, keep="")[0]
    assert sorted(together([lambda: passes(resident, code)] * 4)) == [False, False, False, True]
    assert services.recovery_codes_left(resident) == 9


def test_two_askings_at_once_send_one_code(resident):
    give_email(resident)
    together([lambda: send_code(person=resident)] * 4)
    assert len(mails("one_time_password")) == 1
    assert EmailDevice.objects.filter(user=resident).count() == 1


def test_guessing_with_many_hands_gains_nothing(resident, client_of):
    """Of ten wrong guesses at one moment one is looked at, and after it the right code must wait, too."""
    give_email(resident)
    send_code(person=resident).or_raise()
    code = newest_code()
    wrong = f"{(int(code) + 1) % 1000000:06}"
    clients = [client_of(resident, is_verified=False) for _hand in range(6)]
    together([lambda client=client: enter(client, wrong) for client in clients])
    assert EmailDevice.objects.get(user=resident).throttling_failure_count == 1
    last: Client = clients[-1]
    enter(last, code)
    assert not is_in(last)
