"""Companies, their people, and who may act for them."""

from typing import Any, cast

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline
from unfold.decorators import display

from accounts.acting.selectors import forget_managers
from accounts.forms.office import CodesForm
from accounts.models import Company, CompanyManager, User
from accounts.services.companies import add_manager, remove_manager
from opscom.core.admin import SettingAdmin
from opscom.core.hooks import after_commit


class ManagerForm(forms.ModelForm):
    """One person who may act for the company's people."""

    def clean_person(self) -> User:
        person: User = self.cleaned_data["person"]
        if not person.is_active:
            raise ValidationError(_("This person may not sign in."))
        return person


class ManagerInline(TabularInline):
    """The managers: given and taken by who has the right to it, and never edited."""

    model = CompanyManager
    form = ManagerForm
    fields = ["person", "granted_at"]
    readonly_fields = ["granted_at"]
    autocomplete_fields = ["person"]
    extra = 0

    def has_change_permission(self, request: HttpRequest, obj: Company | None = None) -> bool:
        return False


@admin.register(Company)
class CompanyAdmin(SettingAdmin):
    """Employers and tenants. A company is switched off, not deleted: people and the log point at it."""

    form = CodesForm
    list_display = ["name", "account_number", "contact_name", "contact_email", "people", "manager_names", "is_on"]
    list_filter = ["is_active"]
    search_fields = ["name", "account_number", "contact_name", "contact_email"]
    readonly_fields = ["code", "created_at"]
    inlines = [ManagerInline]
    fieldsets = [
        (None, {"fields": ["name", "account_number", "is_active"]}),
        (_("Contact"), {"fields": ["contact_name", "contact_email", "contact_phone"]}),
        (_("Invoice address"), {"fields": ["street", "unit", "city", "region", "postal_code", "country"]}),
        (_("Record"), {"fields": ["code", "created_at"]}),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Company]:
        living = Count("people", filter=Q(people__merged_into__isnull=True), distinct=True)
        rows = super().get_queryset(request) & Company.objects.visible_to(request.user)
        return rows.annotate(people_count=living).prefetch_related("managers__person")

    def has_delete_permission(self, request: HttpRequest, obj: Company | None = None) -> bool:
        return False

    @display(description=_("people"), ordering="people_count")
    def people(self, company: Any) -> SafeString:
        """Link to the list of the company's people."""
        address = f"{reverse('admin:accounts_user_changelist')}?company__id__exact={company.pk}"
        return format_html('<a href="{}">{}</a>', address, company.people_count)

    @display(description=_("managers"))
    def manager_names(self, company: Company) -> str:
        return ", ".join(str(grant.person) for grant in company.managers.all())

    @display(description=_("active"), ordering="is_active", boolean=True)
    def is_on(self, company: Company) -> bool:
        return company.is_active

    def save_model(self, request: HttpRequest, obj: Company, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        after_commit(forget_managers)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        """Give and take the company by the services, which write it down."""
        formset.save(commit=False)
        actor = cast(User, request.user)
        for grant in formset.deleted_objects:
            remove_manager(grant=grant, actor=actor)
        for grant in formset.new_objects:
            add_manager(company=form.instance, person=grant.person, actor=actor)
