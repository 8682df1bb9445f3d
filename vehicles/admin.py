"""The office's pages about vehicles. What it does goes through the services, and obeys the limits that people obey."""

from typing import Any, cast

from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.admin import ModelAdmin, TabularInline

from accounts.models import User
from opscom.core.admin import SettingAdmin
from opscom.core.errors import DomainError
from vehicles import services
from vehicles.forms import OfficeVehicleForm
from vehicles.models import Ownership, PlateType, Vehicle
from vehicles.plates import normalise_plate


@admin.register(PlateType)
class PlateTypeAdmin(SettingAdmin):
    """The picklist of plate types. One that vehicles have is hidden instead of deleted."""

    list_display = ["name", "code", "is_temporary", "is_active", "position"]
    list_editable = ["is_active", "position"]
    list_display_links = ["name"]


class OwnersInline(TabularInline):
    """Whose vehicle this is and was; changed on the page of each ownership."""

    model = Ownership
    fields = ["user", "is_active", "year", "make", "model", "colour", "added_at", "removed_at"]
    readonly_fields = fields
    extra = 0
    can_delete = False
    show_change_link = True
    verbose_name_plural = _("owners")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Ownership]:
        return super().get_queryset(request).select_related("user", "vehicle")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Vehicle)
class VehicleAdmin(ModelAdmin):
    """Every plate that was ever entered. Its identity stays: a new plate is a new vehicle."""

    list_display = ["label", "region_name", "plate_type", "current_owners", "created_at"]
    list_filter = ["plate_type"]
    list_select_related = ["plate_type"]
    search_fields = ["plate_key", "vin"]
    search_help_text = _("Plate (spaces and dashes do not matter), VIN, name or e-mail")
    fields = ["plate", "region_name", "plate_type", "vin", "created_at"]
    readonly_fields = fields
    inlines = [OwnersInline]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Vehicle]:
        return super().get_queryset(request).prefetch_related("ownerships__user")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Vehicle], search_term: str
    ) -> tuple[QuerySet[Vehicle], bool]:
        found = matching(search_term, "", "ownerships__")
        return (queryset.filter(found), True) if search_term.strip() else (queryset, False)

    @admin.display(description=_("owners now"))
    def current_owners(self, vehicle: Vehicle) -> str:
        return ", ".join(str(row.user) for row in vehicle.ownerships.all() if row.removed_at is None)

    @admin.display(description=_("state/province"))
    def region_name(self, vehicle: Vehicle) -> str:
        return vehicle.region_name

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Vehicle | None = None) -> bool:
        return False


@admin.register(Ownership)
class OwnershipAdmin(ModelAdmin):
    """People's vehicles: entered, changed, switched and removed for them."""

    form = OfficeVehicleForm
    list_display = ["label", "user", "vehicle_region", "is_active", "description", "added_at", "removed_at"]
    list_filter = ["is_active", ("removed_at", admin.EmptyFieldListFilter), "kind"]
    list_select_related = ["vehicle", "user"]
    search_fields = ["vehicle__plate_key", "user__email"]
    search_help_text = VehicleAdmin.search_help_text
    raw_id_fields = ["user"]
    actions = ["switch_on", "switch_off", "remove"]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Ownership], search_term: str
    ) -> tuple[QuerySet[Ownership], bool]:
        return (queryset.filter(matching(search_term, "vehicle__", "")) if search_term.strip() else queryset), False

    @admin.display(description=_("state/province"))
    def vehicle_region(self, ownership: Ownership) -> str:
        return ownership.vehicle.region_name

    def get_readonly_fields(self, request: HttpRequest, obj: Ownership | None = None) -> list[str]:
        return ["user", "is_active", "added_at"] if obj else []

    def has_change_permission(self, request: HttpRequest, obj: Ownership | None = None) -> bool:
        # What left the list is history.
        return super().has_change_permission(request, obj) and (obj is None or obj.removed_at is None)

    def has_delete_permission(self, request: HttpRequest, obj: Ownership | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Ownership, form: OfficeVehicleForm, change: bool) -> None:
        data, actor = form.to_data(), cast(User, request.user)
        if change:
            saved = services.change_vehicle(ownership=obj, data=data, actor=actor)
        else:
            saved = services.add_vehicle(owner=form.cleaned_data["user"], data=data, actor=actor)
        # The admin goes on with `obj`: it is what the service saved, which for a new plate is another row.
        vars(obj).update(vars(saved))

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Say what a service refused, instead of failing."""
        try:
            return super().changeform_view(request, *args, **kwargs)
        except DomainError as error:
            messages.error(request, str(error))
            return redirect(request.get_full_path())

    @admin.action(description=_("Switch to active"), permissions=["change"])
    def switch_on(self, request: HttpRequest, queryset: QuerySet[Ownership]) -> None:
        self.act_on_each(request, queryset, services.set_vehicle_active, is_active=True)

    @admin.action(description=_("Switch to inactive"), permissions=["change"])
    def switch_off(self, request: HttpRequest, queryset: QuerySet[Ownership]) -> None:
        self.act_on_each(request, queryset, services.set_vehicle_active, is_active=False)

    @admin.action(description=_("Remove from the person's list"), permissions=["change"])
    def remove(self, request: HttpRequest, queryset: QuerySet[Ownership]) -> None:
        self.act_on_each(request, queryset, services.remove_vehicle, by_office=True)

    def act_on_each(self, request: HttpRequest, queryset: QuerySet[Ownership], service: Any, **how: Any) -> None:
        """Run the service for each; one that is refused says why and stops no other."""
        done = 0
        for ownership in queryset.select_related("vehicle", "user"):
            try:
                service(ownership=ownership, actor=request.user, **how)
                done += 1
            except DomainError as error:
                messages.error(request, f"{ownership}: {error}")
        if done:
            text = ngettext("%(count)s vehicle done.", "%(count)s vehicles done.", done)
            messages.success(request, text % {"count": done})


def matching(term: str, vehicle: str, ownership: str) -> Q:
    """Return the condition for what the office types: a plate in any spelling, a VIN, or words of a name or e-mail.

    `vehicle` and `ownership` are the paths to those two from the row that is searched.
    """
    person = Q()
    for word in term.split():
        person &= (
            Q(**{f"{ownership}user__last_name__icontains": word})
            | Q(**{f"{ownership}user__first_name__icontains": word})
            | Q(**{f"{ownership}user__email__icontains": word})
        )
    key = normalise_plate(term)
    plate = Q(**{f"{vehicle}plate_key__contains": key}) | Q(**{f"{vehicle}vin__contains": key}) if key else Q()
    return person | plate if key else person
