"""`Manage Credit Cards`: what is stored, what it pays for, and the way to the gateway's page and back."""

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import HttpResponseClientRedirect

from accounts.decorators import own_hands_only
from accounts.requests import SignedIn
from accounts.selectors import require_proved
from opscom.core.errors import DomainError, Refused
from opscom.core.middleware import allow_forms_to
from payments import stored as reads
from payments.forms.cards import CardForm, OwnHandsForm, UseForm
from payments.gateways.base import Redirect
from payments.gateways.registry import form_origins, installed_gateways
from payments.models import BillingAccount, CardSave, CardSaveStatus, MethodKind, StoredMethod
from payments.services import forgetting, storing, subscribing
from payments.switches import switches_of

LIST = "payments:cards"


@own_hands_only
@never_cache
@require_safe
def cards(request: SignedIn) -> HttpResponse:
    """List what is stored and what pays for what."""
    stored = reads.stored_methods(request.user)
    methods = reads.storing_methods(request.user)
    if not stored and not methods:
        raise Http404
    proved = require_proved(request.user, "stored_card")
    context = {
        "stored": stored,
        "uses": reads.list_uses(stored),
        "switches": switches_of(request.user),
        "can_add": bool(methods) and proved.is_allowed,
        "refusal": proved if methods and isinstance(proved, Refused) else None,
        "gateways": gateway_labels(),
    }
    return render(request, "payments/cards.html", context)


def posted(request: SignedIn) -> QueryDict | None:
    """Return what was posted, an empty form too."""
    return request.POST if request.method == "POST" else None


def gateway_labels() -> dict[str, str]:
    """Return what each gateway is called."""
    return {code: str(gateway.label) for code, gateway in installed_gateways().items()}


@own_hands_only
@never_cache
@sensitive_post_parameters("password", "code")
@require_http_methods(["GET", "HEAD", "POST"])
def add_card(request: SignedIn) -> HttpResponse:
    """`Add Payment Method`: what the card will pay for, the consent, the password; then the gateway's page."""
    methods = reads.storing_methods(request.user)
    if not methods:
        raise Http404
    proved = require_proved(request.user, "stored_card")
    if not proved.is_allowed:
        return render(request, "payments/card_add.html", {"refusal": proved}, status=403)
    form = CardForm(posted(request), request=request, methods=methods, consent=reads.consent_text())
    if form.is_bound and form.is_valid() and (onward := _go_to_gateway(request, form)):
        return onward
    labels = gateway_labels()
    context = {"form": form, "gateways": sorted({labels[method.gateway] for method in methods})}
    response = render(request, "payments/card_add.html", context, status=422 if form.errors else 200)
    return allow_forms_to(response, form_origins())


def _go_to_gateway(request: SignedIn, form: CardForm) -> HttpResponseRedirect | None:
    values = form.cleaned_data
    try:
        answer = storing.start_card_save(actor=request.user, method=values["method"], uses=values["uses"])
    except DomainError as error:
        form.add_error(None, str(error))
        return None
    if not isinstance(answer, Redirect):
        raise TypeError("There is no page yet for a gateway's embedded form.")
    return HttpResponseRedirect(answer.url)


@own_hands_only
@never_cache
@require_safe
def card_return(request: SignedIn, reference: str) -> HttpResponse:
    """Ask the gateway what became of the card, and lead on; while there is no answer, wait here."""
    saves = CardSave.objects.visible_to(request.user).select_related("person", "company")
    save = get_object_or_404(saves, reference=reference)
    if "left" in request.GET:
        storing.leave_page(save)
    try:
        storing.confirm_card_save(save)
    except DomainError as error:
        messages.error(request, str(error))
    save.refresh_from_db()
    if save.status in storing.WAITING:
        return HttpResponse(status=204) if request.htmx else render(request, "payments/card_wait.html", {"save": save})
    _tell_end(request, save)
    back = _page_after(save)
    return HttpResponseClientRedirect(back) if request.htmx else redirect(back)


def _page_after(save: CardSave) -> str:
    """Return where who stored the card goes on: a company's was stored from the page of its billing account."""
    account = BillingAccount.objects.filter(company=save.company_id).first() if save.company_id else None
    if account:
        return reverse("admin:payments_billingaccount_change", args=[account.pk])
    return reverse("admin:payments_billingaccount_changelist") if save.company_id else reverse(LIST)


def _tell_end(request: SignedIn, save: CardSave) -> None:
    if save.status == CardSaveStatus.STORED:
        messages.success(request, _("Credit Card successfully stored"))
    elif save.status == CardSaveStatus.DECLINED:
        messages.error(request, _("The card was not stored. Please try again, or use another card."))
    else:
        messages.error(request, _("The page closed before a card was stored. Please try again."))


@own_hands_only
@never_cache
@sensitive_post_parameters("password", "code")
@require_http_methods(["GET", "HEAD", "POST"])
def remove_card(request: SignedIn, code: str) -> HttpResponse:
    """Ask first, then remove one's own card: here at once, at the gateway by a worker."""
    mine = StoredMethod.objects.visible_to(request.user).filter(kind=MethodKind.CARD).prefetch_related("subscriptions")
    card = get_object_or_404(mine, code=code)
    form = OwnHandsForm(posted(request), request=request)
    if form.is_bound and form.is_valid():
        forgetting.remove_stored(stored_method=card, actor=request.user)
        messages.success(request, _("The card %(card)s is removed.") % {"card": card})
        return redirect(LIST if reads.has_cards_page(request.user) else "payments:due")
    return render(
        request, "payments/card_remove.html", {"form": form, "card": card}, status=422 if form.errors else 200
    )


@own_hands_only
@require_POST
def choose_use(request: SignedIn) -> HttpResponse:
    """Let another stored method pay for a use, or none."""
    form = UseForm(request.POST)
    if not form.is_valid():
        raise Http404
    code = form.cleaned_data["stored"]
    stored = get_object_or_404(StoredMethod.objects.visible_to(request.user), code=code) if code else None
    try:
        subscribing.choose_use(person=request.user, use=form.cleaned_data["use"], stored_method=stored)
    except DomainError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("Your choice is saved."))
    return redirect(LIST)
