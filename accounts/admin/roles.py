"""Roles: who of the office may do what."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.models import Group
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin

from accounts import roles
from opscom.core import audit


@admin.register(Group)
class RoleAdmin(ModelAdmin):
    """Roles. The program's six are shown; the office's own are edited by who may give roles."""

    list_display = ["label"]
    search_fields = ["name"]
    filter_horizontal = ["permissions"]

    @admin.display(description=_("role"), ordering="name")
    def label(self, group: Group) -> str:
        return str(roles.NAMES.get(group.name, group.name))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return super().has_add_permission(request) and self.may_give_roles(request)

    def has_change_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        is_ours = obj is not None and obj.name in roles.NAMES
        return not is_ours and super().has_change_permission(request, obj) and self.may_give_roles(request)

    def has_delete_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return self.has_change_permission(request, obj) and super().has_delete_permission(request, obj)

    def may_give_roles(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("accounts.assign_roles"))

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        rights = sorted(form.instance.permissions.values_list("codename", flat=True))
        audit.record("role.changed", form.instance, actor=request.user, permissions=rights)
