"""Buildings, areas and the sales of their lockers."""

from typing import Any, cast

from django.contrib import admin, messages
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.decorators import action, display

from accounts.models import User
from lockers.admin.forms import AddLockersForm, AreaForm
from lockers.models import Area, Building, LockerSale
from lockers.services.managing import add_lockers
from opscom.core.admin import SettingAdmin, change_page, posted, render_ask_page
from opscom.core.errors import DomainError
from payments.admin.shared import money_column


@admin.register(Building)
class BuildingAdmin(SettingAdmin):
    """The houses in which lockers stand."""

    list_display = ["name", "address", "is_visible", "position"]
    list_filter = ["is_visible"]
    search_fields = ["address"]


@admin.register(Area)
class AreaAdmin(SettingAdmin):
    """Where lockers stand together, and by which rule they are let."""

    form = AreaForm
    list_display = ["name", "building", "lock_kind", "lockers", "is_visible"]
    list_filter = ["building", "is_visible", "lock_kind"]
    list_select_related = ["building"]
    filter_horizontal = ["user_types", "taxes"]
    fieldsets = [
        (None, {"fields": ["building", "name", "description", "photo", "is_visible", "position"]}),
        (_("Who, and how many"), {"fields": ["user_types", "max_per_person", "hold_minutes", "reminder_days"]}),
        (_("Lock and money"), {"fields": ["lock_kind", "deposit", "taxes", "account_code"]}),
    ]
    actions_detail = ["add_lockers"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Area]:
        return super().get_queryset(request).annotate(locker_count=Count("lockers"))

    @display(description=_("lockers"), ordering="locker_count")
    def lockers(self, area: Any) -> SafeString:
        address = f"{reverse('admin:lockers_locker_changelist')}?area__id__exact={area.pk}&queue=all"
        return format_html('<a class="office-link" href="{}">{}</a>', address, area.locker_count)

    def has_lockers_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("lockers.add_locker")

    @action(description=_("Add lockers"), url_path="add-lockers", permissions=["lockers"], icon="add")
    def add_lockers(self, request: HttpRequest, object_id: str) -> HttpResponse:
        area = get_object_or_404(Area, pk=object_id)
        form = AddLockersForm(posted(request))
        if form.is_bound and form.is_valid():
            names = ("columns", "size", "is_accessible", "is_visible")
            values = {name: form.cleaned_data[name] for name in names}
            try:
                numbers, actor = form.cleaned_data["chosen"], cast(User, request.user)
                made = add_lockers(area=area, numbers=numbers, actor=actor, **values)
            except DomainError as error:
                form.add_error(None, str(error))
            else:
                words = ngettext("%(count)d locker is added.", "%(count)d lockers are added.", len(made))
                messages.success(request, words % {"count": len(made)})
                return redirect(change_page(area))
        back = change_page(area)
        title = _("Add lockers")
        return render_ask_page(self, request, title=title, form=form, original=area, submit=_("Add"), back=back)


@admin.register(LockerSale)
class LockerSaleAdmin(SettingAdmin):
    """When an area's lockers are let, for which term, at which price."""

    list_display = ["area", "term", "shown_price", "renewal_opens_at", "opens_at", "closes_at", "is_active"]
    list_filter = ["is_active", "area", "term"]
    list_select_related = ["area", "term"]
    fields = ["area", "term", "price", "renewal_opens_at", "opens_at", "closes_at", "is_active"]
    shown_price = money_column("price", _("price without tax"))

    def get_readonly_fields(self, request: HttpRequest, obj: LockerSale | None = None) -> list[str]:
        # Lockers were rented here for these dates: those stay what they are.
        return ["area", "term"] if obj and obj.rentals.exists() else []
