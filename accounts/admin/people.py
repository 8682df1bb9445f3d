"""People, as the office keeps them. Nobody types a password for somebody else."""

from collections.abc import Callable
from typing import Any, cast

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext, pgettext
from unfold.admin import ModelAdmin, StackedInline

from accounts.addresses import clean_email
from accounts.admin.acting import ActingMixin
from accounts.admin.answers import AnswersMixin, OfficeTaskFilter, given_answers
from accounts.admin.factors import FactorsMixin
from accounts.admin.history import HistoryMixin
from accounts.admin.merging import MergingMixin
from accounts.admin.person_panel import DocumentsAndHoldsMixin
from accounts.forms.office import CodesForm
from accounts.models import MailingAddress, User
from accounts.services import people
from accounts.sso.services import return_to_password
from opscom.core import audit
from opscom.core.errors import DomainError

ROLE_FIELDS = ("is_staff", "groups")


class PersonForm(CodesForm):
    """What the office enters about a person."""

    def clean_email(self) -> str | None:
        email = self.cleaned_data.get("email")
        return clean_email(email) if email else None

    def clean_is_staff(self) -> bool:
        is_staff: bool = self.cleaned_data["is_staff"]
        if is_staff and "is_staff" in self.changed_data:
            self._give_rights()
        return is_staff

    def clean_groups(self) -> Any:
        groups = self.cleaned_data["groups"]
        if set(groups) - set(self.initial.get("groups", [])):
            self._give_rights()
        return groups

    gives_rights = False

    def _give_rights(self) -> None:
        """Only the mailbox tells who it is that gets them."""
        if not people.is_sure_who(self.instance):
            raise ValidationError(_("Somebody is signed in here without having proved the e-mail address."))
        self.gives_rights = True


class ProvedFilter(admin.SimpleListFilter):
    """People whose address is proved, not proved, missing, or only claimed."""

    title = _("e-mail")
    parameter_name = "proof"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("proved", _("proved")),
            ("open", _("not proved")),
            ("claimed", _("claimed")),
            ("none", pgettext("e-mail", "none")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> QuerySet[User]:
        filters = {
            "proved": Q(email_proved_at__isnull=False),
            "open": Q(email__isnull=False, email_proved_at__isnull=True),
            "claimed": ~Q(claimed_email=""),
            "none": Q(email__isnull=True, claimed_email=""),
        }
        return queryset.filter(filters.get(self.value() or "", Q()))


class MailingAddressInline(StackedInline):
    """Where letters go when not home."""

    model = MailingAddress
    form = CodesForm
    extra = 0


@admin.register(User)
class UserAdmin(
    FactorsMixin, HistoryMixin, MergingMixin, DocumentsAndHoldsMixin, ActingMixin, AnswersMixin, ModelAdmin
):
    """People. Those of the office are changed only by who may give roles, superusers only by superusers."""

    form = PersonForm
    list_display = ["name", "address", "numbers", "user_type", "is_proved", "is_active"]
    list_filter = ["user_type", ProvedFilter, OfficeTaskFilter, "is_active", "login_source", "is_staff", "groups"]
    list_select_related = ["user_type"]
    ordering = ["last_name", "first_name", "pk"]
    search_fields = ["first_name", "last_name", "email", "claimed_email", "employee_number", "student_number", "code"]
    search_help_text = _("Name, e-mail, employee or student number, code")
    actions = ["send_password_link", "return_to_password", "reset_factors", "merge_two"]
    actions_detail = ["user_history", "ask_for_document", "place_hold", "log_in_as", "merge"]
    filter_horizontal = ["groups"]
    autocomplete_fields = ["user_type", "company"]
    readonly_fields = ["code", "login_source", "email_proved_at", "claimed_email", "registered_at", "created_at"]
    readonly_fields += ["last_login"]
    fieldsets = [
        (None, {"fields": ["first_name", "last_name", "email", "mobile_phone", "language"]}),
        (_("User type"), {"fields": ["user_type", "user_type_from", "user_type_until"]}),
        (_("Company"), {"fields": ["company"]}),
        (_("Numbers"), {"fields": ["employee_number", "student_number", "licence_number"]}),
        (_("Address"), {"fields": ["street", "unit", "city", "region", "postal_code", "country"]}),
        (_("Sign-in and roles"), {"fields": ["is_active", "login_source", "is_staff", "groups"]}),
        (
            _("Record"),
            {"fields": ["code", "email_proved_at", "claimed_email", "registered_at", "created_at", "last_login"]},
        ),
    ]

    def get_inlines(self, request: HttpRequest, obj: User | None = None) -> Any:
        return [MailingAddressInline] if obj else []

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        return super().get_queryset(request) & User.objects.visible_to(request.user)

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Else whoever may see the list could filter it by `password__startswith`, and read the digests bit by bit."""
        return not lookup.startswith("password") and super().lookup_allowed(lookup, value, request)

    @admin.display(description=_("name"), ordering="last_name")
    def name(self, person: User) -> str:
        return str(person)

    @admin.display(description=_("e-mail"), ordering="email")
    def address(self, person: User) -> str:
        return person.contact_email

    @admin.display(description=_("Numbers"))
    def numbers(self, person: User) -> str:
        """Employee's, then student's: nearly everybody has one of the two."""
        return ", ".join(filter(None, [person.employee_number, person.student_number]))

    @admin.display(description=_("proved"), boolean=True)
    def is_proved(self, person: User) -> bool:
        return person.is_email_proved

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        may_change = super().has_change_permission(request, obj)
        return may_change and (obj is None or people.may_change(cast(User, request.user), obj))

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """People are not deleted: permits, payments and the log point at them. They are switched off."""
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> list[str]:
        fields = list(super().get_readonly_fields(request, obj))
        return fields if request.user.has_perm("accounts.assign_roles") else [*fields, *ROLE_FIELDS]

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> HttpResponse:
        """Say it, when the record changed while somebody was still writing."""
        try:
            return cast(HttpResponse, super().change_view(request, object_id, *args, **kwargs))
        except DomainError as error:
            messages.error(request, str(error))
            return redirect("admin:accounts_user_change", object_id)

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        people.save_person(
            person=obj,
            actor=cast(User, request.user),
            changed=form.changed_data,
            answers=given_answers(form),
            gives_rights=form.gives_rights,
        )

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        before = list(form.instance.groups.values_list("name", flat=True))
        super().save_related(request, form, formsets, change)
        people.record_roles(person=form.instance, actor=cast(User, request.user), before=before)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        super().save_formset(request, form, formset, change)
        if formset.has_changed():
            fields = [formset.model._meta.model_name]
            audit.record("person.changed", form.instance, actor=request.user, fields=fields)

    @admin.action(description=_("Send a password link"), permissions=["change"])
    def send_password_link(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        self._send_links(request, queryset, people.send_password_link)

    @admin.action(description=_("Let sign in by password instead of single sign-on"), permissions=["change"])
    def return_to_password(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        self._send_links(request, queryset, return_to_password)

    def _send_links(self, request: HttpRequest, queryset: QuerySet[User], deed: Callable[..., None]) -> None:
        sent = 0
        for person in queryset:
            try:
                if self.has_change_permission(request, person):
                    deed(person=person, actor=cast(User, request.user))
                    sent += 1
                else:
                    self.message_user(request, _("You may not change %s.") % person, messages.WARNING)
            except DomainError as error:
                self.message_user(request, str(error), messages.WARNING)
        if sent:
            text = ngettext("%d link is on its way.", "%d links are on their way.", sent) % sent
            self.message_user(request, text, messages.SUCCESS)
