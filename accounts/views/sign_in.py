"""Language, sign-in and sign-out."""

from typing import Any

from django.contrib.auth import logout
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import get_language
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST, require_safe

from accounts.decorators import language_chosen, profile_not_required
from accounts.forms.passwords import SignInForm
from accounts.languages import keep_language
from accounts.models import User
from accounts.selectors import offered_languages
from accounts.services import people
from accounts.sign_in import sign_in_by_password
from accounts.sso.selectors import form_targets, offered_providers
from accounts.views.common import HOME, PASSWORDS, SIGN_IN, SIGN_IN_EMAIL, form_page
from opscom.core.middleware import allow_forms_to
from opscom.core.redirects import safe_next
from opscom.provider.selectors import get_provider


@login_not_required
@never_cache
@form_page
def choose_language(request: HttpRequest) -> HttpResponse:
    """`Choose your language`, kept on the device and, for somebody signed in, as the language of their mail."""
    target = safe_next(request, reverse(HOME))
    languages = offered_languages()
    chosen = request.POST.get("language")
    if request.method == "POST" and chosen in dict(languages):
        # Who acts for somebody chooses for this device only.
        if isinstance(request.user, User) and not getattr(request, "acting_person", None):
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
    form, status = SignInForm(request.POST or None, initial={"email": request.session.get(SIGN_IN_EMAIL, "")}), 200
    if form.is_bound and form.is_valid():
        try:
            return sign_in_by_password(request, **form.cleaned_data, target=target)
        except ValidationError as error:
            form.add_error(None, error)
            status = 200 if error.code == "wrong" else 429
    providers = offered_providers()
    context = {"form": form, "next": safe_next(request), "is_open": get_provider().is_registration_open}
    response = render(request, "accounts/sign_in.html", {**context, "identity_providers": providers}, status=status)
    return allow_forms_to(response, form_targets(providers))


@login_not_required
@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session."""
    logout(request)
    return redirect(SIGN_IN)


@require_safe
def office_sign_in(request: HttpRequest, **kwargs: Any) -> HttpResponse:
    """Stand in place of the admin's own sign-in page: the office comes in by the same door as everybody."""
    target = safe_next(request, reverse("admin:index"))
    if not request.user.is_staff:  # type: ignore[union-attr]
        raise Http404
    return redirect(target)


office_sign_in = profile_not_required(office_sign_in)
