"""The code after the sign-in: who is asked, where it leads, and what a code is good for."""

import pytest
from django.urls import reverse
from django_otp.plugins.otp_email.models import EmailDevice
from django_otp.plugins.otp_static.models import StaticToken

from accounts.mfa import services
from accounts.mfa.rules import forget_exceptions, needs_code
from accounts.models import User
from tests.accounts.helpers import mails
from tests.accounts.mfa import (
    CODE_PAGE,
    SEND,
    SETTINGS,
    app_code,
    enter,
    give_app,
    give_email,
    is_in,
    let_pass,
    newest_code,
    send_another,
    sign_in_half,
)
from tests.factories.accounts import make_user, make_user_type
from tests.factories.provider import set_provider

pytestmark = pytest.mark.django_db


@pytest.fixture
def careful(resident: User) -> User:
    """A resident who has chosen e-mailed codes."""
    give_email(resident)
    return resident


# Who is asked


@pytest.mark.parametrize(
    ("switch", "of_type", "method", "expected"),
    [
        ("hidden", "", "email", False),
        ("optional", "", "", False),
        ("optional", "", "email", True),
        ("required", "", "", True),
        ("required", "hidden", "email", False),
        ("required", "optional", "", False),
        ("hidden", "required", "", True),
        ("hidden", "optional", "app", True),
    ],
)
def test_user_type_overrides_the_providers_switch(resident, switch, of_type, method, expected):
    set_provider(mfa=switch)
    resident.user_type, resident.mfa_method = make_user_type(mfa=of_type), method
    resident.save()
    assert needs_code(resident) is expected


def test_a_type_that_has_run_out_decides_nothing(resident):
    resident.user_type = make_user_type(mfa="required")
    resident.user_type_from, resident.user_type_until = "2020-01-01", "2020-02-01"
    resident.save()
    resident.refresh_from_db()
    assert not needs_code(resident)
    make_user_type(mfa="required", is_default=True)
    assert needs_code(resident)


@pytest.mark.parametrize("switch", ["hidden", "optional", "required"])
def test_office_must_whatever_the_switch_says(clerk, switch):
    set_provider(mfa=switch)
    clerk.user_type = make_user_type(mfa="hidden")
    assert needs_code(clerk)


def test_a_right_alone_makes_one_of_the_office(resident, clerk):
    assert not needs_code(resident)
    resident.groups.add(clerk.groups.get())
    assert needs_code(resident)
    resident.groups.clear()
    assert not needs_code(resident)


def test_rules_cost_no_query_once_they_are_known(resident, django_assert_num_queries):
    needs_code(resident)
    with django_assert_num_queries(0):
        needs_code(resident)
    forget_exceptions()


# The way through


def test_password_leads_to_the_code_and_on_to_where_one_was_going(client_of, careful):
    client = client_of()
    response = sign_in_half(client, careful, next="/vehicles/")
    assert response.url == "/vehicles/"
    response = client.get("/vehicles/?page=1")
    assert (response.status_code, response.url) == (302, CODE_PAGE)
    assert len(mails("one_time_password")) == 1
    page = client.get(CODE_PAGE).content.decode()
    assert "Send One-Time Password To Email" in page
    assert careful.email in page
    response = enter(client, newest_code())
    assert response.url == "/vehicles/?page=1"
    assert is_in(client)


def test_nothing_of_the_account_shows_before_the_code(client_of, careful):
    client = client_of(careful, is_verified=False)
    for page in (CODE_PAGE, SETTINGS, reverse("accounts:language")):
        text = client.get(page).content.decode()
        assert "Maya Chen" not in text, page
        assert "Vehicles" not in text, page


def test_mail_says_code_issued_and_expires(client_of, careful):
    sign_in_half(client_of(), careful)
    mail = mails("one_time_password")[0]
    from opscom.messaging.rendering import render

    letter, kept = render(mail)
    assert "Issued:" in letter.text
    assert "Expires:" in letter.text
    assert newest_code() in letter.html
    assert newest_code() not in str(mail.context)
    assert newest_code() not in str(kept.text)


def test_codes_are_not_stored_in_the_clear(client_of, careful):
    sign_in_half(client_of(), careful)
    assert newest_code() not in str(EmailDevice.objects.values())
    device = give_app(careful)
    assert device.bin_key.hex() not in str(type(device).objects.values())
    codes = services.make_recovery_codes(person=careful, keep="")
    assert not StaticToken.objects.filter(token__in=[code.replace("-", "") for code in codes])


