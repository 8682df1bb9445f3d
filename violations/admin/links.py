"""Vehicles that are linked to somebody for an appeal."""

from typing import Any, cast

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.decorators import display

from accounts.models import User
from opscom.core.admin import ReadOnlyAdmin, act_on_each
from payments.admin.shared import link_to
from violations.admin.shared import FindsByNumber
from violations.models import Association
from violations.services.associating import end_kept_link


class LiveFilter(admin.SimpleListFilter):
    """Links that last, or have ended."""

    title = _("state")
    parameter_name = "live"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("lasts")), ("no", _("ended"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Association]) -> QuerySet[Association]:
        live = Q(ends_at__isnull=True) | Q(ends_at__gt=timezone.now())
        conditions = {"yes": live, "no": ~live}
        return queryset.filter(conditions.get(self.value() or "", Q()))


@admin.register(Association)
class AssociationAdmin(FindsByNumber, ReadOnlyAdmin):
    """Who sees somebody else's vehicle, for which appeal, and until when."""

    list_display = ["plate", "owner", "ticket_link", "began_at", "ends_at", "is_kept"]
    list_filter = [LiveFilter, "is_kept"]
    list_select_related = ["person", "ticket"]
    search_fields = ["plate_key", "ticket__number_key", "person__last_name", "person__email"]
    search_help_text = _("Plate, ticket number, person's name or e-mail")
    fields = ["plate", "region", "owner", "ticket_link", "began_at", "ends_at", "is_kept"]
    readonly_fields = fields
    actions = ["end_all"]

    @display(description=_("person"), ordering="person__last_name")
    def owner(self, link: Association) -> SafeString | str:
        return link_to(link.person)

    @display(description=_("ticket"))
    def ticket_link(self, link: Association) -> SafeString | str:
        return link_to(link.ticket)

    def has_end_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("violations.change_association")

    @admin.action(description=_("End the link"), permissions=["end"])
    def end_all(self, request: HttpRequest, queryset: QuerySet[Association]) -> None:
        act_on_each(
            request,
            queryset.select_related("person", "ticket"),
            lambda link: end_kept_link(link=link, actor=cast(User, request.user)),
            lambda count: ngettext("%(count)d link ended.", "%(count)d links ended.", count) % {"count": count},
        )
