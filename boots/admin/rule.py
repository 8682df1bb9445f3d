"""The provider's rule, where boots are taken back, and the pictures of how one comes off."""

from typing import Any, ClassVar, cast

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from accounts.models import User
from boots.admin.forms import PictureForm, PolicyForm
from boots.models import BootPicture, BootPolicy, DropOffPlace
from boots.services.files import add_picture
from opscom.core.admin import SettingAdmin, posted, posted_files, render_ask_page


@admin.register(BootPolicy)
class BootPolicyAdmin(SettingAdmin):
    """One row: the list leads to it. What is on a car keeps the rule as it stood."""

    form = PolicyForm
    fieldsets = [
        (_("Putting on and paying"), {"fields": ["unpaid_above", "requires_all", "deposit"]}),
        (_("Bringing back"), {"fields": ["return_hours", "reminder_hours"]}),
        (_("Late, and lost"), {"fields": ["late_rule", "late_hours", "late_offence", "lost_days", "lost_offence"]}),
        (_("Words"), {"fields": ["instructions", "email"]}),
    ]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied
        policy, _made = BootPolicy.objects.get_or_create(pk=1)
        return redirect("admin:boots_bootpolicy_change", policy.pk)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(DropOffPlace)
class DropOffPlaceAdmin(SettingAdmin):
    """Where boots are brought back to."""

    list_display = ["name", "address", "hours", "is_active"]
    formfield_overrides: ClassVar = {models.URLField: {"assume_scheme": "https"}}
    list_filter = ["is_active"]


@admin.register(BootPicture)
class BootPictureAdmin(SettingAdmin):
    """What the driver sees beside the code; to change one, delete it and add another."""

    list_display = ["shown", "caption", "position"]
    list_display_links = None

    @display(description=_("picture"))
    def shown(self, picture: BootPicture) -> SafeString:
        address = reverse("boots:picture", args=[picture.code])
        return format_html('<img src="{}?small" alt="{}" height="80" loading="lazy">', address, picture.caption)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        if object_id is not None:
            return redirect("admin:boots_bootpicture_changelist")
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = PictureForm(posted(request), posted_files(request))
        back = reverse("admin:boots_bootpicture_changelist")
        if form.is_bound and form.is_valid():
            values = form.cleaned_data
            captions = {"en": values["english"], "fr-ca": values["french"]}
            add_picture(
                picture=values["picture"],
                caption={language: words for language, words in captions.items() if words},
                position=values["position"],
                actor=cast(User, request.user),
            )
            messages.success(request, gettext("The picture is added."))
            return redirect(back)
        return render_ask_page(self, request, title=_("Add a picture"), form=form, submit=_("Add"), back=back)
