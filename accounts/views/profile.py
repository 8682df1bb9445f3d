"""`Your Profile`, `Addresses` and `Edit Address`."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import override
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.decorators import profile_not_required
from accounts.forms.profile import HomeAddressForm, MailingAddressForm, ProfileForm
from accounts.languages import keep_language
from accounts.letters import home_lines, mailing_lines
from accounts.middleware import AFTER_PROFILE
from accounts.requests import SignedIn
from accounts.selectors import missing_fields
from accounts.services import people
from accounts.views.common import form_page
from opscom.core.errors import Stale
from opscom.core.redirects import is_own_path

ADDRESSES = "accounts:addresses"


@profile_not_required
@never_cache
@form_page
def profile(request: SignedIn) -> HttpResponse:
    """`Your Profile`; while something required is missing, the only page that opens."""
    is_incomplete = bool(missing_fields(request.user))
    form = ProfileForm(request.POST or None, person=request.user)
    if form.is_bound and form.is_valid() and _save(request, form):
        # The device of who acts for somebody goes on in its own language.
        chosen = form.profile().get("language", request.LANGUAGE_CODE)
        language = request.LANGUAGE_CODE if request.acting_person else chosen
        with override(language):
            messages.success(request, _("Your profile is saved."))
        response = redirect(_where_one_was_going(request))
        keep_language(response, language)
        return response
    context = {"form": form, "is_incomplete": is_incomplete}
    return render(request, "accounts/profile.html", context)


@require_safe
def addresses(request: SignedIn) -> HttpResponse:
    """`Addresses`: home, and where letters go."""
    form = HomeAddressForm(person=request.user)
    context = {
        "home": home_lines(request.user),
        "mailing": mailing_lines(request.user),
        "is_home_asked": bool(form.asked),
        "is_home_editable": any(one.is_editable for one in form.asked),
    }
    return render(request, "accounts/addresses.html", context)


@never_cache
@form_page
def edit_home_address(request: SignedIn) -> HttpResponse:
    """`Edit Address`, for the home address: the profile fields of that group."""
    form = HomeAddressForm(request.POST or None, person=request.user)
    if not any(one.is_editable for one in form.asked):
        raise Http404
    if form.is_bound and form.is_valid() and _save(request, form):
        messages.success(request, _("Your address is saved."))
        return redirect(ADDRESSES)
    return render(
        request, "accounts/edit_address.html", {"form": form, "fields": [form[one.name] for one in form.asked]}
    )


@never_cache
@form_page
def edit_mailing_address(request: SignedIn) -> HttpResponse:
    """`Edit Address`, for letters."""
    form = MailingAddressForm(request.POST or None, person=request.user)
    if form.is_bound and form.is_valid():
        try:
            people.save_mailing_address(person=request.user, lines=form.lines())
        except Stale as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("Your address is saved."))
            return redirect(ADDRESSES)
    context = {"form": form, "fields": [form[one.name] for one in form.asked], "is_mailing": True}
    return render(request, "accounts/edit_address.html", context)


def _save(request: SignedIn, form: ProfileForm | HomeAddressForm) -> bool:
    try:
        people.save_profile(person=request.user, values=form.profile())
    except Stale as error:
        form.add_error(None, str(error))
        return False
    return True


def _where_one_was_going(request: SignedIn) -> str:
    target = request.session.pop(AFTER_PROFILE, "")
    return target if is_own_path(target) else reverse("accounts:profile")
