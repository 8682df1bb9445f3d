"""`Change Multifactor Authentication Settings`: nothing without password and code, and the owner hears of it."""

import re

import pytest
from django.urls import reverse
from django_otp.plugins.otp_static.models import StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts.mfa import services
from accounts.mfa.codes import CodeRefused
from accounts.models import AppDevice, LoginSource
from opscom.core.errors import NotAllowed
from opscom.core.models import AuditEntry
from tests.accounts.helpers import mails
from tests.accounts.mfa import (
    APP_PAGE,
    SEND,
    SETTINGS,
    app_code,
    enter,
    give_app,
    give_email,
    is_in,
    let_pass,
    newest_code,
)
from tests.factories.accounts import PASSWORD
from tests.factories.provider import set_provider

pytestmark = pytest.mark.django_db


def submit(client, choice: str, code: str, password: str = PASSWORD, **more):
    return client.post(SETTINGS, {"current_password": password, "code": code, "choice": choice}, **more)


def send(client) -> str:
    client.post(SEND, {"page": "settings"})
    return newest_code()


def switch_on(client, choice: str = "email"):
    return submit(client, choice, send(client))


def test_section_of_security_says_the_state_and_leads_to_the_settings(client_of, resident):
    client = client_of(resident)
    page = client.get(reverse("accounts:security")).content.decode()
    assert "Multi-Factor Authentication" in page
    assert "Change Multifactor Authentication Settings" in page
    assert "Disabled" in page
    give_email(resident)
    client = client_of(resident)
    page = client.get(reverse("accounts:security")).content.decode()
    assert "One-time passwords by e-mail" in page
    assert "You have no recovery codes yet." in page
    assert "0 recovery codes" not in page


def test_hidden_switch_hides_everything(client_of, resident):
    set_provider(mfa="hidden")
    client = client_of(resident)
    assert "Multi-Factor" not in client.get(reverse("accounts:security")).content.decode()
    assert client.get(SETTINGS).status_code == 404
    assert client.post(SEND).status_code == 404


def test_page_has_the_manuals_words(client_of, resident):
    page = client_of(resident).get(SETTINGS).content.decode()
    for words in (
        "Send One-Time Password To Email",
        "Current Password",
        "Disable MFA",
        "Enable One-Time Passwords",
        "Submit",
        "OTP Expiry",
        "OTP Email Format",
        "Session Storage",
        "Different Devices",
    ):
        assert words in page, words


def test_enabling_and_disabling_by_mailed_code(client_of, resident):
    client = client_of(resident)
    response = switch_on(client)
    assert response.url == reverse("accounts:security")
    resident.refresh_from_db()
    assert resident.mfa_method == "email"
    assert is_in(client)
    assert len(mails("sign_in_changed")) == 1
    let_pass(resident, cool_down=True)
    submit(client, "off", send(client))
    resident.refresh_from_db()
    assert resident.mfa_method == ""
    assert len(mails("sign_in_changed")) == 2
    deeds = AuditEntry.objects.filter(action__startswith="person.mfa").values_list("action", flat=True)
    assert set(deeds) == {"person.mfa_enabled", "person.mfa_disabled"}


@pytest.mark.parametrize(("password", "code"), [(PASSWORD, ""), (PASSWORD, "000000"), ("wrong", None), ("", None)])
def test_nothing_changes_without_both(client_of, resident, password, code):
    client = client_of(resident)
    real = send(client)
    assert submit(client, "email", real if code is None else code, password).status_code == 200
    resident.refresh_from_db()
    assert resident.mfa_method == ""


def test_wrong_password_does_not_use_the_code_up(client_of, resident):
    client = client_of(resident)
    code = send(client)
    submit(client, "email", code, "wrong")
    submit(client, "email", code)
    resident.refresh_from_db()
    assert resident.mfa_method == "email"


def test_unverified_session_cannot_disable_with_the_password_alone(client_of, resident):
    give_app(resident)
    client = client_of(resident, is_verified=False)
    assert client.get(SETTINGS).status_code == 200
    for code in ("", "000000"):
        submit(client, "off", code)
    resident.refresh_from_db()
    assert resident.mfa_method == "app"
    assert client.get(APP_PAGE).status_code == 302
    assert not is_in(client)


def test_mailed_code_cannot_change_what_an_app_guards(client_of, resident):
    give_app(resident)
    client = client_of(resident)
    submit(client, "off", send(client))
    resident.refresh_from_db()
    assert resident.mfa_method == "app"


def test_disabling_is_neither_offered_nor_done_where_it_is_required(client_of, clerk, resident):
    client = client_of(clerk)
    assert "Disable MFA" not in client.get(SETTINGS).content.decode()
    submit(client, "off", send(client))
    with pytest.raises(NotAllowed):
        services.disable(person=clerk, keep="")
    give_email(resident)
    set_provider(mfa="required")
    with pytest.raises(NotAllowed):
        services.disable(person=resident, keep="")


