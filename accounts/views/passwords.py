"""`Forgot Password`, and the pages behind the links that set a password."""

from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_safe

from accounts import throttles
from accounts.decorators import language_chosen, own_hands_only
from accounts.forms.passwords import NewPasswordForm, ReminderForm, ResetPasswordForm
from accounts.links import LinkDead, Purpose
from accounts.models import User
from accounts.services import passwords
from accounts.sessions.passwords import end_other_sessions
from accounts.sessions.services import end_sessions
from accounts.views.common import HOME, PASSWORDS, SIGN_IN, SIGN_IN_EMAIL, form_page, too_many
from accounts.views.links import dead_link, open_link, token_out_of_sight


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
@own_hands_only
@token_out_of_sight(Purpose.CREATE)
def create_password(request: HttpRequest, token: str) -> HttpResponse:
    """The page behind `Create Password` in the e-mail; opening it changes nothing, because mail scanners open links."""
    person = open_link(request, token, Purpose.CREATE)
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
@own_hands_only
@token_out_of_sight(Purpose.RESET)
def reset_password(request: HttpRequest, token: str) -> HttpResponse:
    """The page `Reset Password`."""
    person = open_link(request, token, Purpose.RESET)
    if person is None:
        return dead_link(request)
    form = ResetPasswordForm(request.POST or None, person=person)
    if form.is_bound and form.is_valid():
        data = form.cleaned_data
        try:
            person = passwords.set_password_by_link(
                token=token, purpose=Purpose.RESET, password=data["password"], email=data["email"]
            )
        except LinkDead:
            return dead_link(request)
        end_sessions(person=person)
        logout(request)
        return redirect("accounts:password_reset_done")
    return render(request, "accounts/reset_password.html", {"form": form})


@login_not_required
@require_safe
def password_reset_done(request: HttpRequest) -> HttpResponse:
    """Confirm, with the way to the `Login Page`."""
    return render(request, "accounts/password_reset_done.html")


def _go_on_with_password(request: HttpRequest, person: User) -> HttpResponse:
    target = SIGN_IN
    if request.user.pk == person.pk:
        # All other sessions end with the change; the one in which it was made goes on, under a new key.
        end_other_sessions(request, person)
        target = HOME
    else:
        end_sessions(person=person)
        logout(request)
        request.session[SIGN_IN_EMAIL] = person.contact_email
    messages.success(request, _("Your password is set."))
    return redirect(target)


@login_not_required
@never_cache
@form_page
@own_hands_only
@token_out_of_sight(Purpose.CONFIRM)
def confirm_address(request: HttpRequest, token: str) -> HttpResponse:
    """Prove the address of somebody who has no password here; opening the page changes nothing, as mail scanners do it."""
    person = open_link(request, token, Purpose.CONFIRM)
    if person is None:
        return dead_link(request)
    if request.method == "POST":
        try:
            passwords.confirm_address(token=token)
        except LinkDead:
            return dead_link(request)
        messages.success(request, _("Your e-mail address is confirmed."))
        return redirect(HOME)
    return render(request, "accounts/confirm_address.html", {"person": person})
