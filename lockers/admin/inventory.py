"""The lockers: which are to be emptied, which are out of order, and their combinations."""

from typing import Any, cast

from django.contrib import admin
from django.db.models import Prefetch, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from unfold.decorators import action, display

from accounts.models import User
from lockers.admin.forms import CombinationForm, EmptiedForm, OutOfOrderForm
from lockers.models import Locker, LockKind, Rental, RentalStatus
from lockers.services import combinations, managing
from opscom.core.admin import (
    NothingToTypeForm,
    QueueFilter,
    SettingAdmin,
    change_page,
    posted,
    render_ask_page,
)
from opscom.core.errors import DomainError
from opscom.core.money import ZERO, format_money
from payments.admin.shared import AsksOffice, link_to


class LockerQueue(QueueFilter):
    """What is to be done about lockers."""

    first = (_("All"), Q())
    QUEUES = {
        "to_empty": (_("Must be emptied"), Q(to_empty_since__isnull=False)),
        "out_of_order": (_("Out of order"), ~Q(out_of_order="")),
        "no_combination": (_("Without a combination"), Q(area__lock_kind=LockKind.COMBINATION, sealed_combination="")),
    }


@admin.register(Locker)
class LockerAdmin(AsksOffice, SettingAdmin):
    """The lockers. No combination stands on any page but the answer to `Look at the combination`."""

    list_display = ["number", "area", "size", "is_accessible", "is_visible", "state", "renter", "to_empty_since"]
    list_filter = [LockerQueue, "area__building", "area", "size", "is_accessible", "is_visible"]
    search_fields = ["number"]
    fields = ["area", "number", "row", "column", "size", "is_accessible", "is_visible"]
    shown = ["area", "state", "renter", "to_empty_since", "left", "has_a_combination"]
    actions_detail = ["emptied", "set_combination", "look", "maintain"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Locker]:
        now = timezone.now()
        running = Rental.objects.filter(status=RentalStatus.ACTIVE, starts_at__lte=now).select_related("renter")
        rows: QuerySet[Locker] = super().get_queryset(request)
        return rows.select_related("area__building", "left_by__renter").prefetch_related(
            Prefetch("rentals", running, to_attr="now_in")
        )

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return [*self.fields, *self.shown[1:]] if obj else list(self.fields)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return list(self.shown) if obj else []

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @display(description=_("status"), label={"free": "success", "rented": "info", "empty": "warning", "off": "danger"})
    def state(self, locker: Any) -> tuple[str, Any]:
        if locker.out_of_order:
            return "off", _("Out of order: %(reason)s") % {"reason": locker.out_of_order}
        if locker.to_empty_since:
            return "empty", _("Must be emptied")
        return ("rented", _("Rented")) if locker.now_in else ("free", _("Free"))

    @display(description=_("renter"))
    def renter(self, locker: Any) -> SafeString | str:
        return link_to(locker.now_in[0], locker.now_in[0].renter) if locker.now_in else "-"

    @display(description=_("left by"))
    def left(self, locker: Locker) -> SafeString | str:
        return link_to(locker.left_by, locker.left_by.renter) if locker.left_by else "-"

    @display(description=_("combination"), boolean=True)
    def has_a_combination(self, locker: Locker) -> bool:
        return locker.has_combination

    def has_edit_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("lockers.change_locker")

    def has_look_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("lockers.see_combination")

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        locker = Locker.objects.select_related("area").filter(pk=object_id).first()
        offered = {"maintain"} if locker else set()
        if locker and locker.area.lock_kind == LockKind.COMBINATION:
            offered |= {"look", "set_combination"} if locker.has_combination else {"set_combination"}
        if locker and locker.to_empty_since:
            offered |= {"emptied"}
        return [one for one in super().get_actions_detail(request, object_id) if one.method.__name__ in offered]

    @method_decorator(sensitive_post_parameters("combination", "password", "code"))
    @action(description=_("It is empty"), url_path="emptied", permissions=["edit"], icon="inventory_2")
    def emptied(self, request: HttpRequest, object_id: str) -> HttpResponse:
        locker = find(object_id)
        deposit = managing.deposit_to_decide(locker)
        has_lock = locker.area.lock_kind == LockKind.COMBINATION
        form = EmptiedForm(posted(request), request=request, has_deposit=deposit is not None, has_lock=has_lock)

        def deed(who: User, values: dict[str, Any]) -> None:
            returned = deposit.amount - (values["kept"] or ZERO) if deposit else None
            managing.empty_locker(
                locker=locker,
                actor=who,
                combination=values.get("combination", ""),
                returned=returned,
                reason=values.get("reason", ""),
            )

        held = [(_("Deposit"), format_money(deposit.amount))] if deposit else []
        return self.ask_plain(
            request,
            locker,
            form,
            deed,
            _("The locker can be rented again."),
            title=_("The locker is empty"),
            facts=[*facts(locker), (_("Left by"), locker.left_by.renter if locker.left_by else "-"), *held],
            warning=gettext("The deposit goes back to where it came from.") if deposit else "",
            submit=gettext("It is empty"),
        )

    @method_decorator(sensitive_post_parameters("combination"))
    @action(description=_("Set the combination"), url_path="combination", permissions=["edit"], icon="password")
    def set_combination(self, request: HttpRequest, object_id: str) -> HttpResponse:
        locker = find(object_id)
        return self.ask_plain(
            request,
            locker,
            CombinationForm(posted(request)),
            lambda who, values: combinations.set_combination(
                locker=locker, combination=values["combination"], actor=who
            ),
            _("The combination is set."),
            title=_("Set the combination"),
            facts=facts(locker),
            submit=gettext("Set the combination"),
        )

    @method_decorator(never_cache)
    @sensitive_variables("combination")
    @action(description=_("Look at the combination"), url_path="look", permissions=["look"], icon="visibility")
    def look(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Show the combination on the answer to a POST, and nowhere else; who looked is written down."""
        locker = find(object_id)
        form = NothingToTypeForm(posted(request))
        if form.is_bound and form.is_valid():
            try:
                combination = combinations.look_at_combination(locker=locker, actor=cast(User, request.user))
            except DomainError as error:
                form.add_error(None, str(error))
            else:
                context = {**self.admin_site.each_context(request), "title": locker, "opts": self.opts}
                shown = {**context, "locker": locker, "combination": combination, "back": change_page(locker)}
                return TemplateResponse(request, "lockers/admin/combination.html", shown)
        return render_ask_page(
            self,
            request,
            title=_("Look at the combination"),
            form=form,
            original=locker,
            back=change_page(locker),
            facts=facts(locker),
            warning=gettext("That you looked is written down, with your name."),
            submit=gettext("Look at it"),
        )

    @action(description=_("Out of order"), url_path="out-of-order", permissions=["edit"], icon="build")
    def maintain(self, request: HttpRequest, object_id: str) -> HttpResponse:
        locker = find(object_id)
        return self.ask_plain(
            request,
            locker,
            OutOfOrderForm(posted(request), initial={"reason": locker.out_of_order}),
            lambda who, values: managing.hold_for_maintenance(locker=locker, reason=values["reason"], actor=who),
            _("It is written down."),
            title=_("Hold for maintenance"),
            facts=facts(locker),
            warning=gettext("Who rents it now keeps it: switch them to another one."),
            submit=gettext("Save"),
        )


def find(object_id: str) -> Locker:
    """Return the locker, or answer 404."""
    return get_object_or_404(Locker.objects.select_related("area", "left_by__renter", "left_by__deposit"), pk=object_id)


def facts(locker: Locker) -> list[tuple[Any, Any]]:
    """Return what names a locker on a page that asks."""
    return [(_("Locker"), locker.number), (_("Area"), locker.area)]
