"""The office's pages about permit types, sales, numbers and permits."""

from typing import Any, cast

from django.contrib import admin, messages
from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.admin import StackedInline
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget as Checkboxes

from accounts.models import User
from opscom.core.admin import ReadOnlyAdmin, ReadOnlyInline, SettingAdmin, act_on_each, render_ask_page
from opscom.core.errors import DomainError
from opscom.core.money import format_money
from permits.models import (
    Permit,
    PermitPrint,
    PermitStatus,
    PermitType,
    PermitValidity,
    PermitVehicle,
    Sale,
    Slot,
    SlotState,
)
from permits.office_forms import AllotNumbersForm, NothingToTypeForm, PermitTypeForm, SaleForm, ValidityForm
from permits.services.allotting import allot_numbers, lot_capacity, retire_numbers
from permits.services.documents import allow_another_print
from vehicles.plates import normalise_plate

PERMIT_TONES = {
    PermitStatus.RESERVED: "info",
    PermitStatus.ACTIVE: "success",
    PermitStatus.ENDED: "default",
    PermitStatus.LAPSED: "warning",
    PermitStatus.CANCELLED: "default",
    PermitStatus.REVOKED: "danger",
}
SLOT_TONES = {
    SlotState.FREE: "success",
    SlotState.FOR_LIST: "info",
    SlotState.HELD: "warning",
    SlotState.TAKEN: "primary",
    SlotState.RETIRED: "default",
}


class ValidityInline(StackedInline):
    """Where and when beyond its own lot."""

    model = PermitValidity
    form = ValidityForm
    extra = 0

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        return super().formfield_for_manytomany(db_field, request, widget=Checkboxes(), **kwargs)


@admin.register(PermitType)
class PermitTypeAdmin(SettingAdmin):
    """What is sold: price, length, and who may have it."""

    form = PermitTypeForm
    list_display = ["name", "code", "net", "term_kind", "max_per_person", "is_active"]
    list_filter = ["is_active", "term_kind"]
    search_fields = ["code", "name"]
    inlines = [ValidityInline]
    fieldsets = [
        (None, {"fields": ["code", "name", "description", "is_active"]}),
        (_("Price and length"), {"fields": ["price", "taxes", "is_valid_when_promised", "term_kind", "months"]}),
        (_("Who may have it"), {"fields": ["user_types", "vehicle_kinds", "max_vehicles"]}),
        (_("Limits"), {"fields": ["limit_group", "max_per_person", "hold_minutes", "max_prints"]}),
    ]

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        return super().formfield_for_manytomany(db_field, request, widget=Checkboxes(), **kwargs)

    @display(description=_("price without tax"), ordering="price")
    def net(self, kind: PermitType) -> str:
        return format_money(kind.price)


