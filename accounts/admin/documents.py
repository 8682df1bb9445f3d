"""Documents, and the queue of those that the office asked for and must look at."""

from collections.abc import Callable
from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.decorators import action, display

from accounts.forms.desk import DecisionForm, DeclineForm
from accounts.models import AccountDocument, DocumentRequest, RequestStatus, User
from accounts.services.document_requests import (
    approve_request,
    decline_request,
    newest_document,
    withdraw_request,
)
from opscom.core.admin import QueueFilter, ReadOnlyAdmin, ReadOnlyInline, act_on_each, render_ask_page
from opscom.core.errors import DomainError

TONES = {
    RequestStatus.ASKED: "default",
    RequestStatus.SENT: "warning",
    RequestStatus.APPROVED: "success",
    RequestStatus.DECLINED: "danger",
    RequestStatus.WITHDRAWN: "default",
}


def link_to_file(document: AccountDocument) -> SafeString | str:
    """Return the link that downloads the file; the bare name once it was removed."""
    if document.removed_at:
        return document.name
    address = reverse("accounts:document_file", args=[document.code])
    return format_html('<a class="office-link" href="{}">{}</a>', address, document.name)


def link_to_person(person: User) -> SafeString:
    """Return the link to the person's page."""
    address = reverse("admin:accounts_user_change", args=[person.pk])
    return format_html('<a class="office-link" href="{}">{}</a>', address, person)


