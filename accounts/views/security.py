"""`Security`: the address and its proof, and the password."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST, require_safe

from accounts import throttles
from accounts.acting import person_at_keyboard
from accounts.decorators import own_hands_only, profile_not_required
from accounts.forms.passwords import ChangePasswordForm
from accounts.mfa.selectors import mfa_state
from accounts.requests import SignedIn
from accounts.services import passwords, registration
from accounts.sessions.passwords import end_other_sessions
from accounts.sso.selectors import providers_of, signs_in_by_provider
from accounts.views.common import PASSWORDS, SECURITY, form_page, too_many


@profile_not_required
@own_hands_only
@require_safe
def security(request: SignedIn) -> HttpResponse:
    """The address and its proof, the password, what is asked beside it, and the way to the sessions."""
    context = {
        "has_password": request.user.has_usable_password(),
        "is_sso": signs_in_by_provider(request.user),
        "identity_providers": providers_of(request.user) if signs_in_by_provider(request.user) else [],
        "mfa": mfa_state(request),
        "is_own": person_at_keyboard(request).pk == request.user.pk,
    }
    return render(request, "accounts/security.html", context)


@profile_not_required
@own_hands_only
@never_cache
@sensitive_post_parameters(*PASSWORDS)
@form_page
def change_password(request: SignedIn) -> HttpResponse:
    """`Change Password`, for those who have one; a first password comes by the link only."""
    if not request.user.has_usable_password():
        return redirect(SECURITY)
    is_many = request.method == "POST" and not throttles.may_check_own_password(request.user.code)
    form = ChangePasswordForm(None if is_many else request.POST or None, person=request.user)
    if form.is_bound and form.is_valid():
        passwords.change_password(person=request.user, password=form.cleaned_data["password"])
        end_other_sessions(request, request.user)
        messages.success(request, _("Your password is changed."))
        return redirect(SECURITY)
    context = {"form": form, "refusal": too_many().message if is_many else ""}
    return render(request, "accounts/change_password.html", context, status=429 if is_many else 200)


@profile_not_required
@own_hands_only
@require_POST
def send_link(request: SignedIn) -> HttpResponse:
    """Send the link that proves the address again."""
    person = request.user
    if person.is_email_proved or not person.contact_email:
        return redirect(SECURITY)
    if throttles.may_mail(person.contact_email):
        registration.send_proof_link(person=person)
        messages.success(request, _("Please check your email for an activation link."))
    else:
        messages.warning(request, _("Several links have been sent already. Please wait an hour before the next one."))
    return redirect(SECURITY)
