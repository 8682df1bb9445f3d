"""`Pay your Ticket` without an account. Who has number and PIN, or the long code of the QR, may see and pay the ticket."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.decorators import language_chosen
from accounts.views.common import too_many
from opscom.core.errors import DomainError
from opscom.core.middleware import allow_forms_to
from payments.forms.checkout import GuestPaymentForm
from payments.gateways.registry import form_origins
from payments.services.paying import pay_as_guest
from payments.views.checkout import go_to_gateway
from payments.views.guests import guest_choices
from violations import selectors, throttles
from violations.forms.appeals import TicketNumberForm
from violations.models import Ticket, TicketPhoto
from violations.services.locking import KIND
from violations.views.common import form_page, needs_switch
from violations.views.files import send_file


@login_not_required
@needs_switch("is_guest_payment_on")
@never_cache
@form_page
@language_chosen
def quick_pay(request: HttpRequest) -> HttpResponse:
    """`Quick Pay`: number and PIN in one field. A wrong number and a wrong PIN answer the same."""
    form = TicketNumberForm(request.POST if request.method == "POST" else None)
    status = 200
    if request.method == "POST" and form.is_valid():
        if not throttles.may_look_up(request):
            form.add_error("number", too_many())
            status = 429
        elif found := selectors.find_by_number(form.cleaned_data["number"]):
            return redirect("guest:ticket", found.pay_code)
        else:
            words = _("No violation found. Check the number and its last two characters, the PIN, on your ticket.")
            form.add_error("number", words)
    return render(
        request, "violations/quick_pay.html", {"form": form}, status=422 if form.errors and status == 200 else status
    )


@login_not_required
@needs_switch("is_guest_payment_on")
@never_cache
@require_safe
@language_chosen
def ticket(request: HttpRequest, pay_code: str) -> HttpResponse:
    """`Violation Ticket Login`: the ticket, what it costs and when, and how to appeal it."""
    found = get_object_or_404(selectors.load_ticket(Ticket.objects.all()), pay_code=pay_code)
    context = {"ticket": found, "view": selectors.view_ticket(found)}
    return render(request, "violations/guest_ticket.html", context)


@login_not_required
@needs_switch("is_guest_payment_on")
@never_cache
@form_page
def pay(request: HttpRequest, pay_code: str) -> HttpResponse:
    """`Guest Payment`: method and e-mail, then on to the gateway's page."""
    found = get_object_or_404(selectors.load_ticket(Ticket.objects.all()), pay_code=pay_code)
    view = selectors.view_ticket(found)
    if found.release_path:
        return redirect(found.release_path)
    if not view.is_payable:
        return redirect("guest:ticket", pay_code)
    form = GuestPaymentForm(request.POST if request.method == "POST" else None, choices=guest_choices({KIND}))
    if form.is_bound and form.is_valid() and (onward := _begin_payment(request, found, form)):
        return onward
    context = {"ticket": found, "view": view, "form": form}
    response = render(request, "violations/guest_pay.html", context, status=422 if form.errors else 200)
    return allow_forms_to(response, form_origins())


def _begin_payment(request: HttpRequest, found: Ticket, form: GuestPaymentForm) -> HttpResponse | None:
    """Return the way to the gateway; what is refused becomes an error of the form."""
    if not throttles.may_begin_payment(request):
        form.add_error(None, too_many())
        return None
    try:
        answer = pay_as_guest(
            selection={KIND: [found.pk]},
            method_code=form.cleaned_data["method"],
            email=form.cleaned_data["email"],
            language=request.LANGUAGE_CODE,
        )
    except DomainError as error:
        form.add_error(None, str(error))
        return None
    return go_to_gateway(answer)


@login_not_required
@needs_switch("is_guest_payment_on")
@require_safe
def photo(request: HttpRequest, pay_code: str, file_code: str) -> HttpResponseBase:
    """An officer's photo of the ticket behind the long code, or with `?small` its thumbnail."""
    found = get_object_or_404(TicketPhoto, ticket__pay_code=pay_code, code=file_code)
    return send_file(found, small="small" in request.GET)
