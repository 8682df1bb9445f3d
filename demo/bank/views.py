"""The demo bank's hosted page. Nothing here is the portal: it stands for another company's website."""

from contextlib import suppress
from typing import Any

from django import forms
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone, translation
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from demo.bank import services
from demo.bank.models import BankCard, BankSession, SessionStatus
from opscom.core.errors import DomainError, Stale


class CardForm(forms.Form):
    """What a card page asks. Only the test cards are accepted, and nothing but the last four digits is kept."""

    number = forms.CharField(label=_("Card number"), max_length=23)
    expiry = forms.RegexField(r"^\d{2} ?/ ?\d{2}$", label=_("Expiry (MM/YY)"), initial="12/30")
    cvv = forms.RegexField(r"^\d{3,4}$", label=_("CVV"), initial="123")

    def find_card(self, number: str) -> Any:
        """Return the test card of this page with the number, if it is one."""
        return services.find_card(number)

    def clean_number(self) -> Any:
        card = self.find_card(self.cleaned_data["number"])
        if card is None:
            raise forms.ValidationError(_("This is not one of the test cards below. Never type a real card here."))
        return card


@login_not_required
@require_http_methods(["GET", "POST"])
def page(request: HttpRequest, token: str) -> HttpResponse:
    """Show the page, or use the card."""
    session = get_object_or_404(BankSession, token=token)
    form = CardForm(request.POST or None, initial={"number": request.GET.get("card", "")})
    with translation.override(session.language):
        if request.method == "POST" and form.is_valid() and _is_open(session):
            try:
                step = services.pay(session, form.cleaned_data["number"])
            except DomainError as error:
                form.add_error(None, str(error))
            else:
                return _after(session, step)
        context = {"session": session, "form": form, "cards": services.CARDS, "is_open": _is_open(session)}
        return render(request, "demo/bank/page.html", context, status=422 if form.errors else 200)


def _is_open(session: BankSession) -> bool:
    return session.status == SessionStatus.OPEN and session.expires_at > timezone.now()


def _after(session: BankSession, step: services.Next) -> HttpResponse:
    if step == "return":
        return HttpResponseRedirect(session.return_url)
    return redirect("demo:bank-question" if step == "confirm" else "demo:bank-done", session.token)


@login_not_required
@require_http_methods(["GET", "POST"])
def question(request: HttpRequest, token: str) -> HttpResponse:
    """The bank asks the payer to confirm, as 3-D Secure does."""
    session = get_object_or_404(BankSession, token=token)
    if session.status != SessionStatus.ASKING:
        # Answered already: a reload, or the browser's back button.
        return HttpResponseRedirect(session.return_url)
    if request.method == "POST":
        with suppress(Stale):
            services.answer_question(session, is_confirmed=request.POST.get("answer") == "1")
        return HttpResponseRedirect(session.return_url)
    with translation.override(session.language):
        return render(request, "demo/bank/question.html", {"session": session})


@login_not_required
@require_GET
def done(request: HttpRequest, token: str) -> HttpResponse:
    """Paid, without a way back: the browser was closed, the battery died."""
    session = get_object_or_404(BankSession, token=token)
    with translation.override(session.language):
        return render(request, "demo/bank/done.html", {"session": session})


@login_not_required
@require_POST
def cancel(request: HttpRequest, token: str) -> HttpResponse:
    """Back to the portal without paying."""
    session = get_object_or_404(BankSession, token=token)
    if session.status in (SessionStatus.OPEN, SessionStatus.ASKING):
        with suppress(Stale):
            services.cancel(session)
    return HttpResponseRedirect(session.return_url)


@login_not_required
@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """The bank's books: the newest payments and stored cards, and what became of them."""
    sessions = BankSession.objects.prefetch_related("refunds").order_by("-pk")[:50]
    stored = BankCard.objects.select_related("page").order_by("-pk")[:50]
    context = {"sessions": sessions, "stored": stored, "cards": services.CARDS}
    return render(request, "demo/bank/index.html", context)