@admin.register(Sale)
class SaleAdmin(SettingAdmin):
    """Sales windows, with what became of their numbers."""

    form = SaleForm
    list_display = ["lot", "permit_type", "opens_at", "closes_at", "is_active"]
    list_display += ["allotted", "free", "held", "taken"]
    list_display_links = ["lot", "permit_type"]
    list_filter = ["is_active", "lot", "permit_type", "term"]
    list_select_related = ["lot", "permit_type", "term"]
    search_fields = ["code", "lot__code", "lot__name", "permit_type__code", "permit_type__name"]
    search_help_text = _("Lot or permit type")
    fieldsets = [
        (None, {"fields": ["lot", "permit_type", "term", "is_active"]}),
        (_("When it sells"), {"fields": ["opens_at", "closes_at"]}),
        (_("Which days the permits are for"), {"fields": ["valid_from", "valid_until"]}),
    ]
    actions_detail = ["allot"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Sale]:
        def count(*states: str) -> Count:
            return Count("slots", filter=Q(slots__state__in=states))

        in_use = [state for state in SlotState.values if state != SlotState.RETIRED]
        return (
            super()
            .get_queryset(request)
            .annotate(
                allotted_count=count(*in_use),
                free_count=count(SlotState.FREE, SlotState.FOR_LIST),
                held_count=count(SlotState.HELD),
                taken_count=count(SlotState.TAKEN),
            )
        )

    def get_readonly_fields(self, request: HttpRequest, obj: Sale | None = None) -> list[str]:
        # Numbers were allotted to this lot and permits were sold as this type: those stay what they are.
        return ["lot", "permit_type"] if obj and obj.slots.exists() else []

    @display(description=_("allotted"), ordering="allotted_count")
    def allotted(self, sale: Any) -> SafeString:
        address = f"{reverse('admin:permits_slot_changelist')}?sale__id__exact={sale.pk}"
        return format_html('<a href="{}">{}</a>', address, sale.allotted_count)

    @display(description=_("free"), ordering="free_count")
    def free(self, sale: Any) -> int:
        return cast(int, sale.free_count)

    @display(description=_("held"), ordering="held_count")
    def held(self, sale: Any) -> int:
        return cast(int, sale.held_count)

    @display(description=_("taken"), ordering="taken_count")
    def taken(self, sale: Any) -> int:
        return cast(int, sale.taken_count)

    def has_allot_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("permits.add_slot")

    @action(description=_("Allot numbers"), url_path="allot", permissions=["allot"], icon="format_list_numbered")
    def allot(self, request: HttpRequest, object_id: str) -> HttpResponse:
        sale = get_object_or_404(self.get_queryset(request).select_related("lot", "permit_type"), pk=object_id)
        form = AllotNumbersForm(request.POST or None)
        back = reverse("admin:permits_sale_change", args=[sale.pk])
        if form.is_valid():
            try:
                count = allot_numbers(sale=sale, numbers=form.to_range(), actor=cast(User, request.user))
            except DomainError as error:
                form.add_error(None, str(error))
            else:
                text = ngettext("%(count)d number allotted.", "%(count)d numbers allotted.", count)
                messages.success(request, text % {"count": count})
                return redirect(back)
        facts = [
            (_("sale"), sale),
            (_("stalls of the lot"), sale.lot.stalls),
            (_("numbers that may be for sale at one time"), lot_capacity(sale.lot)),
            (_("allotted to this sale"), cast(Any, sale).allotted_count),
        ]
        return render_ask_page(
            self, request, title=_("Allot numbers"), form=form, facts=facts, submit=_("Allot"), original=sale, back=back
        )


@admin.register(Slot)
class SlotAdmin(ReadOnlyAdmin):
    """Permit numbers, one by one."""

    list_display = ["number", "sale", "shown_state", "permit"]
    list_filter = ["state", "sale__lot", "sale__permit_type"]
    list_select_related = ["sale__lot", "sale__permit_type", "permit"]
    ordering = ["sale_id", "number"]
    search_fields = ["number__istartswith"]
    search_help_text = _("The number's beginning")
    fields = ["number", "sale", "state", "permit"]
    readonly_fields = fields
    actions = ["retire"]

    @display(description=_("state"), ordering="state", label=SLOT_TONES)
    def shown_state(self, slot: Slot) -> tuple[str, str]:
        return slot.state, slot.get_state_display()

    def has_retire_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("permits.change_slot")

    @admin.action(description=_("Take out of use"), permissions=["retire"])
    def retire(self, request: HttpRequest, queryset: QuerySet[Slot]) -> None:
        chosen = list(queryset)
        count = retire_numbers(slots=chosen, actor=cast(User, request.user))
        text = ngettext("%(count)d number is out of use.", "%(count)d numbers are out of use.", count)
        messages.success(request, text % {"count": count})
        if len(chosen) > count:
            messages.warning(request, _("Numbers that somebody holds stay in use."))


class VehicleInline(ReadOnlyInline):
    """The vehicles that may use the permit."""

    model = PermitVehicle
    fields = ["vehicle"]
    hide_title = True
    verbose_name_plural = _("vehicles")

    def get_queryset(self, request: HttpRequest) -> QuerySet[PermitVehicle]:
        return super().get_queryset(request).select_related("vehicle")


