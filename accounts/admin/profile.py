"""What people are asked about themselves."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin

from accounts.models import FieldState, ProfileField
from accounts.selectors import forget_asked_fields
from opscom.core import audit


class ProfileFieldForm(forms.ModelForm):
    """Refuses a field that everybody must fill and nobody may."""

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("state") == FieldState.REQUIRED and not data.get("is_editable"):
            self.add_error("is_editable", _("A required field must be one that people may change."))
        return data


@admin.register(ProfileField)
class ProfileFieldAdmin(ModelAdmin):
    """Hidden, Visible or Required; editable or greyed out; asked at registration or in the profile."""

    form = ProfileFieldForm
    list_display = ["label", "group", "state", "is_editable", "is_asked_at_registration", "position"]
    list_display_links = ["label"]
    fields = ["label", "group", "state", "is_editable", "is_asked_at_registration", "position"]
    readonly_fields = ["label", "group"]

    @admin.display(description=_("field"))
    def label(self, field: ProfileField) -> str:
        return str(field)

    def save_model(self, request: HttpRequest, obj: ProfileField, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        audit.record("profile_field.changed", obj, actor=request.user, fields=form.changed_data)
        forget_asked_fields()

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: ProfileField | None = None) -> bool:
        return False
