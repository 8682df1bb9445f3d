"""The code page after the sign-in, sending codes, and `Change Multifactor Authentication Settings`."""

import datetime as dt

import segno
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from accounts import throttles
from accounts.acting import person_at_keyboard
from accounts.decorators import code_not_required, own_hands_only, profile_not_required
from accounts.mfa import is_verified, services
from accounts.mfa.codes import MINUTES, CodeRefused, live_code, send_code
from accounts.mfa.forms import APP, EMAIL, OFF, AppForm, CodeForm, SettingsForm, has_own_password
from accounts.mfa.middleware import AFTER_CODE
from accounts.mfa.passing import TooMany, let_in, use_code
from accounts.mfa.rules import code_address, rule_for
from accounts.mfa.selectors import describe, mfa_state
from accounts.models import AppDevice, User
from accounts.requests import SignedIn
from accounts.services import registration
from accounts.views.common import HOME, SECURITY, form_page, too_many
from opscom.core.errors import DomainError, Refused
from opscom.core.redirects import is_own_path, safe_next
from opscom.provider.models import MfaRule

CODE_PAGE, SETTINGS_PAGE = "accounts:one_time_password", "accounts:multiauth"
# In the session: the row of the app that is being set up.
PENDING_APP = "mfa_pending_app"


@code_not_required
@profile_not_required
@never_cache
@sensitive_post_parameters("code")
@form_page
def one_time_password(request: SignedIn) -> HttpResponse:
    """Ask for the code, and go on to where one was going."""
    if is_verified(request):
        return redirect(_where_one_was_going(request))
    person = person_at_keyboard(request)
    form, status = CodeForm(request.POST or None), 200
    if form.is_bound and form.is_valid():
        try:
            let_in(request, person, use_code(request, person, form.cleaned_data["code"]))
            return redirect(_where_one_was_going(request))
        except CodeRefused as error:
            form.add_error("code", str(error))
            status = 429 if isinstance(error, TooMany) else 200
    context = {"form": form, "person": person, "mfa": describe(person), "sent": live_code(person)}
    return render(request, "accounts/one_time_password.html", context, status=status)


@code_not_required
@profile_not_required
@require_POST
def send_email(request: SignedIn) -> HttpResponse:
    """`Send One-Time Password To Email`; who has not confirmed the address yet gets the link that does.

    Goes back to `next`, where another page than the two for codes has the button.
    """
    person = person_at_keyboard(request)
    if rule_for(person) == MfaRule.HIDDEN:
        raise Http404
    if code_address(person):
        _tell_of_code(request, person)
    elif person.contact_email and throttles.may_mail(person.contact_email):
        registration.send_proof_link(person=person)
        messages.success(request, _("Please check your email for an activation link."))
    else:
        messages.warning(request, _("No e-mail could be sent. Please contact the office."))
    page = SETTINGS_PAGE if request.POST.get("page") == "settings" else CODE_PAGE
    return redirect(safe_next(request, reverse(page)))


@code_not_required
@profile_not_required
@own_hands_only
@never_cache
@sensitive_post_parameters("current_password", "code")
@form_page
def multiauth(request: SignedIn) -> HttpResponse:
    """`Change Multifactor Authentication Settings`: nothing changes without the password and a code."""
    mfa = mfa_state(request)
    if mfa is None:
        raise Http404
    person, status = request.user, 200
    is_many = request.method == "POST" and has_own_password(person) and not _may_try_password(person)
    form = SettingsForm(None if is_many else request.POST or None, person=person)
    if form.is_bound and form.is_valid():
        try:
            return _change(request, form)
        except DomainError as error:
            form.add_error("code", str(error))
            status = 429 if isinstance(error, TooMany) else 200
    refusal = too_many().message if is_many else ""
    context = {"form": form, "mfa": mfa, "sent": live_code(person), "refusal": refusal}
    return render(request, "accounts/multiauth.html", context, status=429 if is_many else status)


@profile_not_required
@own_hands_only
@never_cache
@sensitive_post_parameters("code")
@form_page
def authenticator_app(request: SignedIn) -> HttpResponse:
    """Show the new app's key, as a picture and in letters, and ask for the first code."""
    device = _pending_app(request)
    if device is None:
        return redirect(SETTINGS_PAGE)
    form = AppForm(request.POST or None)
    if form.is_bound and form.is_valid():
        try:
            return _enable_app(request, device, form.cleaned_data["code"])
        except CodeRefused as error:
            form.add_error("code", str(error))
    picture = segno.make(device.config_url).svg_data_uri(scale=5, border=3, light="#fff")
    return render(
        request, "accounts/authenticator_app.html", {"form": form, "picture": picture, "key": device.key_text}
    )


def _where_one_was_going(request: SignedIn) -> str:
    target = request.session.pop(AFTER_CODE, "")
    return target if is_own_path(target) else reverse(HOME)


def _tell_of_code(request: SignedIn, person: User) -> None:
    sent = send_code(person=person)
    if isinstance(sent, Refused):
        messages.warning(request, str(sent.reason))
    else:
        text = _("A one-time password has been sent to %(address)s. It is valid for %(minutes)d minutes.")
        messages.success(request, text % {"address": code_address(person), "minutes": MINUTES})


def _may_try_password(person: User) -> bool:
    return throttles.may_check_own_password(person.code)


def _change(request: SignedIn, form: SettingsForm) -> HttpResponse:
    choice, person, keep = form.cleaned_data["choice"], request.user, request.session.session_key or ""
    if choice == EMAIL:
        # Before the code is used up.
        services.can_use_email(person).or_raise()
    device_id = use_code(request, person, form.cleaned_data["code"])
    codes: list[str] = []
    if choice == APP:
        request.session[PENDING_APP] = services.begin_app(person=person).pk
    elif choice == EMAIL:
        services.enable_email(person=person, keep=keep)
    elif choice == OFF:
        services.disable(person=person, keep=keep)
    else:
        codes = services.make_recovery_codes(person=person, keep=keep)
    person.refresh_from_db()
    let_in(request, person, device_id)
    return redirect("accounts:authenticator_app") if choice == APP else _done(request, codes)


def _pending_app(request: SignedIn) -> AppDevice | None:
    since = timezone.now() - dt.timedelta(minutes=MINUTES)
    rows = AppDevice.objects.filter(user=request.user, confirmed=False, created_at__gt=since)
    return rows.filter(pk=request.session.get(PENDING_APP)).first()


def _enable_app(request: SignedIn, device: AppDevice, code: str) -> HttpResponse:
    keep = request.session.session_key or ""
    codes = services.enable_app(person=request.user, device_id=device.pk, code=code, keep=keep)
    del request.session[PENDING_APP]
    request.user.refresh_from_db()
    let_in(request, request.user, device.persistent_id)
    return _done(request, codes)


def _done(request: SignedIn, codes: list[str]) -> HttpResponse:
    messages.success(
        request, _("Your multi-factor authentication settings are saved. Everywhere else you are signed out.")
    )
    if not codes:
        return redirect(SECURITY)
    return render(request, "accounts/recovery_codes.html", {"codes": codes})
