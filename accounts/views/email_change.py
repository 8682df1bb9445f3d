"""`Change E-mail`, and the page behind the link that goes to the new address."""

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from accounts import throttles
from accounts.decorators import own_hands_only, profile_not_required
from accounts.forms.email_change import ChangeEmailForm, OwnPasswordForm
from accounts.links import LinkDead, Purpose, read_change_token
from accounts.models import User
from accounts.requests import SignedIn
from accounts.services import email_change as services
from accounts.sessions.passwords import end_other_sessions
from accounts.sessions.services import end_sessions
from accounts.sso.selectors import signs_in_by_provider
from accounts.views.common import PASSWORDS, SECURITY, SIGN_IN, form_page, too_many
from accounts.views.links import dead_link, token_out_of_sight


@profile_not_required
@own_hands_only
@never_cache
@sensitive_post_parameters(*PASSWORDS)
@form_page
def change_email(request: SignedIn) -> HttpResponse:
    """`Change E-mail`: the answer is the same whether or not the new address has an account."""
    person = request.user
    if obstacle := _obstacle(person):
        messages.warning(request, obstacle)
        return redirect(SECURITY)
    is_many = request.method == "POST" and not throttles.may_check_own_password(person.code)
    form = ChangeEmailForm(None if is_many else request.POST or None, person=person)
    if form.is_bound and form.is_valid():
        if throttles.may_change_address(person.code):
            return _send_link(request, form.cleaned_data["email"])
        is_many = True
    context = {"form": form, "refusal": too_many().message if is_many else ""}
    return render(request, "accounts/change_email.html", context, status=429 if is_many else 200)


def _obstacle(person: User) -> str:
    if signs_in_by_provider(person):
        return _(
            "You sign in with the account of your organisation. Your e-mail address comes from there: change it there, "
            "or ask the office."
        )
    if not person.has_usable_password():
        return _(
            "Please create a password first, with the link that we send you. Then you can change your e-mail address."
        )
    return ""


def _send_link(request: SignedIn, email: str) -> HttpResponse:
    services.request_email_change(person=request.user, email=email, is_mailed=throttles.may_mail(email))
    text = _("A link is on its way to %(address)s. Your e-mail address changes when you follow it, and not before.")
    messages.success(request, text % {"address": email})
    return redirect(SECURITY)


@login_not_required
@never_cache
@sensitive_post_parameters(*PASSWORDS)
@form_page
@own_hands_only
@token_out_of_sight(Purpose.CHANGE)
def confirm_email_change(request: HttpRequest, token: str) -> HttpResponse:
    """Show what the link changes, and change it by POST; a mailbox alone does it not: it may be a mistyped stranger's."""
    try:
        person, address = read_change_token(token if throttles.may_open_link(request) else "")
    except LinkDead:
        return dead_link(request)
    is_own = request.user.pk == person.pk
    is_many = request.method == "POST" and not is_own and not throttles.may_check_own_password(person.code)
    form = OwnPasswordForm(None if is_many else request.POST or None, person=person)
    if request.method == "POST" and not is_many and (is_own or form.is_valid()):
        try:
            return _go_on(request, services.change_email_by_link(token=token))
        except LinkDead:
            return dead_link(request)
    context = {"form": form, "person": person, "address": address, "is_own": is_own}
    context["refusal"] = too_many().message if is_many else ""
    return render(request, "accounts/confirm_email_change.html", context, status=429 if is_many else 200)


def _go_on(request: HttpRequest, person: User) -> HttpResponse:
    messages.success(request, _("Your e-mail address is changed."))
    if request.user.pk == person.pk:
        end_other_sessions(request, person)
        return redirect(SECURITY)
    end_sessions(person=person)
    return redirect(SIGN_IN)
