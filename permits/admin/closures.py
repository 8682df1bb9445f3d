"""The office's pages about closed lots: `Close`, look at whom it touches, confirm; change; call off."""

from collections.abc import Callable
from typing import Any, cast

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, F, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display

from accounts.models import User
from opscom.core.admin import NothingToTypeForm, ReadOnlyAdmin, change_page, posted, render_ask_page
from opscom.core.errors import DomainError
from opscom.provider.models import Lot
from permits.closure_forms import ClosureForm
from permits.closures import describe_times
from permits.models import Closure, Sale
from permits.services import lot_closures
from permits.services.lot_closures import Terms


def count_touched(lot: Lot, terms: Terms) -> list[tuple[Any, Any]]:
    """Return whom the closure touches, as facts."""
    permits = lot_closures.touched_permits(lot, terms.starts_at, terms.ends_at)
    sales = Sale.objects.filter(lot=lot, is_active=True, opens_at__lt=terms.ends_at).exclude(
        closes_at__lte=terms.starts_at
    )
    paused = ", ".join(str(sale.permit_type) for sale in sales.select_related("permit_type"))
    return [
        (_("holders who are told by e-mail"), permits.values("holder", "guest_email").distinct().count()),
        (_("permits that are valid in that time"), permits.count()),
        (_("of these, temporary ones"), permits.filter(is_temporary=True).count()),
        (_("sales that pause"), (paused if terms.spaces is None else "") or gettext("none")),
    ]


def _count_spaces(count: int) -> str:
    return ngettext("%(count)d space", "%(count)d spaces", count) % {"count": count}


@admin.register(Closure)
class ClosureAdmin(ReadOnlyAdmin):
    """What is closed, was, and will be."""

    list_display = ["lot", "part", "starts_at", "ends_at", "reason", "state", "told"]
    list_display_links = ["lot"]
    list_filter = ["lot", "reason"]
    list_select_related = ["lot"]
    fields = ["lot", "part", "starts_at", "ends_at", "reason", "words", "elsewhere", "made_by", "made_at"]
    fields += ["cancelled_at", "told"]
    readonly_fields = fields
    actions_detail = ["edit", "call_off"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Closure]:
        told = Count("notices", filter=Q(notices__edition=F("edition")))
        return super().get_queryset(request).annotate(told_count=told).prefetch_related("other_lots")

    @display(description=_("what"))
    def part(self, closure: Closure) -> str:
        return _count_spaces(closure.spaces) if closure.spaces else gettext("the whole lot")

    @display(description=_("valid meanwhile in"))
    def elsewhere(self, closure: Closure) -> str:
        return ", ".join(str(lot) for lot in closure.other_lots.all()) or "-"

    @display(description=_("told"))
    def told(self, closure: Any) -> str:
        count = closure.told_count
        words = ngettext("%(count)d permit", "%(count)d permits", count)
        if closure.told_edition < closure.edition:
            words = ngettext("%(count)d permit so far", "%(count)d permits so far", count)
        return words % {"count": count}

    @display(description=_("state"), label={"now": "danger", "coming": "warning", "over": "default", "off": "info"})
    def state(self, closure: Closure) -> tuple[str, Any]:
        now = timezone.now()
        if closure.cancelled_at:
            return "off", _("Called off")
        if closure.ends_at <= now:
            return "over", _("Over")
        return ("now", _("Closed now")) if closure.starts_at <= now else ("coming", _("To come"))

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("permits.add_closure")

    def has_edit_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("permits.change_closure")

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """What is over, or called off, stays as it was."""
        is_open = Closure.objects.standing().filter(pk=object_id, ends_at__gt=timezone.now()).exists()
        return super().get_actions_detail(request, object_id) if is_open else []

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        if object_id is None:
            return self._close(request)
        return cast(HttpResponse, super().changeform_view(request, object_id, form_url, extra_context))

    def _close(self, request: HttpRequest) -> HttpResponse:
        """Ask, show whom it touches, and close when that is confirmed."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        number = request.GET.get("lot", "")
        lot = Lot.objects.filter(pk=number).first() if number.isdecimal() and len(number) < 19 else None
        back = change_page(lot) if lot else reverse("admin:permits_closure_changelist")
        form = ClosureForm(posted(request), lot=lot)

        def deed(terms: Terms) -> Closure:
            chosen = form.cleaned_data["lot"]
            return lot_closures.close_lot(lot=chosen, terms=terms, actor=cast(User, request.user))

        return self._show_then(request, form, deed, title=_("Close a lot"), submit=gettext("Close"), back=back)

    @action(description=_("Change"), url_path="edit", permissions=["edit"], icon="edit")
    def edit(self, request: HttpRequest, object_id: str) -> HttpResponse:
        closure = get_object_or_404(Closure.objects.select_related("lot"), pk=object_id)
        form = ClosureForm(posted(request), closure=closure)

        def deed(terms: Terms) -> Closure:
            return lot_closures.change_closure(
                closure=closure, terms=terms, edition=closure.edition, actor=cast(User, request.user)
            )

        return self._show_then(
            request, form, deed, closure, title=_("Change the closure"), submit=gettext("Change"),
            back=change_page(closure),
        )  # fmt: skip

    def _show_then(
        self, request: HttpRequest, form: ClosureForm, deed: Callable[[Terms], Closure], closure: Closure | None = None,
        **page: Any,
    ) -> HttpResponse:  # fmt: skip
        """Show whom it touches; do it when the same is sent again."""
        if not (form.is_bound and form.is_valid()):
            return render_ask_page(self, request, form=form, original=closure, **page)
        lot, terms = closure.lot if closure else form.cleaned_data["lot"], form.to_terms()
        mark = form.make_mark(lot, closure.edition if closure else 0)
        try:
            lot_closures.can_close(lot, terms, timezone.now()).or_raise()
            if form.cleaned_data["mark"] == mark:
                done = deed(terms)
                messages.success(
                    request, _("Done, and holders are being told: %(times)s") % {"times": describe_times(done)}
                )
                return redirect(change_page(done))
        except DomainError as error:
            form.add_error(None, str(error))
            return render_ask_page(self, request, form=form, original=closure, **page)
        form.ask_again(mark)
        page["warning"] = gettext("Nothing is closed yet: please look at whom it touches, and confirm.")
        page["submit"] = gettext("Confirm")
        facts = [(_("lot"), lot), *count_touched(lot, terms)]
        return render_ask_page(self, request, form=form, original=closure, facts=facts, is_danger=True, **page)

    @action(description=_("Call off"), url_path="call-off", permissions=["edit"], icon="event_available")
    def call_off(self, request: HttpRequest, object_id: str) -> HttpResponse:
        closure = get_object_or_404(Closure.objects.select_related("lot"), pk=object_id)
        form = NothingToTypeForm(posted(request))
        if form.is_valid():
            try:
                lot_closures.call_off(closure=closure, edition=closure.edition, actor=cast(User, request.user))
            except DomainError as error:
                messages.error(request, str(error))
            else:
                messages.success(request, _("Called off: the lot is open, and who was told is told that."))
            return redirect(change_page(closure))
        return render_ask_page(
            self, request, title=_("Call off"), form=form, original=closure, submit=gettext("Call it off"),
            facts=[(_("closure"), describe_times(closure))], back=change_page(closure),
        )  # fmt: skip
