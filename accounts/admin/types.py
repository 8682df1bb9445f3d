"""Kinds of people."""

from django.contrib import admin
from unfold.admin import TabularInline

from accounts.models import UserType, UserTypeDomain
from opscom.core.admin import SettingAdmin


class DomainInline(TabularInline):
    """E-mail domains that give this type."""

    model = UserTypeDomain
    extra = 0


@admin.register(UserType)
class UserTypeAdmin(SettingAdmin):
    """Kinds of people: they decide lots, prices and how many vehicles."""

    list_display = ["name", "code", "max_active_vehicles", "is_default"]
    search_fields = ["code"]
    inlines = [DomainInline]
