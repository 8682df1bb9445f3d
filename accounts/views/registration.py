"""`Create Account`."""

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from accounts import throttles
from accounts.decorators import language_chosen
from accounts.forms.profile import RegistrationForm
from accounts.middleware import AFTER_PROFILE
from accounts.services import registration
from accounts.sign_in import sign_in_registered
from accounts.views.common import HOME, SIGN_IN, form_page, too_many
from opscom.core.redirects import safe_next
from opscom.provider.selectors import get_provider


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
