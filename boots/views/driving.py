"""The driver's page, from paid to returned: the code, how the boot comes off, where and until when it goes back."""

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.decorators import profile_not_required
from accounts.requests import SignedIn
from boots.locking import KIND
from boots.models import Booting, BootPicture
from boots.receipts import describe_code
from boots.services.releasing import report_problem
from boots.timeline import timeline
from boots.views.paying import send_again
from opscom.core.errors import DomainError
from payments.guests import order_path, read_token
from violations.views.common import form_page
from violations.views.files import send_file

LOADED = [
    "boot",
    "ticket",
    "deposit__refund__payment__billing_account__company",
    "lot",
    "line__order",
    "late_ticket",
    "lost_ticket",
    "late_offence",
]


@profile_not_required  # type: ignore[type-var]
@never_cache
@form_page
def mine(request: SignedIn, code: str) -> HttpResponse:
    """The page of who has paid while signed in."""
    booting = get_object_or_404(Booting.objects.visible_to(request.user).select_related(*LOADED), code=code)
    return _show(request, booting)


@login_not_required
@never_cache
@form_page
def guest(request: HttpRequest, token: str, code: str = "") -> HttpResponse:
    """The page of who has paid as a guest: the signed address of the order is the key, and `code` says which of its boots."""
    order_id = read_token(token)
    if order_id is None:
        raise Http404
    rows = Booting.objects.filter(line__order=order_id, line__order__payer=None, line__kind=KIND)
    rows = rows.filter(code=code) if code else rows
    booting = rows.select_related(*LOADED).order_by("pk").first()
    if booting is None:
        raise Http404
    return _show(request, booting)


def _show(request: HttpRequest, booting: Booting) -> HttpResponse:
    if booting.line is None:
        raise Http404
    if request.method == "POST":
        _do(request, booting)
        return redirect(request.path)
    order = booting.line.order
    part = describe_code(booting, order)
    context = {"part": part, "booting": booting, "is_out": part["is_out"], "events": timeline(booting)}
    return render(request, "boots/driver.html", {**context, "receipt_path": order_path(order)})


def _do(request: HttpRequest, booting: Booting) -> None:
    """Mail the code again, or tell the office that it does not work."""
    if request.POST.get("do") != "problem":
        send_again(request, booting)
        return
    try:
        report_problem(booting=booting, actor=request.user if request.user.is_authenticated else None)
    except DomainError as error:
        messages.error(request, str(error))
    else:
        messages.success(
            request, _("The office was told. When the code is put right, you get it by e-mail and see it here.")
        )


@login_not_required
@require_safe
def picture(request: HttpRequest, code: str) -> HttpResponseBase:
    """A picture of how a boot comes off; it is for everybody."""
    return send_file(get_object_or_404(BootPicture, code=code), small="small" in request.GET)