class RemovedFilter(admin.SimpleListFilter):
    """Documents that are there, or that were removed."""

    title = _("state")
    parameter_name = "removed"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("no", _("kept")), ("yes", _("removed"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[AccountDocument]) -> QuerySet[AccountDocument]:
        if self.value() not in ("no", "yes"):
            return queryset
        return queryset.filter(removed_at__isnull=self.value() == "no")


@admin.register(AccountDocument)
class AccountDocumentAdmin(ReadOnlyAdmin):
    """Everything that people have uploaded. Who of the office opens a file stands in the log."""

    list_display = ["code", "download", "owner", "request", "kilobytes", "uploaded_at", "removed_at"]
    list_filter = [RemovedFilter, "content_type", "uploaded_at"]
    list_select_related = ["person", "request"]
    search_fields = ["name", "code", "person__last_name", "person__first_name", "person__email"]
    search_help_text = _("Name of the file, its code, person's name or e-mail")
    fields = ["download", "owner", "request", "content_type", "kilobytes", "uploaded_at", "removed_at", "code"]
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[AccountDocument]:
        return super().get_queryset(request) & AccountDocument.objects.visible_to(request.user)

    @display(description=_("file"))
    def download(self, document: AccountDocument) -> SafeString | str:
        return link_to_file(document)

    @display(description=_("person"), ordering="person__last_name")
    def owner(self, document: AccountDocument) -> SafeString:
        return link_to_person(document.person)

    @display(description=_("size"), ordering="size")
    def kilobytes(self, document: AccountDocument) -> str:
        return str(filesizeformat(document.size))


class RequestQueue(QueueFilter):
    """Whom a request waits for. Without a choice: the office."""

    first = (_("To be looked at"), Q(status=RequestStatus.SENT))
    QUEUES = {
        "person": (_("Waiting for the person"), Q(status__in=[RequestStatus.ASKED, RequestStatus.DECLINED])),
        "done": (_("Done"), Q(status__in=[RequestStatus.APPROVED, RequestStatus.WITHDRAWN])),
        "all": (_("All"), Q()),
    }


class FilesInline(ReadOnlyInline):
    """The files of one request."""

    model = AccountDocument
    fields = ["download", "kilobytes", "uploaded_at", "removed_at"]
    hide_title = True
    verbose_name_plural = _("files")
    ordering = ["-pk"]

    @display(description=_("file"))
    def download(self, document: AccountDocument) -> SafeString | str:
        return link_to_file(document)

    @display(description=_("size"))
    def kilobytes(self, document: AccountDocument) -> str:
        return str(filesizeformat(document.size))


@admin.register(DocumentRequest)
class DocumentRequestAdmin(ReadOnlyAdmin):
    """What people were asked for; the list opens with what is to be looked at, the oldest first."""

    list_display = ["what", "owner", "state", "files", "asked_at", "asked_by", "decided_at"]
    list_filter = [RequestQueue, "asked_at"]
    list_select_related = ["person", "asked_by"]
    ordering = ["asked_at", "pk"]
    search_fields = ["what", "code", "person__last_name", "person__first_name", "person__email"]
    search_help_text = _("What is needed, person's name or e-mail")
    fields = ["what", "owner", "status", "reason", "asked_by", "asked_at", "decided_by", "decided_at", "code"]
    readonly_fields = fields
    inlines = [FilesInline]
    actions = ["approve_all", "withdraw_all"]
    actions_detail = ["approve", "decline", "withdraw"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[DocumentRequest]:
        rows = super().get_queryset(request) & DocumentRequest.objects.visible_to(request.user)
        return rows.annotate(file_count=Count("documents", filter=Q(documents__removed_at__isnull=True)))

    @display(description=_("person"), ordering="person__last_name")
    def owner(self, wanted: DocumentRequest) -> SafeString:
        return link_to_person(wanted.person)

    @display(description=_("state"), ordering="status", label=TONES)
    def state(self, wanted: DocumentRequest) -> tuple[str, str]:
        return wanted.status, wanted.get_status_display()

    @display(description=_("files"), ordering="file_count")
    def files(self, wanted: Any) -> int:
        return cast(int, wanted.file_count)

    def has_decide_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("accounts.change_documentrequest")

    @admin.action(description=_("Approve"), permissions=["decide"])
    def approve_all(self, request: HttpRequest, queryset: QuerySet[DocumentRequest]) -> None:
        self._on_each(request, queryset, approve_request, lambda count: ngettext(
            "%(count)d document approved.", "%(count)d documents approved.", count))  # fmt: skip

    @admin.action(description=_("No longer needed"), permissions=["decide"])
    def withdraw_all(self, request: HttpRequest, queryset: QuerySet[DocumentRequest]) -> None:
        self._on_each(request, queryset, withdraw_request, lambda count: ngettext(
            "%(count)d request withdrawn.", "%(count)d requests withdrawn.", count))  # fmt: skip

    def _on_each(
        self,
        request: HttpRequest,
        rows: QuerySet[DocumentRequest],
        deed: Callable[..., None],
        words: Callable[[int], str],
    ) -> None:
        actor = cast(User, request.user)
        act_on_each(
            request,
            rows.select_related("person"),
            lambda wanted: deed(request=wanted, actor=actor),
            lambda count: words(count) % {"count": count},
        )

    @action(description=_("Approve"), url_path="approve", permissions=["decide"], icon="check")
    def approve(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._ask(request, object_id, approve_request, DecisionForm, _("Approve"), _("Approved."))

    @action(description=_("Decline"), url_path="decline", permissions=["decide"], icon="close")
    def decline(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._ask(request, object_id, decline_request, DeclineForm, _("Decline"), _("Declined."))

    @action(description=_("No longer needed"), url_path="withdraw", permissions=["decide"], icon="undo")
    def withdraw(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._ask(request, object_id, withdraw_request, forms.Form, _("No longer needed"), _("Withdrawn."))

    def _ask(
        self,
        request: HttpRequest,
        object_id: str,
        deed: Callable[..., None],
        form_class: type[forms.Form],
        title: Any,
        done: Any,
    ) -> HttpResponse:
        """Show the files and ask; a deed that is refused says why on the same page."""
        wanted = get_object_or_404(self.get_queryset(request).select_related("person"), pk=object_id)
        seen = newest_document(wanted)
        form = form_class(request.POST if request.method == "POST" else None, initial={"seen": seen})
        back = reverse("admin:accounts_documentrequest_change", args=[wanted.pk])
        if form.is_bound and form.is_valid():
            try:
                deed(request=wanted, actor=cast(User, request.user), **form.cleaned_data)
            except DomainError as error:
                messages.error(request, str(error))
            else:
                messages.success(request, done)
            return redirect(back)
        files = format_html_join(", ", "{}", ((link_to_file(one),) for one in wanted.documents.living()))
        facts = [(_("person"), wanted.person), (_("what is needed"), wanted.what), (_("files"), files)]
        return render_ask_page(
            self, request, title=title, form=form, facts=facts, submit=title, original=wanted, back=back,
        )  # fmt: skip
