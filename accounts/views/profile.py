"""`Your Profile`."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import override
from django.views.decorators.cache import never_cache

from accounts.decorators import profile_not_required
from accounts.forms.profile import ProfileForm
from accounts.languages import keep_language
from accounts.middleware import AFTER_PROFILE
from accounts.requests import SignedIn
from accounts.selectors import missing_fields
from accounts.services import people
from accounts.views.common import form_page
from opscom.core.redirects import is_own_path


@profile_not_required
@never_cache
@form_page
def profile(request: SignedIn) -> HttpResponse:
    """`Your Profile`; while something required is missing, the only page that opens."""
    is_incomplete = bool(missing_fields(request.user))
    form = ProfileForm(request.POST or None, person=request.user)
    if form.is_bound and form.is_valid():
        values = form.profile()
        people.save_profile(person=request.user, values=values)
        # The device of who acts for somebody goes on in its own language.
        language = request.LANGUAGE_CODE if request.acting_person else values.get("language", request.LANGUAGE_CODE)
        with override(language):
            messages.success(request, _("Your profile is saved."))
        response = redirect(_where_one_was_going(request))
        keep_language(response, language)
        return response
    context = {"form": form, "is_incomplete": is_incomplete}
    return render(request, "accounts/profile.html", context)


def _where_one_was_going(request: SignedIn) -> str:
    target = request.session.pop(AFTER_PROFILE, "")
    return target if is_own_path(target) else reverse("accounts:profile")
