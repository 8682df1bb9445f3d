"""The office's pages about sales and their numbers."""

from typing import Any, cast

import segno
from django.conf import settings
from django.contrib import admin, messages
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_post_parameters
from unfold.decorators import action, display

from accounts.models import User
from opscom.core.admin import ReadOnlyAdmin, SettingAdmin, change_page, render_ask_page
from opscom.core.errors import DomainError
from opscom.core.money import format_money
from payments.admin.shared import AsksFirst
from payments.models import Tender
from permits.admin.counts import CountsPages
from permits.admin.rolls import RollsHolders
from permits.change_forms import CounterForm
from permits.models import (
    Sale,
    Slot,
    SlotState,
    TermKind,
)
from permits.office_forms import AllotNumbersForm, SaleForm
from permits.selectors import load_sales
from permits.services.allotting import allot_numbers, lot_capacity, retire_numbers
from permits.services.counter import sell_at_counter

SLOT_TONES = {
    SlotState.FREE: "success",
    SlotState.FOR_LIST: "info",
    SlotState.HELD: "warning",
    SlotState.TAKEN: "primary",
    SlotState.RETIRED: "default",
}


@admin.register(Sale)
class SaleAdmin(RollsHolders, CountsPages, AsksFirst, SettingAdmin):
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
        (_("When it sells"), {"fields": ["opens_at", "closes_at", "queue_per_minute"]}),
        (_("Which days the permits are for"), {"fields": ["valid_from", "valid_until"]}),
    ]
    actions_list = [*CountsPages.COUNTS_PAGES]
    actions_detail = ["allot", "sell", "sign", "roll"]

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

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Numbers are allotted to standard sales, and sold at the counter; signs are made for temporary ones."""
        is_temporary = Sale.objects.filter(pk=object_id, permit_type__term_kind=TermKind.TEMPORARY).exists()
        others = {"allot", "sell"} if is_temporary else {"sign"}
        return [one for one in super().get_actions_detail(request, object_id) if one.method.__name__ not in others]

    @action(description=_("Sign with QR code"), url_path="sign", permissions=["view"], icon="qr_code")
    def sign(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Show the lot's sign to print: its code, what time costs, and the QR code that sells it to anybody."""
        sale = get_object_or_404(load_sales().filter(permit_type__term_kind=TermKind.TEMPORARY), pk=object_id)
        link = settings.SITE_URL + reverse("park:lot", args=[sale.lot.code])
        context = {
            "sale": sale,
            "link": link,
            "qr": segno.make(link, error="m").svg_data_uri(scale=6),
            "rates": sale.permit_type.rate_table.rates.all() if sale.permit_type.rate_table else [],
            "back": change_page(sale),
        }
        return TemplateResponse(request, "permits/admin/sign.html", context)

    def has_sell_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        # Money is taken, as for a promise that is kept.
        return request.user.has_perm("permits.add_permit") and request.user.has_perm("payments.change_promise")

    @method_decorator(sensitive_post_parameters("password", "code"))
    @action(description=_("Sell at the counter"), url_path="sell", permissions=["sell"], icon="point_of_sale")
    def sell(self, request: HttpRequest, object_id: str) -> HttpResponse:
        sale = get_object_or_404(Sale.objects.select_related("lot", "permit_type"), pk=object_id)

        def deed(person: User, values: dict[str, Any]) -> None:
            facts = {name: values[name] for name in ("person", "amount", "reference")}
            tender = Tender(values["tender"])
            sell_at_counter(sale=sale, vehicles=values["plates"], tender=tender, actor=person, **facts)

        price = format_money(sale.permit_type.price)
        return self.ask_then(
            request,
            sale,
            CounterForm,
            deed,
            _("The permit is sold, and its receipt is sent."),
            is_danger=False,
            title=_("Sell at the counter"),
            facts=[(_("sale"), sale), (_("price without tax, for the whole time"), price)],
            submit=gettext("Sell"),
        )

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
    list_filter = ["state", "sale__lot", "sale__permit_type", "sale__term"]
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
