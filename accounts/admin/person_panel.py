"""On a person's page: their documents, what was asked of them, the holds on their account; ask for more, place one."""

from typing import Any, cast

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action

from accounts.forms.desk import AskForDocumentForm, HoldForm
from accounts.models import AccountDocument, AccountHold, DocumentRequest, User
from accounts.services.document_requests import ask_for_document
from accounts.services.holds import place_hold
from opscom.core.admin import render_ask_page
from opscom.core.errors import DomainError

SHOWN = 20


class DocumentsAndHoldsMixin(admin.ModelAdmin):
    """What the pages about people need for it."""

    change_form_outer_after_template = "accounts/admin/_documents_and_holds.html"

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        panel = person_panel(request, object_id) if object_id else {}
        return cast(
            HttpResponse, super().changeform_view(request, object_id, form_url, {**(extra_context or {}), **panel})
        )

    def has_ask_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("accounts.add_documentrequest")

    def has_hold_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("accounts.add_accounthold")

    @action(description=_("Ask for a document"), url_path="ask-for-document", permissions=["ask"], icon="upload_file")
    def ask_for_document(self, request: HttpRequest, object_id: str) -> HttpResponse:
        person = get_object_or_404(self.get_queryset(request), pk=object_id)
        form = AskForDocumentForm(request.POST or None)
        back = reverse("admin:accounts_user_change", args=[person.pk])
        if form.is_bound and form.is_valid():
            try:
                ask_for_document(person=person, what=form.cleaned_data["what"], actor=cast(User, request.user))
            except DomainError as error:
                form.add_error(None, str(error))
            else:
                text = _("It is asked for, and an e-mail is on its way.") if person.email else _("It is asked for.")
                messages.success(request, text)
                return redirect(back)
        warning = "" if person.email else _("This person has no e-mail address: please tell them yourself.")
        return render_ask_page(
            cast(Any, self), request, title=_("Ask for a document"), form=form, facts=[(_("person"), person)],
            warning=warning, submit=_("Ask"), original=person, back=back,
        )  # fmt: skip

    @action(description=_("Place a hold"), url_path="place-hold", permissions=["hold"], icon="front_hand")
    def place_hold(self, request: HttpRequest, object_id: str) -> HttpResponse:
        person = get_object_or_404(self.get_queryset(request), pk=object_id)
        form = HoldForm(request.POST or None)
        back = reverse("admin:accounts_user_change", args=[person.pk])
        if form.is_bound and form.is_valid():
            try:
                place_hold(person=person, actor=cast(User, request.user), **form.cleaned_data)
            except DomainError as error:
                form.add_error(None, str(error))
            else:
                messages.success(request, _("The account is on hold."))
                return redirect(back)
        warning = _(
            "While it runs, the person can buy nothing new. What is reserved can still be paid, and so can tickets and "
            "boots; appeals stay open, too."
        )
        return render_ask_page(
            cast(Any, self), request, title=_("Place a hold"), form=form, facts=[(_("person"), person)],
            warning=warning, submit=_("Place the hold"), original=person, back=back,
        )  # fmt: skip


def person_panel(request: HttpRequest, object_id: str) -> dict[str, Any]:
    """Return what the panel shows of this person, by the rights of who looks."""
    kinds: list[tuple[str, Any, list[str]]] = [
        ("documents", AccountDocument.objects.living(), ["request"]),
        ("document_requests", DocumentRequest.objects.all(), []),
        ("holds", AccountHold.objects.all(), []),
    ]
    panel = {}
    for name, rows, related in kinds:
        if request.user.has_perm(f"accounts.view_{rows.model._meta.model_name}"):
            rows = rows.filter(person=object_id)
            panel[name] = (rows.select_related(*related) if related else rows)[:SHOWN]
    return {"panel": panel}
