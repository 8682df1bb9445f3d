"""The page that the sticker on a boot leads to: what has to be paid, what is left out and why, and how to pay it."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.decorators import language_chosen
from accounts.views.common import too_many
from boots import selectors, throttles
from boots.driver import describe_late_rule
from boots.locking import KIND
from boots.models import Boot, Booting
from boots.services.releasing import send_code_again
from opscom.core.errors import DomainError
from opscom.core.middleware import allow_forms_to
from opscom.core.money import ZERO
from opscom.provider.selectors import get_provider
from payments.forms.checkout import GuestPaymentForm
from payments.gateways.registry import form_origins
from payments.services.orders import complete_selection, place_order, quote_selection
from payments.services.paying import pay_as_guest
from payments.views.checkout import begin_payment, go_to_gateway
from payments.views.guests import guest_choices
from violations.throttles import may_begin_payment
from violations.views.common import form_page


@login_not_required
@never_cache
@require_safe
def sticker(request: HttpRequest, tag: str) -> HttpResponse:
    """From the boot's QR to the page of the car that it is on; one that is on no car says so."""
    boot = get_object_or_404(Boot, tag=tag)
    booting = boot.bootings.running().first()
    if booting is None:
        return render(request, "boots/off.html", status=404)
    return redirect("boots:pay", booting.pay_code)


@login_not_required
@never_cache
@form_page
@language_chosen
def pay(request: HttpRequest, pay_code: str) -> HttpResponse:
    """What this visitor pays so that the boot comes off; a POST begins the payment."""
    rows = Booting.objects.select_related("boot", "ticket__offence", "deposit", "lot", "late_offence", "line__order")
    booting = get_object_or_404(rows, pay_code=pay_code)
    if booting.ended_at:
        return render(request, "boots/off.html", {"booting": booting})
    if booting.released_at:
        return _released(request, booting)
    payer = _payer(request, booting)
    context = _describe(booting, payer)
    form = _form(request, context, payer)
    if form.is_bound and form.is_valid() and (onward := _begin(request, context["selection"], payer, form)):
        return onward
    context |= {"form": form, "is_owner": payer is not None, "may_pay": payer or get_provider().is_guest_payment_on}
    response = render(request, "boots/pay.html", context, status=422 if form.errors else 200)
    return allow_forms_to(response, form_origins())


def _payer(request: HttpRequest, booting: Booting) -> Any:
    """Return who is signed in, if the ticket is theirs to pay; everybody else pays as a guest."""
    user = request.user
    return user if user.is_authenticated and selectors.releasable([booting.pk], user).exists() else None


def _describe(booting: Booting, payer: Any) -> dict[str, Any]:
    """Return what the page says: every line to be paid, the total, and what is left out."""
    quotes, problem = [], ""
    selection = complete_selection({KIND: [booting.pk]}, payer=payer)
    try:
        quotes = quote_selection(selection, payer=payer, lock=False)
    except DomainError as error:
        problem = str(error)
    return {
        "booting": booting,
        "selection": selection,
        "problem": problem,
        "quotes": sorted((quote for quote in quotes if quote.kind != KIND), key=lambda quote: quote.kind == "deposit"),
        "total": sum((quote.amount for quote in quotes), ZERO),
        "left_out": selectors.outstanding(booting, payer).left_out,
        "late_rule": describe_late_rule(booting),
        "places": selectors.drop_off_places(),
    }


def _form(request: HttpRequest, context: dict[str, Any], payer: Any) -> GuestPaymentForm:
    """Method and e-mail of a guest; whoever is signed in chooses at the checkout."""
    choices = [] if payer else guest_choices(context["selection"])
    form = GuestPaymentForm(
        request.POST if request.method == "POST" else None, choices=choices, is_free=bool(payer) or not context["total"]
    )
    if payer:
        del form.fields["email"]
    else:
        form.fields["email"].label = _("E-mail address")
        form.fields["email"].help_text = _(
            "A valid email address is required to receive your boot release code and instructions."
        )
    return form


def _begin(
    request: HttpRequest, selection: dict[str, set[int]], payer: Any, form: GuestPaymentForm
) -> HttpResponse | None:
    """Return the way on; what is refused becomes an error of the form."""
    if payer is None and not may_begin_payment(request):
        form.add_error(None, too_many())
        return None
    if payer is None and not get_provider().is_guest_payment_on:
        form.add_error(None, _("Please sign in to pay."))
        return None
    try:
        return _pay_own(request, selection, payer) if payer else _pay_as_guest(request, selection, form)
    except DomainError as error:
        form.add_error(None, str(error))
        return None


def _pay_own(request: Any, selection: dict[str, set[int]], payer: Any) -> HttpResponse:
    order = place_order(payer=payer, selection=selection, email=payer.contact_email, language=request.LANGUAGE_CODE)
    return begin_payment(request, order, {}) if order.due == 0 else redirect("payments:checkout", order.code)


def _pay_as_guest(request: HttpRequest, selection: dict[str, set[int]], form: GuestPaymentForm) -> HttpResponse:
    answer = pay_as_guest(
        selection=selection,
        method_code=form.cleaned_data.get("method", ""),
        email=form.cleaned_data["email"],
        language=request.LANGUAGE_CODE,
    )
    return go_to_gateway(answer)


def _released(request: HttpRequest, booting: Booting) -> HttpResponse:
    """It is paid for: the payer goes on to the code; everybody else may only have it mailed to the payer again."""
    order = booting.line.order if booting.line else None
    if order is not None and request.user.is_authenticated and order.payer_id == request.user.pk:
        return redirect("boots:mine", booting.code)
    if request.method == "POST":
        send_again(request, booting)
        return redirect("boots:pay", booting.pay_code)
    return render(request, "boots/released.html", {"booting": booting, "address": _mask(order.email if order else "")})


def send_again(request: HttpRequest, booting: Booting) -> None:
    """Mail the code once more, to the address of the payment, and say so; or say why not."""
    try:
        if not throttles.may_ask_again(request):
            messages.error(request, str(too_many().message))
            return
        send_code_again(booting=booting, actor=request.user if request.user.is_authenticated else None)
    except DomainError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("The release code was sent again, to the address given with the payment."))


def _mask(address: str) -> str:
    """Return enough of an address for its owner to know it: m…@example.org."""
    name, _at, host = address.partition("@")
    return f"{name[:1]}…@{host}" if host else ""
