"""What people have stored to pay with. The office sets payroll deductions and transfers up; cards are never typed."""

from typing import Any, cast

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_post_parameters
from unfold.decorators import action, display

from accounts.models import User
from opscom.core.admin import ReadOnlyInline
from payments.admin.shared import AsksPassword
from payments.models import MethodKind, PaymentMethod, StoredMethod, Subscription
from payments.services import forgetting, subscribing


class SetUpForm(forms.ModelForm):
    """A payroll deduction or a transfer, as the person agreed to it at the office."""

    class Meta:
        model = StoredMethod
        fields = ["person", "method", "account_number", "consent_text"]
        help_texts = {"consent_text": _("The words that the person agreed to, and where their signature is kept.")}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # On the page of what is stored already nothing can be typed, and there are no fields.
        for name in {"person", "account_number"} & set(self.fields):
            self.fields[name].required = True

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or {}
        same = StoredMethod.objects.live().filter(
            person=values.get("person"), method=values.get("method"), account_number=values.get("account_number")
        )
        if values.get("person") and same.exists():
            raise ValidationError(_("This is set up already."))
        return values

    def _post_clean(self) -> None:
        """The service writes the row, whole; the parent would check one without its kind."""


class UseInline(ReadOnlyInline):
    """What it pays for."""

    model = Subscription
    fields = ["use", "since"]


class StateFilter(admin.SimpleListFilter):
    """Stored, removed, or removed here and not yet at the gateway."""

    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("stored", _("Stored")),
            ("removed", _("Removed")),
            ("waiting", _("Removed here, not yet at the gateway")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[StoredMethod]) -> QuerySet[StoredMethod]:
        waiting = Q(kind=MethodKind.CARD, removed_at__isnull=False, forgotten_at=None)
        found = {"stored": Q(removed_at=None), "removed": Q(removed_at__isnull=False), "waiting": waiting}
        return queryset.filter(found.get(self.value() or "", Q()))


@admin.register(StoredMethod)
class StoredMethodAdmin(AsksPassword):
    """Cards are stored by their owners on the gateway's page; payroll deductions and transfers are set up here."""

    form = SetUpForm
    list_display = ["label", "owner", "kind", "gateway", "expires_on", "created_at", "removed_at", "forgotten_at"]
    list_filter = [StateFilter, "kind"]
    list_select_related = ["person", "company", "method"]
    ordering = ["-pk"]
    search_fields = ["=code", "=last_four", "account_number", "person__last_name", "person__email", "company__name"]
    search_help_text = _("Owner, last four digits, or number")
    autocomplete_fields = ["person"]
    fields = ["person", "company", "method", "kind", "gateway", "brand", "last_four", "expires_on", "account_number"]
    fields += ["consent_text", "consented_at", "set_up_by", "created_at", "removed_at", "forgotten_at", "last_error"]
    inlines = [UseInline]
    actions_detail = ["remove"]

    @display(description=_("stored method"))
    def label(self, stored: StoredMethod) -> str:
        return stored.label

    @display(description=_("owner"))
    def owner(self, stored: StoredMethod) -> str:
        return str(stored.person or stored.company)

    def get_fields(self, request: HttpRequest, obj: StoredMethod | None = None) -> Any:
        return self.fields if obj else SetUpForm.Meta.fields

    def get_inlines(self, request: HttpRequest, obj: StoredMethod | None) -> Any:
        return self.inlines if obj else []

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("payments.add_storedmethod")

    def has_remove_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("payments.change_storedmethod")

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "method":
            kwargs["queryset"] = PaymentMethod.objects.filter(kind__in=subscribing.OFFICE_ONLY)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: StoredMethod, form: Any, change: bool) -> None:
        """Set it up by the service, which writes the log and tells the person."""
        values = form.cleaned_data
        stored = subscribing.set_up_by_office(
            person=values["person"],
            method=values["method"],
            account_number=values["account_number"],
            consent=values["consent_text"],
            actor=cast(User, request.user),
        )
        obj.__dict__.update(stored.__dict__)

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """The service wrote it down."""

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        is_live = StoredMethod.objects.live().filter(pk=object_id).exists()
        return super().get_actions_detail(request, object_id) if is_live else []

    @method_decorator(sensitive_post_parameters("password", "code"))
    @action(description=_("Remove"), url_path="remove", permissions=["remove"], icon="delete")
    def remove(self, request: HttpRequest, object_id: str) -> HttpResponse:
        stored = get_object_or_404(StoredMethod.objects.select_related("person", "company", "method"), pk=object_id)
        return self.ask_password_then(
            request,
            stored,
            lambda person: forgetting.remove_stored(stored_method=stored, actor=person),
            _("It is removed."),
            title=_("Remove a stored payment method"),
            facts=[(_("What"), stored.label), (_("Owner"), stored.person or stored.company)],
            warning=gettext("It pays for nothing from now on. A card is removed at its gateway, too."),
            submit=gettext("Remove"),
        )