def test_who_comes_by_single_sign_on_gives_the_code_only(client_of, resident):
    resident.set_unusable_password()
    resident.login_source = LoginSource.SSO
    resident.save()
    client = client_of(resident)
    assert "Current Password" not in client.get(SETTINGS).content.decode()
    client.post(SETTINGS, {"code": send(client), "choice": "email"})
    resident.refresh_from_db()
    assert resident.mfa_method == "email"


def test_app_is_set_up_with_picture_key_and_first_code(client_of, resident):
    client = client_of(resident)
    assert switch_on(client, "app").url == APP_PAGE
    resident.refresh_from_db()
    assert resident.mfa_method == ""
    device = AppDevice.objects.get()
    page = client.get(APP_PAGE).content.decode()
    assert 'src="data:image/svg+xml' in page
    assert device.key_text in page
    assert "not the code" in client.post(APP_PAGE, {"code": "000000"}).content.decode()
    page = client.post(APP_PAGE, {"code": app_code(device)}).content.decode()
    assert len(set(re.findall(r"<code[^>]*>([0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4})</code>", page))) == 10
    resident.refresh_from_db()
    assert resident.mfa_method == "app"
    assert is_in(client)
    assert client.get(APP_PAGE).url == SETTINGS


def test_key_of_another_person_cannot_be_confirmed(client_of, resident, other_resident):
    device = services.begin_app(person=other_resident)
    client = client_of(resident)
    session = client.session
    session["mfa_pending_app"] = device.pk
    session.save()
    assert client.get(APP_PAGE).url == SETTINGS
    assert client.post(APP_PAGE, {"code": app_code(device)}).url == SETTINGS
    with pytest.raises(CodeRefused):
        services.enable_app(person=resident, device_id=device.pk, code=app_code(device), keep="")


def test_new_recovery_codes_replace_the_old(client_of, resident):
    give_email(resident)
    old = services.make_recovery_codes(person=resident, keep="")[0]
    resident.refresh_from_db()
    client = client_of(resident)
    page = submit(client, "recovery", send(client)).content.decode()
    new = re.findall(r"<code[^>]*>([0-9A-Z-]{14})</code>", page)
    assert len(new) == 10
    assert "10 recovery codes left" in client.get(reverse("accounts:security")).content.decode()
    other = client_of(resident, is_verified=False)
    enter(other, old)
    assert not is_in(other)
    let_pass(resident, throttle=True)
    enter(other, new[3])
    assert is_in(other)
    StaticToken.objects.all().delete()
    assert "0 recovery codes left" in client.get(reverse("accounts:security")).content.decode()


def test_changing_to_mail_forgets_the_app(client_of, resident):
    device = give_app(resident)
    client = client_of(resident)
    submit(client, "email", app_code(device))
    assert not TOTPDevice.objects.exists()


def test_change_ends_other_sessions_and_what_they_had_shown(client_of, resident):
    give_email(resident)
    here, there = client_of(resident), client_of(resident)
    assert is_in(here)
    assert is_in(there)
    switch_on(here, "recovery")
    assert is_in(here)
    response = there.get(reverse("home:home"))
    assert response.status_code == 302
    assert response.url.startswith("/login")


def test_office_resets_what_somebody_has_lost(client_of, resident, clerk):
    give_app(resident)
    client = client_of(resident)
    assert is_in(client)
    services.reset_factors(person=resident, actor=clerk)
    resident.refresh_from_db()
    assert resident.mfa_method == "email"
    assert not TOTPDevice.objects.exists()
    assert not is_in(client)
    assert mails("sign_in_changed")[-1].context["change"].startswith("The office removed")


def test_somebody_without_confirmed_address_is_told_so(client_of, unproved_resident):
    page = client_of(unproved_resident).get(SETTINGS).content.decode()
    assert "Please confirm your e-mail address." in page
    with pytest.raises(NotAllowed):
        services.enable_email(person=unproved_resident, keep="")


def test_too_many_passwords_are_refused(client_of, resident):
    client = client_of(resident)
    answers = [submit(client, "email", "000000", "wrong").status_code for _try in range(11)]
    assert answers[0] == 200
    assert answers[-1] == 429


def test_office_takes_away_what_somebody_has_lost(client_of, resident, clerk, officer):
    """A clerk does it for residents, not for people of the office, and it is written down."""
    give_app(resident)
    give_app(officer)
    data = {"action": "reset_factors", "_selected_action": [resident.pk, officer.pk]}
    page = client_of(clerk).post("/admin/accounts/user/", data, follow=True).content.decode()
    assert "1 person gets codes by e-mail from now on." in page
    assert "You may not change this person." in page
    assert list(TOTPDevice.objects.values_list("user", flat=True)) == [officer.pk]
    assert AuditEntry.objects.get(action="person.mfa_reset").actor == clerk
