"""Language, sign-in, registration and passwords."""

from typing import Any

from django.contrib import messages
from django.contrib.auth import logout, update_session_auth_hash
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import throttles
from accounts.decorators import language_chosen, profile_not_required
from accounts.forms import NewPasswordForm, RegistrationForm, ReminderForm, ResetPasswordForm, SignInForm
from accounts.languages import keep_language
from accounts.links import LinkDead, Purpose, read_token
from accounts.middleware import AFTER_PROFILE
from accounts.models import User
from accounts.selectors import offered_languages
from accounts.services import passwords, people, registration
from accounts.sign_in import sign_in_by_password, sign_in_registered
from opscom.core.redirects import safe_next
from opscom.provider.selectors import get_provider

HOME, SIGN_IN = "home:home", "account_login"
PASSWORDS = ("password", "password_again", "current_password")
form_page = require_http_methods(["GET", "HEAD", "POST"])


@login_not_required
@never_cache
@form_page
def choose_language(request: HttpRequest) -> HttpResponse:
    """`Choose your language`, kept on the device and, for somebody signed in, as the language of their mail."""
    target = safe_next(request, reverse(HOME))
    languages = offered_languages()
    chosen = request.POST.get("language")
    if request.method == "POST" and chosen in dict(languages):
        if isinstance(request.user, User):
            people.change_language(person=request.user, language=str(chosen))
        response = redirect(target)
        keep_language(response, str(chosen))
        return response
    is_wrong = request.method == "POST"
    context = {"languages": languages, "current": get_language(), "next": target, "is_wrong": is_wrong}
    return render(request, "accounts/language.html", context)


@login_not_required
@never_cache
@sensitive_post_parameters(*PASSWORDS)
@form_page
@language_chosen
def sign_in(request: HttpRequest) -> HttpResponse:
    """E-mail and password; who is signed in already goes on."""
    target = safe_next(request, reverse(HOME))
    if request.user.is_authenticated:
        return redirect(target)
    form, status = SignInForm(request.POST or None), 200
    if form.is_bound and form.is_valid():
        try:
            return sign_in_by_password(request, **form.cleaned_data, target=target)
        except ValidationError as error:
            form.add_error(None, error)
            status = 200 if error.code == "wrong" else 429
    context = {"form": form, "next": safe_next(request), "is_open": get_provider().is_registration_open}
    return render(request, "accounts/sign_in.html", context, status=status)


@login_not_required
@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session."""
    logout(request)
    return redirect(SIGN_IN)


@login_not_required
@never_cache
@form_page
@language_chosen
def register(request: HttpRequest) -> HttpResponse:
    """`Create Account`."""
    if request.user.is_authenticated:
        return redirect(HOME)
    if not get_provider().is_registration_open:
        raise Http404
    form, status = RegistrationForm(request.POST or None), 200
    if form.is_bound and form.is_valid():
        if throttles.may_register(request):
            return _enter(request, form)
        form.add_error(None, too_many())
        status = 429
    return render(request, "accounts/register.html", {"form": form, "next": safe_next(request)}, status=status)


def _enter(request: HttpRequest, form: RegistrationForm) -> HttpResponse:
    email = form.cleaned_data["email"]
    person = registration.register(
        email=email,
        profile=form.profile(),
        language=get_language() or "",
        is_mailed=throttles.may_mail(email),
    )
    if person is None:
        messages.info(request, _("An e-mail has been sent for validation, please click on the link"))
        return redirect(SIGN_IN)
    response = sign_in_registered(request, person=person, target=reverse("accounts:profile"))
    request.session[AFTER_PROFILE] = safe_next(request, reverse(HOME))
    messages.success(request, _("Please check your email for an activation link."))
    return response


@login_not_required
@never_cache
@form_page
@language_chosen
def forgot_password(request: HttpRequest) -> HttpResponse:
    """`Forgot Password`: the same answer for every address."""
    form, status = ReminderForm(request.POST or None), 200
    if form.is_bound and form.is_valid():
        if throttles.may_ask_reminder(request):
            email = form.cleaned_data["email"]
            if throttles.may_mail(email):
                passwords.request_reset(email=email, language=get_language() or "")
            return redirect("accounts:reminder_sent")
        form.add_error(None, too_many())
        status = 429
    return render(request, "accounts/forgot.html", {"form": form}, status=status)


@login_not_required
@require_safe
def reminder_sent(request: HttpRequest) -> HttpResponse:
    """Say where the mail may have gone, without saying whether there is one."""
    return render(request, "accounts/reminder_sent.html")


@login_not_required
@never_cache
@sensitive_post_parameters(*PASSWORDS)
@form_page
def create_password(request: HttpRequest, token: str) -> HttpResponse:
    """The page behind `Create Password` in the e-mail; opening it changes nothing, because mail scanners open links."""
    person = _open_link(request, token, Purpose.CREATE)
    if person is None:
        return dead_link(request)
    form = NewPasswordForm(request.POST or None, person=person)
    if form.is_bound and form.is_valid():
        try:
            person = passwords.set_password_by_link(
                token=token, purpose=Purpose.CREATE, password=form.cleaned_data["password"]
            )
        except LinkDead:
            return dead_link(request)
        return _go_on_with_password(request, person)
    return render(request, "accounts/create_password.html", {"form": form, "person": person})


@login_not_required
@never_cache
@sensitive_post_parameters(*PASSWORDS)
@form_page
def reset_password(request: HttpRequest, token: str) -> HttpResponse:
    """The page `Reset Password`."""
    person = _open_link(request, token, Purpose.RESET)
    if person is None:
        return dead_link(request)
    form = ResetPasswordForm(request.POST or None, person=person)
    if form.is_bound and form.is_valid():
        data = form.cleaned_data
        try:
            passwords.set_password_by_link(
                token=token, purpose=Purpose.RESET, password=data["password"], email=data["email"]
            )
        except LinkDead:
            return dead_link(request)
        logout(request)
        return redirect("accounts:password_reset_done")
    return render(request, "accounts/reset_password.html", {"form": form})


@login_not_required
@require_safe
def password_reset_done(request: HttpRequest) -> HttpResponse:
    """Confirm, with the way to the `Login Page`."""
    return render(request, "accounts/password_reset_done.html")


def dead_link(request: HttpRequest) -> HttpResponse:
    """One answer for used, expired and altered links, with the way to a new one."""
    return render(request, "accounts/dead_link.html", status=410)


def too_many() -> ValidationError:
    """The error of somebody who tried too often."""
    return ValidationError(_("Too many tries. Please wait a while and try again."), code="too_many")


def _open_link(request: HttpRequest, token: str, purpose: Purpose) -> User | None:
    if not throttles.may_open_link(request):
        return None
    try:
        return read_token(token, purpose)
    except LinkDead:
        return None


def _go_on_with_password(request: HttpRequest, person: User) -> HttpResponse:
    target = SIGN_IN
    if request.user.pk == person.pk:
        # All other sessions end with the change; the one in which it was made goes on, under a new key.
        update_session_auth_hash(request, person)
        target = HOME
    else:
        logout(request)
    messages.success(request, _("Your password is set."))
    return redirect(target)


@require_safe
def office_sign_in(request: HttpRequest, **kwargs: Any) -> HttpResponse:
    """Stand in place of the admin's own sign-in page: the office comes in by the same door as everybody."""
    target = safe_next(request, reverse("admin:index"))
    if not request.user.is_staff:  # type: ignore[union-attr]
        raise Http404
    return redirect(target)


office_sign_in = profile_not_required(office_sign_in)
