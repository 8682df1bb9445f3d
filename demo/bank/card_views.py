"""The demo bank's page that stores a card."""

import re
from contextlib import suppress
from datetime import date

from django import forms
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.utils import timezone, translation
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST

from demo.bank import cards
from demo.bank.models import BankCardPage, CardPageStatus
from demo.bank.views import CardForm
from opscom.core.errors import DomainError, Stale


class StoreForm(CardForm):
    """The same fields; the test cards differ, and the expiry is kept."""

    def find_card(self, number: str) -> cards.StorableCard | None:
        return cards.find_storable(number)

    def clean_expiry(self) -> date:
        """Return the first day on which the card is no longer valid."""
        month, year = (int(digits) for digits in re.findall(r"\d{2}", self.cleaned_data["expiry"], re.ASCII))
        if not 1 <= month <= 12:
            raise forms.ValidationError(_("There is no such month."))
        expires_on = date(2000 + year + month // 12, month % 12 + 1, 1)
        if expires_on <= timezone.localdate():
            raise forms.ValidationError(_("This card has expired."))
        return expires_on


@login_not_required
@require_http_methods(["GET", "POST"])
def page(request: HttpRequest, token: str) -> HttpResponse:
    """Show the page, or store the card."""
    card_page = get_object_or_404(BankCardPage, token=token)
    is_open = card_page.status == CardPageStatus.OPEN and card_page.expires_at > timezone.now()
    form = StoreForm(request.POST or None, initial={"number": request.GET.get("card", "")})
    with translation.override(card_page.language):
        if request.method == "POST" and is_open and form.is_valid():
            try:
                cards.store_card(card_page, form.cleaned_data["number"], expires_on=form.cleaned_data["expiry"])
            except DomainError as error:
                form.add_error(None, str(error))
            else:
                return HttpResponseRedirect(card_page.return_url)
        context = {"page": card_page, "form": form, "cards": cards.CARDS, "is_open": is_open}
        return render(request, "demo/bank/card.html", context, status=422 if form.errors else 200)


@login_not_required
@require_POST
def cancel(request: HttpRequest, token: str) -> HttpResponse:
    """Back to the portal without storing a card."""
    card_page = get_object_or_404(BankCardPage, token=token)
    if card_page.status == CardPageStatus.OPEN:
        with suppress(Stale):
            cards.cancel_page(card_page)
    return HttpResponseRedirect(card_page.return_url)