def test_app_code_and_recovery_code_let_in(client_of, resident):
    device = give_app(resident)
    code = services.make_recovery_codes(person=resident, keep="")[0]
    resident.refresh_from_db()
    one = client_of(resident, is_verified=False)
    assert enter(one, app_code(device)).status_code == 302
    assert is_in(one)
    other = client_of(resident, is_verified=False)
    assert enter(other, code.lower()).status_code == 302
    assert is_in(other)
    assert services.recovery_codes_left(resident) == 9


def test_who_uses_an_app_gets_no_codes_by_mail(client_of, resident):
    give_app(resident)
    client = client_of()
    sign_in_half(client, resident)
    assert not mails("one_time_password")
    code = send_another(resident)
    enter(client, code)
    assert not is_in(client)


def test_codes_survive_a_new_secret_key(client_of, resident, settings):
    device = give_app(resident)
    code = services.make_recovery_codes(person=resident, keep="")[0]
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "another" * 10
    resident.refresh_from_db()
    assert app_code(type(device).objects.get(pk=device.pk)) == app_code(device)
    assert enter(client_of(resident, is_verified=False), code).status_code == 302


def test_where_it_is_required_a_code_goes_to_a_proved_address(client_of, resident, unproved_resident):
    set_provider(mfa="required")
    sign_in_half(client_of(), resident)
    assert len(mails("one_time_password")) == 1
    client = client_of(unproved_resident, is_verified=False)
    assert "Please confirm your e-mail address." in client.get(CODE_PAGE).content.decode()
    client.post(SEND)
    assert len(mails("one_time_password")) == 1
    assert len(mails("create_password")) == 1
    assert not is_in(client)


def test_who_has_no_address_is_sent_to_the_office(client_of):
    set_provider(mfa="required")
    client = client_of(make_user(email=None, is_proved=False), is_verified=False)
    assert "Please see the office." in client.get(CODE_PAGE).content.decode()
    client.post(SEND)
    assert not mails()


def test_office_gets_its_code_at_any_address(client_of):
    clerk = make_user(role="Clerk", is_proved=False)
    client = client_of()
    sign_in_half(client, clerk, next="/admin/")
    assert client.get("/admin/").url == CODE_PAGE
    assert enter(client, newest_code()).url == "/admin/"
    assert client.get("/admin/").status_code == 200


def test_htmx_is_led_by_the_client(client_of, careful):
    client = client_of(careful, is_verified=False)
    response = client.get("/vehicles/", headers={"HX-Request": "true"})
    assert response.headers["HX-Redirect"] == CODE_PAGE


# What a code is good for


def test_wrong_code_is_refused_and_the_next_try_must_wait(client_of, careful):
    client = client_of()
    sign_in_half(client, careful)
    code = newest_code()
    wrong = f"{(int(code) + 1) % 1000000:06}"
    assert "not right" in enter(client, wrong).content.decode()
    assert "Please wait" in enter(client, code).content.decode()
    assert not is_in(client)
    let_pass(careful, throttle=True)
    enter(client, code)
    assert is_in(client)


def test_code_works_once(client_of, careful):
    one, two = client_of(), client_of(careful, is_verified=False)
    sign_in_half(one, careful)
    code = newest_code()
    enter(one, code)
    enter(two, code)
    assert is_in(one)
    assert not is_in(two)


def test_new_code_invalidates_the_earlier_one(client_of, careful):
    client = client_of()
    sign_in_half(client, careful)
    first = newest_code()
    second = send_another(careful)
    assert first != second
    enter(client, first)
    assert not is_in(client)
    let_pass(careful, throttle=True)
    enter(client, second)
    assert is_in(client)


def test_expired_code_sends_a_new_one_and_says_so(client_of, careful):
    client = client_of()
    sign_in_half(client, careful)
    old = newest_code()
    let_pass(careful, expire=True)
    page = enter(client, old).content.decode()
    assert "has expired. A new one has been sent" in page
    assert not is_in(client)
    assert len(mails("one_time_password")) == 2
    enter(client, newest_code())
    assert is_in(client)


def test_second_mail_waits_for_the_cool_down(client_of, careful):
    client = client_of()
    sign_in_half(client, careful)
    page = client.post(SEND, follow=True).content.decode()
    assert "Please wait" in page
    assert len(mails("one_time_password")) == 1


def test_app_code_works_once_and_not_long_after(client_of, resident):
    device = give_app(resident)
    one, two = client_of(resident, is_verified=False), client_of(resident, is_verified=False)
    assert "not right" in enter(one, app_code(device, -4)).content.decode()
    let_pass(resident, throttle=True)
    code = app_code(device)
    enter(one, code)
    enter(two, code)
    assert is_in(one)
    assert not is_in(two)
