"""The boots themselves: their codes, their stickers, and putting them on cars."""

from typing import Any, cast

import segno
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from unfold.decorators import action, display

from accounts.models import User
from boots.admin.forms import AddForm, CodeForm, DescribeForm, PutOnForm, WhyForm
from boots.models import Boot, Booting, BootStatus
from boots.selectors import find_boot
from boots.services import codes, inventory, putting_on, returning
from opscom.core.admin import NothingToTypeForm, ReadOnlyAdmin, change_page, posted, posted_files, render_ask_page
from opscom.core.errors import DomainError
from opscom.provider.templatetags.portal import local_datetime
from payments.admin.shared import AsksOffice, link_to

BOOT_TONES = {
    BootStatus.AVAILABLE: "success",
    BootStatus.ISSUED: "warning",
    BootStatus.RELEASED: "info",
    BootStatus.OVERDUE: "danger",
    BootStatus.LOST: "danger",
}
ALWAYS = {"set_code", "sticker", "describe"}
OFFERED: dict[str, set[str]] = {
    BootStatus.AVAILABLE: {"look", "put_on", "lose"},
    BootStatus.ISSUED: {"look"},
    BootStatus.RELEASED: {"look"},
    BootStatus.OVERDUE: {"look"},
    BootStatus.LOST: {"find"},
}


