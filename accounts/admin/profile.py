"""What people are asked about themselves: the built-in fields, and those that the office makes."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from accounts.forms.profile_fields import ProfileFieldForm
from accounts.models import AttributeRule, FieldKind, ProfileField
from accounts.selectors import forget_asked_fields
from opscom.core.admin import SettingAdmin
from opscom.core.hooks import after_commit

HOW_ASKED = ["state", "is_editable", "is_asked_at_registration", "position"]
MADE = ["kind", "label", "help_text", "choice_lines", "group"]


@admin.register(ProfileField)
class ProfileFieldAdmin(SettingAdmin):
    """Hidden, Visible or Required; editable or greyed out; asked at registration or in the profile."""

    form = ProfileFieldForm
    list_display = ["title", "kind", "group", "state", "is_editable", "is_asked_at_registration", "position"]
    list_display_links = ["title"]
    list_filter = ["kind", "group", "state"]
    list_per_page = 200

    @display(description=_("field"))
    def title(self, field: ProfileField) -> str:
        return capfirst(str(field))

    def get_fields(self, request: HttpRequest, obj: ProfileField | None = None) -> list[str]:
        """A built-in field has the program's words and place; only how it is asked is the office's to decide."""
        return ["title", "group", *HOW_ASKED] if is_built_in(obj) else [*MADE, *HOW_ASKED]

    def get_readonly_fields(self, request: HttpRequest, obj: ProfileField | None = None) -> list[str]:
        if is_built_in(obj):
            return ["title", "group"]
        # Answers are kept as their kind has cleaned them.
        return ["kind"] if obj and obj.answers.exists() else []

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """Leave the choices out where there is nothing to choose: a form's own fields stand in it uninvited."""
        if is_built_in(obj):
            kwargs["form"] = type("BuiltInForm", (ProfileFieldForm,), {"choice_lines": None})
        return super().get_form(request, obj, change, **kwargs)

    def has_delete_permission(self, request: HttpRequest, obj: ProfileField | None = None) -> bool:
        """Only what the office made, one by one, while nobody has answered it and no sign-in fills it; else it is hidden."""
        if obj is None or not super().has_delete_permission(request, obj):
            return False
        is_filled = AttributeRule.objects.filter(field_name=obj.name).exists()
        return not is_built_in(obj) and not is_filled and not obj.answers.exists()

    def save_model(self, request: HttpRequest, obj: ProfileField, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        after_commit(forget_asked_fields)

    def delete_model(self, request: HttpRequest, obj: ProfileField) -> None:
        super().delete_model(request, obj)
        after_commit(forget_asked_fields)


def is_built_in(field: ProfileField | None) -> bool:
    """Say whether the program brings it; a new one the office makes."""
    return field is not None and field.kind == FieldKind.BUILT_IN