class PrintInline(ReadOnlyInline):
    """When it was printed, and by whom."""

    model = PermitPrint
    fields = ["ordinal", "printed_at", "printed_by"]
    hide_title = True


@admin.register(Permit)
class PermitAdmin(ReadOnlyAdmin):
    """Who holds which number, where, and until when."""

    list_display = ["number", "holder", "lot", "permit_type", "state", "plates", "valid_from", "valid_until"]
    list_filter = ["status", "sale__lot", "sale__permit_type"]
    list_select_related = ["holder", "sale__lot", "sale__permit_type"]
    ordering = ["-pk"]
    search_fields = ["number"]
    search_help_text = _("Permit number, holder's name or e-mail, plate (spaces and dashes do not matter)")
    fields = ["number", "holder", "lot", "permit_type", "sale", "status", "valid_from", "valid_until", "net_part"]
    fields += ["reserved_at", "held_until", "activated_at", "closed_at", "extra_prints"]
    readonly_fields = fields
    inlines = [VehicleInline, PrintInline]
    actions = ["allow_print"]
    actions_detail = ["allow_print_here"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Permit]:
        return super().get_queryset(request).prefetch_related("vehicle_links__vehicle")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Permit], search_term: str
    ) -> tuple[QuerySet[Permit], bool]:
        return (queryset.filter(matching(search_term)) if search_term.strip() else queryset), False

    @display(description=_("lot"))
    def lot(self, permit: Permit) -> str:
        return str(permit.lot)

    @display(description=_("permit type"))
    def permit_type(self, permit: Permit) -> str:
        return str(permit.permit_type)

    @display(description=_("price without tax"))
    def net_part(self, permit: Permit) -> str:
        return format_money(permit.net)

    @display(description=_("status"), ordering="status", label=PERMIT_TONES)
    def state(self, permit: Permit) -> tuple[str, str]:
        return permit.status, permit.get_status_display()

    @display(description=_("plates"))
    def plates(self, permit: Permit) -> str:
        return ", ".join(str(link.vehicle) for link in permit.vehicle_links.all())

    def has_print_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("permits.change_permit")

    @admin.action(description=_("Allow another print"), permissions=["print"])
    def allow_print(self, request: HttpRequest, queryset: QuerySet[Permit]) -> None:
        act_on_each(
            request,
            queryset,
            lambda permit: allow_another_print(permit=permit, actor=cast(User, request.user)),
            lambda count: (
                ngettext(
                    "%(count)d permit may be printed once more.", "%(count)d permits may be printed once more.", count
                )
                % {"count": count}
            ),
        )

    @action(description=_("Allow another print"), url_path="allow-print", permissions=["print"], icon="print")
    def allow_print_here(self, request: HttpRequest, object_id: str) -> HttpResponse:
        permit = get_object_or_404(self.get_queryset(request), pk=object_id)
        back = reverse("admin:permits_permit_change", args=[permit.pk])
        if request.method == "POST":
            self.allow_print(request, Permit.objects.filter(pk=permit.pk))
            return redirect(back)
        facts = [
            (_("permit"), permit.number),
            (_("holder"), permit.holder),
            (_("printed so far"), permit.prints.count()),
        ]
        title = _("Allow another print")
        return render_ask_page(
            self, request, title=title, form=NothingToTypeForm(), facts=facts, submit=title, original=permit, back=back
        )


def matching(term: str) -> Q:
    """Return the condition for what the office types: the number's beginning, words of the holder's name, or a plate."""
    person = Q()
    for word in term.split():
        person &= (
            Q(holder__last_name__icontains=word)
            | Q(holder__first_name__icontains=word)
            | Q(holder__email__icontains=word)
        )
    key = normalise_plate(term)
    found = person | Q(number__istartswith=term.strip())
    if not key:
        return found
    # A sub-query, because a join would show a permit with two such plates twice.
    return found | Q(Exists(PermitVehicle.objects.filter(permit=OuterRef("pk"), vehicle__plate_key__contains=key)))
