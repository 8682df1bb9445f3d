"""Holds on accounts: placed on the person's page or by services, lifted here."""

from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.decorators import action, display

from accounts.admin.documents import link_to_person
from accounts.models import AccountHold, User
from accounts.services.holds import lift_hold
from opscom.core.admin import ReadOnlyAdmin, act_on_each, render_ask_page
from opscom.core.errors import DomainError
from opscom.core.money import format_money


class RunningFilter(admin.SimpleListFilter):
    """Holds that run now, begin later, or are over."""

    title = _("state")
    parameter_name = "runs"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("now", _("runs now")), ("later", _("begins later")), ("over", _("over or lifted"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[AccountHold]) -> QuerySet[AccountHold]:
        now = timezone.now()
        over = Q(ends_at__lte=now) | Q(lifted_at__isnull=False)
        conditions = {"now": Q(starts_at__lte=now) & ~over, "later": Q(starts_at__gt=now) & ~over, "over": over}
        return queryset.filter(conditions.get(self.value() or "", Q()))


@admin.register(AccountHold)
class AccountHoldAdmin(ReadOnlyAdmin):
    """Who can buy nothing new, why, and since when."""

    list_display = ["reason", "owner", "to_pay", "starts_at", "ends_at", "runs", "source", "placed_by"]
    list_filter = [RunningFilter, "source", "starts_at"]
    list_select_related = ["person", "placed_by"]
    search_fields = ["reason", "person__last_name", "person__first_name", "person__email"]
    search_help_text = _("Reason, person's name or e-mail")
    fields = ["reason", "owner", "to_pay", "starts_at", "ends_at", "source", "object_id", "placed_by", "placed_at"]
    fields += ["lifted_by", "lifted_at"]
    readonly_fields = fields
    actions = ["lift_all"]
    actions_detail = ["lift"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[AccountHold]:
        return super().get_queryset(request) & AccountHold.objects.visible_to(request.user)

    @display(description=_("person"), ordering="person__last_name")
    def owner(self, hold: AccountHold) -> SafeString:
        return link_to_person(hold.person)

    @display(description=_("amount to pay"), ordering="amount")
    def to_pay(self, hold: AccountHold) -> str:
        return "" if hold.amount is None else format_money(hold.amount)

    @display(description=_("runs now"), boolean=True)
    def runs(self, hold: AccountHold) -> bool:
        now = timezone.now()
        is_over = hold.lifted_at is not None or (hold.ends_at is not None and hold.ends_at <= now)
        return hold.starts_at <= now and not is_over

    def has_lift_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("accounts.change_accounthold")

    @admin.action(description=_("Lift"), permissions=["lift"])
    def lift_all(self, request: HttpRequest, queryset: QuerySet[AccountHold]) -> None:
        actor = cast(User, request.user)

        def done(count: int) -> str:
            return ngettext("%(count)d hold lifted.", "%(count)d holds lifted.", count) % {"count": count}

        rows = queryset.filter(lifted_at__isnull=True).select_related("person")
        act_on_each(request, rows, lambda hold: lift_hold(hold=hold, actor=actor), done)

    @action(description=_("Lift the hold"), url_path="lift", permissions=["lift"], icon="lock_open")
    def lift(self, request: HttpRequest, object_id: str) -> HttpResponse:
        hold = get_object_or_404(self.get_queryset(request).select_related("person"), pk=object_id)
        back = reverse("admin:accounts_accounthold_change", args=[hold.pk])
        if request.method == "POST":
            try:
                is_new = lift_hold(hold=hold, actor=cast(User, request.user))
            except DomainError as error:
                messages.error(request, str(error))
            else:
                messages.success(request, _("The hold is lifted.") if is_new else _("The hold was lifted already."))
            return redirect(back)
        facts = [(_("person"), hold.person), (_("reason"), hold.reason), (_("amount to pay"), self.to_pay(hold) or "-")]
        title = _("Lift the hold")
        return render_ask_page(
            self, request, title=title, form=forms.Form(), facts=facts, submit=title, original=hold, back=back,
        )  # fmt: skip
