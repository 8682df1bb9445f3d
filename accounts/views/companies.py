"""`Company Manager`, and acting in the accounts of its people."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.acting import switch
from accounts.acting.middleware import OVER
from accounts.acting.rules import can_manage, people_of_manager
from accounts.acting.selectors import company_people
from accounts.decorators import own_hands_only, profile_not_required
from accounts.models import Company
from accounts.requests import SignedIn
from accounts.views.common import HOME
from opscom.core.errors import DomainError, Refused, Stale

PAGE_SIZE = 20
LIST = "accounts:company"


@require_safe
def company(request: SignedIn) -> HttpResponse:
    """The people of the companies that one manages, with a login icon each."""
    decision = can_manage(request.user)
    if isinstance(decision, Refused) and decision.code == "no-company":
        raise Http404
    search = request.GET.get("q", "").replace("\0", "").strip()[:80]
    people = company_people(request.user, search.split())
    context = {
        "companies": Company.objects.managed_by(request.user),
        "page": Paginator(people, PAGE_SIZE).get_page(request.GET.get("page")),
        "search": search,
        "refusal": decision if isinstance(decision, Refused) else None,
    }
    return render(request, "accounts/company.html", context)


@own_hands_only
@require_POST
def act_for(request: SignedIn, code: str) -> HttpResponse:
    """Log in as one of the company's people: nobody else's code opens anything."""
    person = get_object_or_404(people_of_manager(request.user), code=code)
    try:
        switch.start(request, person=person, back=reverse(LIST))
    except DomainError as error:
        messages.error(request, str(error))
        return redirect(LIST)
    return redirect("accounts:acting")


@profile_not_required
@require_safe
def acting(request: SignedIn) -> HttpResponse:
    """The pop-up that says whose account one is now in; confirming it leads to Home."""
    if not request.acting_person:
        return redirect(HOME)
    return render(request, "accounts/acting.html")


@profile_not_required
@require_POST
def stop_acting(request: SignedIn) -> HttpResponse:
    """Back to one's own account, to the page from which one came."""
    person = str(request.user)
    try:
        was = switch.stop(request, because="button")
    except Stale:
        return redirect(HOME)
    if was is None:
        return redirect(HOME)
    messages.success(request, _("You have left the account of %(person)s.") % {"person": person})
    return redirect(was.back or HOME)


@profile_not_required
@require_safe
def acting_over(request: SignedIn) -> HttpResponse:
    """Tell who was put back without having asked for it, and why."""
    because, person = request.session.pop(OVER, ("", ""))
    reasons = {
        "time": _("You acted for %(person)s for an hour; for longer, please log in there again."),
        "rights": _("You may no longer act for %(person)s."),
        "changed": _("The sign-in of %(person)s was changed meanwhile, so you have left that account."),
    }
    if because in reasons:
        text = reasons[because] % {"person": person}
        messages.warning(request, f"{text} {_('You are back in your own account.')}")
    return redirect(HOME)
