"""Boots on cars: what is out, since when, with whom; and what the office does about it."""

from typing import Any, cast

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import F, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_post_parameters
from unfold.decorators import action, display

from boots.admin.forms import FindForm, ReturnForm, TakeOffForm, TimeForm, WhyForm, WhyWithPasswordForm
from boots.models import Booting, BootPhoto, BootStatus
from boots.selectors import find_boot
from boots.services import releasing, returning, steps
from boots.timeline import timeline
from opscom.core.admin import (
    NothingToTypeForm,
    QueueFilter,
    ReadOnlyAdmin,
    change_page,
    posted,
    posted_files,
    render_ask_page,
)
from opscom.provider.templatetags.portal import local_datetime
from payments.admin.shared import AsksOffice, link_to
from violations.admin.shared import FindsByNumber
from violations.views.files import send_file

OUT, ON_CAR = {"back", "more_time", "send_again", "lose"}, {"take_off", "lose"}
LOADED = [
    "boot",
    "ticket__person",
    "lot",
    "line__order",
    "deposit__refund__payment__billing_account__company",
    "late_ticket",
    "lost_ticket",
    "late_offence",
]


class OutQueue(QueueFilter):
    """What is out, first of all."""

    title = _("where it is")
    first = (_("Out"), Q(ended_at=None))
    QUEUES = {
        "on": (_("On a car"), Q(ended_at=None, released_at=None)),
        "late": (_("Late"), Q(ended_at=None, overdue_at__isnull=False)),
        "problem": (_("The code does not work"), Q(ended_at=None, problem_at__isnull=False)),
        "over": (_("Over"), Q(ended_at__isnull=False)),
        "all": (_("All"), Q()),
    }


