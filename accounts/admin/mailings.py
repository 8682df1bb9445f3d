"""Mailings: written, looked at in one's own inbox, and sent."""

from collections.abc import Callable
from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget as Checkboxes

from accounts.forms.mailings import MailingForm, SendMailingForm
from accounts.models import Mailing, MailingStatus, User
from accounts.services import mailings as services
from opscom.core.admin import SettingAdmin, render_ask_page
from opscom.core.errors import DomainError, Stale

S = MailingStatus
TONES = {S.DRAFT: "default", S.SENDING: "warning", S.SENT: "success", S.CANCELLED: "danger"}
# Which buttons stand above a mailing.
OFFERED = {S.DRAFT: {"preview", "send", "cancel"}, S.SENDING: {"preview", "cancel"}, S.SENT: {"preview"}}


@admin.register(Mailing)
class MailingAdmin(SettingAdmin):
    """A draft is written here; from the moment that it is sent, nobody changes what people have read."""

    form = MailingForm
    list_display = ["title", "category", "state", "receivers", "written_by", "started_at", "finished_at"]
    list_display_links = ["title"]
    list_filter = ["status", "category"]
    list_select_related = ["category", "written_by"]
    list_per_page = 50
    search_fields = ["code", "written_by__last_name"]
    search_help_text = _("Code, or last name of who wrote it")
    fields = ["category", "user_types", "subject", "text"]
    facts = ["status", "receivers", "written_by", "written_at", "started_at", "finished_at", "code"]
    actions_detail = ["preview", "send", "cancel"]

    @display(description=_("subject"))
    def title(self, mailing: Mailing) -> str:
        return str(mailing)

    @display(description=_("status"), ordering="status", label=TONES)
    def state(self, mailing: Mailing) -> tuple[str, str]:
        return mailing.status, mailing.get_status_display()

    def get_fields(self, request: HttpRequest, obj: Mailing | None = None) -> list[str]:
        return [*self.fields, *(self.facts if obj else [])]

    def get_readonly_fields(self, request: HttpRequest, obj: Mailing | None = None) -> list[str]:
        return self.facts if obj else []

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        return super().formfield_for_manytomany(db_field, request, widget=Checkboxes(), **kwargs)

    def has_change_permission(self, request: HttpRequest, obj: Mailing | None = None) -> bool:
        return (obj is None or obj.status == S.DRAFT) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Mailing | None = None) -> bool:
        """What is not wanted is cancelled; what was sent stays known."""
        return False

    def has_send_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("accounts.send_mailing")

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        status = Mailing.objects.filter(pk=object_id).values_list("status", flat=True).first()
        offered = OFFERED.get(status, set())  # type: ignore[call-overload]
        return [one for one in super().get_actions_detail(request, object_id) if one.method.__name__ in offered]

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> HttpResponse:
        """Say it, when the mailing went out while somebody was still writing."""
        try:
            return super().change_view(request, object_id, *args, **kwargs)
        except Stale as error:
            messages.error(request, str(error))
            return redirect(page_of(object_id))
        except PermissionDenied:
            if request.method != "POST" or not self.has_change_permission(request):
                raise
            messages.error(request, _("This mailing was sent or cancelled already."))
            return redirect(page_of(object_id))

    def save_model(self, request: HttpRequest, obj: Mailing, form: Any, change: bool) -> None:
        if not change:
            obj.written_by = cast(User, request.user)
            super().save_model(request, obj, form, change)
            return
        # Only what is written, and only while it is a draft: a mailing that was started meanwhile is left as it is.
        words = {"category": obj.category, "subject": obj.subject, "text": obj.text}
        if not Mailing.objects.filter(pk=obj.pk, status=S.DRAFT).update(**words):
            raise Stale(_("This mailing was sent or cancelled already."))

    @action(description=_("Send a preview to me"), url_path="preview", permissions=["send"], icon="mark_email_read")
    def preview(self, request: HttpRequest, object_id: str) -> HttpResponse:
        title = _("Send a preview to me")
        done = _("The preview is on its way to %(address)s.") % {"address": cast(User, request.user).email}
        return self._ask(request, object_id, services.send_preview, title, done)

    @action(description=_("Cancel"), url_path="cancel", permissions=["send"], icon="cancel")
    def cancel(self, request: HttpRequest, object_id: str) -> HttpResponse:
        warning = _("No more e-mails go out. People to whom it was sent already still get it.")
        return self._ask(
            request, object_id, services.cancel_mailing, _("Cancel the mailing"), _("The mailing is cancelled."),
            warning=warning, is_danger=True,
        )  # fmt: skip

    @action(description=_("Send"), url_path="send", permissions=["send"], icon="send")
    def send(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Show how many get what, and send it once the office says so."""
        mailing = self._get(request, object_id)
        asks = services.needs_confirmation(mailing)
        start = {"mark": services.make_mark(mailing)}
        form = SendMailingForm(request.POST if request.method == "POST" else None, asks=asks, initial=start)
        if form.is_bound and form.is_valid():
            try:
                services.start_mailing(mailing=mailing, actor=cast(User, request.user), **form.cleaned_data)
            except DomainError as error:
                form.add_error(None, str(error))
                form.data = {**request.POST.dict(), **start}
            else:
                messages.success(request, _("The mailing is on its way."))
                return redirect(page_of(mailing.pk))
        warning = _("People cannot choose their e-mails now: everybody gets this, and nobody can unsubscribe.")
        return render_ask_page(
            self, request, title=_("Send the mailing"), form=form, facts=self._facts(mailing), submit=_("Send"),
            warning=warning if asks else "", original=mailing, back=page_of(mailing.pk),
        )  # fmt: skip

    def _ask(
        self, request: HttpRequest, object_id: str, deed: Callable[..., Any], title: Any, done: Any, **more: Any
    ) -> HttpResponse:
        mailing = self._get(request, object_id)
        if request.method == "POST":
            try:
                deed(mailing=mailing, actor=cast(User, request.user))
            except DomainError as error:
                messages.error(request, str(error))
            else:
                messages.success(request, done)
            return redirect(page_of(mailing.pk))
        return render_ask_page(
            self, request, title=title, form=forms.Form(), facts=self._facts(mailing), submit=title,
            original=mailing, back=page_of(mailing.pk), **more,
        )  # fmt: skip

    def _get(self, request: HttpRequest, object_id: str) -> Mailing:
        rows: QuerySet[Mailing] = self.get_queryset(request).select_related("category")
        return get_object_or_404(rows, pk=object_id)

    def _facts(self, mailing: Mailing) -> list[tuple[Any, Any]]:
        types = ", ".join(str(kind) for kind in mailing.user_types.all())
        counts = [(_("receivers"), services.count_receivers(mailing))] if mailing.status == S.DRAFT else []
        if mailing.status == S.SENDING:
            counts = [(_("receivers so far"), mailing.receivers)]
        return [
            *((_("category"), mailing.category), (_("user types"), types or _("everybody")), *counts),
            *((_("subject"), mailing.subject), (_("text"), Truncator(str(mailing.text)).chars(300))),
        ]


def page_of(pk: Any) -> str:
    """Return the address of the mailing's page."""
    return reverse("admin:accounts_mailing_change", args=[pk])
