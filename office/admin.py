"""What stands above all apps: the log, and why a lot is (not) for sale."""

from typing import Any, cast

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display

from accounts.models import UserType
from office.deeds import describe_deed, describe_facts
from office.selectors import check_lot, explain_outcome
from opscom.core.admin import ReadOnlyAdmin
from opscom.core.models import AuditEntry
from opscom.provider.admin import LotAdmin
from opscom.provider.models import Lot

NO_TYPE = "none"


class KindFilter(admin.SimpleListFilter):
    """What the deed was done to: the first word of its action."""

    title = _("what it is about")
    parameter_name = "about"
    PREFIXES = {
        "person": _("people"),
        "company": _("companies"),
        "acting": _("acting for others"),
        "document": _("documents"),
        "document_request": _("document requests"),
        "hold": _("holds on accounts"),
        "vehicle": _("vehicles"),
        "permit": _("permits"),
        "waitlist": _("waitlists"),
        "ticket": _("tickets"),
        "appeal": _("appeals"),
        "evidence": _("evidence"),
        "notice": _("notices and letters"),
        "collectionexport": _("tickets in collections"),
        "offence": _("offences"),
        "offencecategory": _("ticket categories"),
        "textblock": _("text blocks"),
        "boot": _("boots"),
        "bootpolicy": _("rule for boots"),
        "bootpicture": _("pictures of the removal"),
        "dropoffplace": _("drop-off places"),
        "building": _("buildings"),
        "area": _("locker areas"),
        "locker": _("lockers"),
        "lockersale": _("locker sales"),
        "rental": _("locker rentals"),
        "sale": _("sales"),
        "slot": _("permit numbers"),
        "roll": _("rolls of sales"),
        "permittype": _("permit types"),
        "ratetable": _("rate tables"),
        "order": _("orders"),
        "order_line": _("order lines"),
        "payment": _("payments"),
        "refund": _("refunds"),
        "storedmethod": _("stored payment methods"),
        "cardsave": _("tries to store a card"),
        "deduction": _("deductions"),
        "debt": _("debts"),
        "books": _("the books"),
        "adjustment": _("adjustments"),
        "deposit": _("deposits"),
        "promise": _("promises to pay"),
        "dispute": _("disputed payments"),
        "stored_method": _("stored payment methods"),
        "taxexemption": _("tax exemptions"),
        "statement": _("statements"),
        "collection": _("payroll and transfers"),
        "message": _("messages"),
        "mailing": _("mailings"),
        "email_category": _("e-mail preferences"),
        "emailcategory": _("e-mail categories"),
        "role": _("roles"),
        "provider": _("provider"),
        "disclaimer": _("disclaimers"),
        "lot": _("lots"),
        "closure": _("closures"),
        "counts": _("counts"),
        "usertype": _("user types"),
        "profilefield": _("profile fields"),
        "identityprovider": _("identity providers"),
        "platetype": _("plate types"),
        "term": _("terms"),
        "holiday": _("holidays"),
    }

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(self.PREFIXES.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[AuditEntry]) -> QuerySet[AuditEntry]:
        return queryset.filter(action__startswith=f"{self.value()}.") if self.value() in self.PREFIXES else queryset


@admin.register(AuditEntry)
class LogAdmin(ReadOnlyAdmin):
    """What was done, by whom and for whom. Nobody can change it, the database refuses."""

    list_display = ["at", "deed", "record", "actor_label", "on_behalf_of", "what"]
    list_display_links = ["at", "deed"]
    list_filter = [KindFilter, "at"]
    # The log only grows: a second count of all of it would cost more than the page.
    show_full_result_count = False
    list_select_related = ["on_behalf_of"]
    ordering = ["-pk"]
    search_fields = ["action__startswith", "object_label", "actor_label", "=request_id"]
    search_help_text = _("Record, who did it, the action (such as permit.activated) or a request's id")
    fields = [
        "at",
        "deed",
        "action",
        "record",
        "object_kind",
        "actor",
        "actor_label",
        "on_behalf_of",
        "what",
        "request_id",
    ]
    readonly_fields = fields

    @display(description=_("what was done"), ordering="action")
    def deed(self, entry: AuditEntry) -> str:
        return describe_deed(entry.action)

    @display(description=_("record"), ordering="object_label")
    def record(self, entry: AuditEntry) -> str:
        """Link to the record's own page, when it has one."""
        page = entry.object_kind.replace(".", "_")
        try:
            address = reverse(f"admin:{page}_change", args=[entry.object_id])
        except NoReverseMatch:
            return entry.object_label
        return format_html('<a href="{}">{}</a>', address, entry.object_label)

    @display(description=_("facts"))
    def what(self, entry: AuditEntry) -> str:
        return "; ".join(f"{name}: {value}" for name, value in describe_facts(entry))


# The lot stands on a lower floor and knows nothing of sales; its page gets what the office must know of them here.
admin.site.unregister(Lot)


@admin.register(Lot)
class SellingLotAdmin(LotAdmin):
    """A lot, with each condition that must hold for a user type to see and buy it."""

    change_form_outer_after_template = "office/_lot_checklist.html"
    actions_detail = ["close"]

    def has_close_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("permits.add_closure")

    @action(description=_("Close"), url_path="close", permissions=["close"], icon="block")
    def close(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Go to the page that closes it, filled in."""
        return redirect(f"{reverse('admin:permits_closure_add')}?lot={get_object_or_404(Lot, pk=object_id).pk}")

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        extra = dict(extra_context or {})
        lot = Lot.objects.filter(pk=object_id).first() if object_id else None
        if lot and request.user.has_perm("permits.view_sale"):
            extra |= self.checklist(lot, request.GET.get("user_type", ""))
        return cast(HttpResponse, super().changeform_view(request, object_id, form_url, extra))

    def checklist(self, lot: Lot, chosen: str) -> dict[str, Any]:
        """Return what the panel shows; without a choice, for the type that new people get."""
        types = list(UserType.objects.all())
        user_type = next((one for one in types if str(one.pk) == chosen), None)
        if user_type is None and chosen != NO_TYPE:
            user_type = next((one for one in types if one.is_default), None)
        checks = [(check, explain_outcome(check)) for check in check_lot(lot, user_type)]
        return {"checked_lot": lot, "user_types": types, "checked_type": user_type, "checks": checks}