@admin.register(Boot)
class BootAdmin(AsksOffice, ReadOnlyAdmin):
    """The inventory. No code stands on any page but the answer to `Look at the release code`."""

    list_display = ["serial", "state", "car", "since", "has_a_code", "service", "note"]
    list_filter = ["status", "is_out_of_service"]
    search_fields = ["serial"]
    search_help_text = _("Serial number, or what the scanner reads from the sticker")
    fields = ["serial", "status", "car", "since", "has_a_code", "code_set_at", "is_out_of_service", "note"]
    readonly_fields = fields
    actions_list = ["put_on_typed"]
    actions_detail = ["put_on", "set_code", "look", "sticker", "describe", "lose", "find"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Boot]:
        rows: QuerySet[Boot] = super().get_queryset(request)
        running = Booting.objects.running().select_related("ticket")
        return rows.prefetch_related(Prefetch("bootings", running, to_attr="now_on"))

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> Any:
        found, has_doubles = super().get_search_results(request, queryset, search_term)
        boot = find_boot(search_term) if search_term else None
        return (found | queryset.filter(pk=boot.pk) if boot else found), has_doubles

    @display(description=_("status"), ordering="status", label=BOOT_TONES)
    def state(self, boot: Boot) -> tuple[str, str]:
        return boot.status, boot.get_status_display()

    @display(description=_("on the car of"))
    def car(self, boot: Any) -> SafeString | str:
        return link_to(boot.now_on[0], boot.now_on[0].ticket.number) if boot.now_on else "-"

    @display(description=_("since"))
    def since(self, boot: Any) -> str:
        return local_datetime(boot.now_on[0].put_on_at) if boot.now_on else "-"

    @display(description=_("release code"), boolean=True)
    def has_a_code(self, boot: Boot) -> bool:
        return boot.has_code

    @display(description=_("out of service"), ordering="is_out_of_service", label="danger")
    def service(self, boot: Boot) -> Any:
        return _("Out of service") if boot.is_out_of_service else None

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("boots.add_boot")

    def has_edit_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("boots.change_boot")

    def has_look_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("boots.see_code")

    def has_put_on_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("boots.put_on_boot")

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        boot = Boot.objects.filter(pk=object_id).first()
        offered = ALWAYS | OFFERED[boot.status] if boot else set()
        if boot and not boot.has_code:
            offered = offered - {"look", "put_on"}
        return [one for one in super().get_actions_detail(request, object_id) if one.method.__name__ in offered]

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        if object_id is None:
            return self._add(request)
        return cast(HttpResponse, super().changeform_view(request, object_id, form_url, extra_context))

    @method_decorator(sensitive_post_parameters("code"))
    def _add(self, request: HttpRequest) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = AddForm(posted(request))
        if form.is_bound and form.is_valid():
            try:
                boot = inventory.add_boot(**form.cleaned_data, actor=cast(User, request.user))
            except DomainError as error:
                form.add_error(None, str(error))
            else:
                messages.success(request, gettext("Boot %(serial)s is added.") % {"serial": boot})
                return redirect(change_page(boot))
        back = reverse("admin:boots_boot_changelist")
        return render_ask_page(self, request, title=_("Add a boot"), form=form, submit=_("Add"), back=back)

    @method_decorator(sensitive_post_parameters("code"))
    @action(description=_("Set the release code"), url_path="code", permissions=["edit"], icon="password")
    def set_code(self, request: HttpRequest, object_id: str) -> HttpResponse:
        boot = find(object_id)
        running = Booting.objects.running().filter(boot=boot, released_at__isnull=False).exists()
        return self.ask_plain(
            request,
            boot,
            CodeForm(posted(request)),
            lambda who, values: codes.set_code(boot=boot, code=values["code"], actor=who),
            _("The release code is set."),
            title=_("Set the release code"),
            facts=facts(boot),
            warning=gettext("The driver gets the corrected code by e-mail at once.") if running else "",
            submit=gettext("Set the code"),
        )

    @method_decorator(never_cache)
    @sensitive_variables("code")
    @action(description=_("Look at the release code"), url_path="look", permissions=["look"], icon="visibility")
    def look(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Show the code on the answer to a POST, and nowhere else; who looked is written down."""
        boot = find(object_id)
        form = NothingToTypeForm(posted(request))
        if form.is_bound and form.is_valid():
            try:
                code = codes.look_at_code(boot=boot, actor=cast(User, request.user))
            except DomainError as error:
                form.add_error(None, str(error))
            else:
                context = {**self.admin_site.each_context(request), "title": boot, "opts": self.opts}
                shown = {**context, "boot": boot, "code": code, "back": change_page(boot)}
                return TemplateResponse(request, "boots/admin/code.html", shown)
        return render_ask_page(
            self,
            request,
            title=_("Look at the release code"),
            form=form,
            original=boot,
            back=change_page(boot),
            facts=facts(boot),
            warning=gettext("That you looked is written down, with your name."),
            submit=gettext("Look at it"),
        )

    @action(description=_("Print the sticker"), url_path="sticker", permissions=["edit"], icon="qr_code_2")
    def sticker(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Show the sticker to print: whoever scans it comes to the payment page of the car that the boot is on."""
        boot = find(object_id)
        link = settings.SITE_URL + reverse("boots:sticker", args=[boot.tag])
        qr = segno.make(link, error="m").svg_data_uri(scale=6)
        context = {"boot": boot, "qr": qr, "link": link, "back": change_page(boot)}
        return TemplateResponse(request, "boots/admin/sticker.html", context)

    @action(description=_("Note, out of service"), url_path="describe", permissions=["edit"], icon="edit_note")
    def describe(self, request: HttpRequest, object_id: str) -> HttpResponse:
        boot = find(object_id)
        initial = {"is_out_of_service": boot.is_out_of_service, "note": boot.note}
        return self.ask_plain(
            request,
            boot,
            DescribeForm(posted(request), initial=initial),
            lambda who, values: inventory.describe_boot(boot=boot, actor=who, **values),
            _("It is written down."),
            title=_("Note, out of service"),
            facts=facts(boot),
            submit=gettext("Save"),
        )

    @action(description=_("Lost"), url_path="lose", permissions=["put_on"], icon="search_off")
    def lose(self, request: HttpRequest, object_id: str) -> HttpResponse:
        boot = find(object_id)
        return self.ask_plain(
            request,
            boot,
            WhyForm(posted(request)),
            lambda who, values: returning.lose_from_shelf(boot=boot, reason=values["reason"], actor=who),
            _("The boot counts as lost."),
            title=_("A boot that is on no car is gone"),
            facts=facts(boot),
            is_danger=True,
            submit=gettext("It is lost"),
        )

    @action(description=_("Found"), url_path="found", permissions=["put_on"], icon="where_to_vote")
    def find(self, request: HttpRequest, object_id: str) -> HttpResponse:
        boot = find(object_id)
        return self.ask_plain(
            request,
            boot,
            NothingToTypeForm(posted(request)),
            lambda who, values: returning.find_boot(boot=boot, actor=who),
            _("The boot is available. Set a release code before it goes on a car."),
            title=_("A lost boot has turned up"),
            facts=facts(boot),
            submit=gettext("It is here"),
        )

    @action(description=_("Put on a car"), url_path="put-on", permissions=["put_on"], icon="directions_car")
    def put_on(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._put_on(request, find(object_id))

    @action(description=_("Put a boot on a car"), url_path="put-on", permissions=["put_on"], icon="directions_car")
    def put_on_typed(self, request: HttpRequest) -> HttpResponse:
        return self._put_on(request, None)

    def _put_on(self, request: HttpRequest, boot: Boot | None) -> HttpResponse:
        initial = {"boot": boot.serial if boot else "", "ticket": request.GET.get("ticket", "")}
        form = PutOnForm(posted(request), posted_files(request), initial=initial)
        back = change_page(boot) if boot else reverse("admin:boots_boot_changelist")
        if form.is_bound and form.is_valid() and (booting := put_on(form, cast(User, request.user))):
            messages.success(request, gettext("The boot is on. Stick its QR where the driver sees it."))
            return redirect(change_page(booting))
        title = _("Put a boot on a car")
        return render_ask_page(self, request, title=title, form=form, submit=_("Put on"), back=back)


def put_on(form: PutOnForm, actor: User) -> Booting | None:
    """Do what the form says; what is refused stands on it."""
    values = form.cleaned_data
    lot, place = values["lot"], values["place"]
    where = putting_on.Where(lot, place) if lot or place else None
    try:
        return putting_on.put_on(
            boot=values["boot"], ticket=values["ticket"], actor=actor, where=where, photos=values["photos"]
        )
    except DomainError as error:
        form.add_error(None, str(error))
        return None


def find(object_id: str) -> Boot:
    """Return the boot, or answer 404."""
    return get_object_or_404(Boot, pk=object_id)


def facts(boot: Boot) -> list[tuple[Any, Any]]:
    """Return what names a boot on a page that asks."""
    return [(_("Boot"), boot.serial), (_("Status"), boot.get_status_display()), (_("Note"), boot.note or "-")]