@admin.register(Booting)
class BootingAdmin(FindsByNumber, AsksOffice, ReadOnlyAdmin):
    """All that were put on; those that should be back first stand first."""

    list_display = ["boot", "number", "vehicle", "driver", "state", "put_on_at", "return_by"]
    list_filter = [OutQueue, "put_on_at"]
    list_select_related = ["boot", "ticket__person", "line__order"]
    search_fields = ["boot__serial", "ticket__number_key", "ticket__plate_key", "line__order__email"]
    search_help_text = _("Serial number, ticket number, plate, or the payer's e-mail")
    ordering = [F("return_by").asc(nulls_last=True), "-put_on_at"]
    fields = ["boot_link", "number", "vehicle", "driver", "lot", "place", "put_on_at", "put_on_by", "return_by"]
    fields += ["order_link", "deposit_link", "late_link", "lost_link", "problem_at", "condition", "note", "ended_by"]
    readonly_fields = fields
    actions_list = ["find_returned"]
    actions_detail = ["back", "take_off", "more_time", "send_again", "lose"]
    change_form_outer_after_template = "boots/admin/_booting.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Booting]:
        rows: QuerySet[Booting] = super().get_queryset(request)
        return rows.select_related(*LOADED)

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> Any:
        found, has_doubles = super().get_search_results(request, queryset, search_term)
        boot = find_boot(search_term) if search_term else None
        return (found | queryset.filter(boot=boot) if boot else found), has_doubles

    @display(description=_("ticket"), ordering="ticket__number_key")
    def number(self, booting: Booting) -> SafeString | str:
        return link_to(booting.ticket)

    @display(description=_("vehicle"), ordering="ticket__plate_key")
    def vehicle(self, booting: Booting) -> str:
        return booting.ticket.vehicle_label

    @display(description=_("who"))
    def driver(self, booting: Booting) -> str:
        """Who has paid, else who has the vehicle on their account."""
        order = booting.line.order if booting.line else None
        return (order.payer_name or order.email) if order else str(booting.ticket.person or "-")

    @display(
        description=_("status"),
        label={"on": "warning", "out": "info", "late": "danger", "problem": "danger", "over": "default"},
    )
    def state(self, booting: Booting) -> tuple[str, Any]:
        if booting.ended_at:
            return "over", booting.get_ending_display()
        if booting.problem_at:
            return "problem", _("The code does not work")
        if booting.boot.status == BootStatus.OVERDUE:
            return "late", _("Late")
        return ("out", _("Released")) if booting.released_at else ("on", _("On the car"))

    @display(description=_("boot"))
    def boot_link(self, booting: Booting) -> SafeString | str:
        return link_to(booting.boot)

    @display(description=_("order"))
    def order_link(self, booting: Booting) -> SafeString | str:
        return link_to(booting.line.order if booting.line else None)

    @display(description=_("deposit"))
    def deposit_link(self, booting: Booting) -> SafeString | str:
        return link_to(booting.deposit)

    @display(description=_("ticket for the late return"))
    def late_link(self, booting: Booting) -> SafeString | str:
        return link_to(booting.late_ticket)

    @display(description=_("ticket for the lost boot"))
    def lost_link(self, booting: Booting) -> SafeString | str:
        return link_to(booting.lost_ticket)

    def has_act_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("boots.put_on_boot")

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        booting = Booting.objects.filter(pk=object_id, ended_at=None).first()
        offered = (OUT if booting.released_at else ON_CAR) if booting else set()
        return [one for one in super().get_actions_detail(request, object_id) if one.method.__name__ in offered]

    def get_urls(self) -> list[URLPattern]:
        photo = path("photo/<slug:file_code>/", self.admin_site.admin_view(self.photo), name="boots_booting_photo")
        return [photo, *super().get_urls()]

    def photo(self, request: HttpRequest, file_code: str) -> HttpResponseBase:
        """Hand a photo out, or with `?small` its thumbnail."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        return send_file(get_object_or_404(BootPhoto, code=file_code), small="small" in request.GET)

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        found = Booting.objects.select_related(*LOADED).filter(pk=object_id).first() if object_id else None
        panel = {"events": timeline(found), "photos": found.photos.all()} if found else {}
        context = {**(extra_context or {}), **panel}
        return cast(HttpResponse, super().changeform_view(request, object_id, form_url, context))

    @action(description=_("A boot came back"), url_path="came-back", permissions=["act"], icon="keyboard_return")
    def find_returned(self, request: HttpRequest) -> HttpResponse:
        """The boot is typed or scanned, and its return's page opens."""
        form = FindForm(posted(request))
        if form.is_bound and form.is_valid():
            boot = form.cleaned_data["boot"]
            running = Booting.objects.running().filter(boot=boot).first()
            if running and running.released_at:
                return redirect(reverse("admin:boots_booting_back", args=[running.pk]))
            if running:
                messages.warning(request, gettext("Nobody has paid for this one: was it taken off by hand?"))
                return redirect(change_page(running))
            words = gettext("Boot %(serial)s is not out: %(state)s.")
            form.add_error("boot", words % {"serial": boot, "state": boot.get_status_display()})
        back = reverse("admin:boots_booting_changelist")
        return render_ask_page(self, request, title=_("A boot came back"), form=form, submit=_("Go on"), back=back)

    @method_decorator(sensitive_post_parameters("password", "code", "new_code"))
    @action(description=_("The boot is back"), url_path="back", permissions=["act"], icon="keyboard_return")
    def back(self, request: HttpRequest, object_id: str) -> HttpResponse:
        booting = find(object_id)
        form = ReturnForm(posted(request), posted_files(request), request=request, has_deposit=booting.has_deposit)
        return self.ask_plain(
            request,
            booting,
            form,
            lambda who, values: returning.return_boot(booting=booting, how=form.to_data(), actor=who),
            _("The boot is back. The old release code is void."),
            title=_("The boot is back"),
            facts=facts(booting),
            warning=gettext("The deposit goes back to where it came from.") if booting.has_deposit else "",
            submit=gettext("It is back"),
        )

    @method_decorator(sensitive_post_parameters("new_code"))
    @action(description=_("Taken off by hand"), url_path="take-off", permissions=["act"], icon="construction")
    def take_off(self, request: HttpRequest, object_id: str) -> HttpResponse:
        booting = find(object_id)
        return self.ask_plain(
            request,
            booting,
            TakeOffForm(posted(request)),
            lambda who, values: returning.take_off(booting=booting, actor=who, **values),
            _("The boot is off. Its ticket is to be paid as any other."),
            title=_("An officer took the boot off"),
            facts=facts(booting),
            warning=gettext("Its release code is void, and no deposit is asked any more."),
            submit=gettext("It is off"),
        )

    @action(description=_("More time"), url_path="more-time", permissions=["act"], icon="more_time")
    def more_time(self, request: HttpRequest, object_id: str) -> HttpResponse:
        booting = find(object_id)
        return self.ask_plain(
            request,
            booting,
            TimeForm(posted(request), initial={"until": booting.return_by}),
            lambda who, values: steps.give_more_time(booting=booting, until=values["until"], actor=who),
            _("The driver was told by e-mail."),
            title=_("More time to return it"),
            facts=facts(booting),
            submit=gettext("Give more time"),
        )

    @action(description=_("Send the code again"), url_path="send-again", permissions=["act"], icon="forward_to_inbox")
    def send_again(self, request: HttpRequest, object_id: str) -> HttpResponse:
        booting = find(object_id)
        return self.ask_plain(
            request,
            booting,
            NothingToTypeForm(posted(request)),
            lambda who, values: releasing.send_code_again(booting=booting, actor=who),
            _("The code is on its way to the address given with the payment."),
            title=_("Send the code again"),
            facts=facts(booting),
            submit=gettext("Send"),
        )

    @method_decorator(sensitive_post_parameters("password", "code"))
    @action(description=_("Lost"), url_path="lose", permissions=["act"], icon="search_off")
    def lose(self, request: HttpRequest, object_id: str) -> HttpResponse:
        booting = find(object_id)
        sent = posted(request)
        form = WhyWithPasswordForm(sent, request=request) if booting.has_deposit else WhyForm(sent)
        return self.ask_plain(
            request,
            booting,
            form,
            lambda who, values: returning.lose_boot(booting=booting, reason=values["reason"], actor=who),
            _("The boot counts as lost."),
            title=_("The boot will not come back"),
            facts=facts(booting),
            is_danger=True,
            warning=gettext("A deposit that is held is kept, and the rule's charge is a ticket of its own."),
            submit=gettext("It is lost"),
        )


def find(object_id: str) -> Booting:
    """Return the time on a car, or answer 404."""
    return get_object_or_404(Booting.objects.select_related(*LOADED), pk=object_id)


def facts(booting: Booting) -> list[tuple[Any, Any]]:
    """Return what names a boot on a car on a page that asks."""
    rows = [
        (_("Boot"), booting.boot.serial),
        (_("Ticket"), booting.ticket.number),
        (_("Vehicle"), booting.ticket.vehicle_label),
        (_("Put on"), local_datetime(booting.put_on_at)),
    ]
    return [*rows, (_("Return it by"), local_datetime(booting.return_by))] if booting.return_by else rows
