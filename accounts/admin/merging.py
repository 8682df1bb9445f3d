"""The office puts two records of one person together: find the other one, look at all that will happen, give the reason."""

from typing import Any, cast
from urllib.parse import urlencode

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_post_parameters
from unfold.decorators import action
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from accounts.addresses import clean_email
from accounts.forms.office import ConfirmForm
from accounts.merging.services import WholePlan, merge_people, plan_merge
from accounts.models import User
from opscom.core.admin import render_ask_page
from opscom.core.codes import clean_code
from opscom.core.errors import DomainError

PAIR = 2


class OtherRecordForm(forms.Form):
    """Which record is the second one."""

    other = forms.CharField(
        label=_("The other record"),
        help_text=_("E-mail, code, employee or student number"),
        widget=UnfoldAdminTextInputWidget(),
        max_length=254,
    )

    def __init__(self, *args: Any, people: QuerySet[User], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.people = people

    def clean_other(self) -> User:
        text = self.cleaned_data["other"]
        address = clean_email(text)
        said = Q(code=clean_code(text)) | Q(email=address) | Q(claimed_email=address)
        found = list(self.people.filter(said | Q(employee_number=text) | Q(student_number=text))[:PAIR])
        if not found:
            raise ValidationError(_("No other record has this e-mail, code or number."))
        if len(found) == PAIR:
            raise ValidationError(_("Several records have this. Please give the code of the one that you mean."))
        return found[0]


class MergeForm(ConfirmForm):
    """The reason, what only the signed-in person has, and the mark of what was shown."""

    reason = forms.CharField(
        label=_("Reason"),
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
        max_length=300,
        help_text=_("For the log"),
    )
    mark = forms.CharField(widget=forms.HiddenInput())
    field_order = ["reason", "password", "code", "mark"]


class MergingMixin(admin.ModelAdmin):
    """What the pages about people need for it."""

    change_form_before_template = "accounts/admin/_merged.html"

    def has_merge_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("accounts.merge_user")

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """A merged record is only looked at."""
        is_merged = obj is not None and obj.merged_into_id is not None
        return not is_merged and super().has_change_permission(request, obj)

    @admin.action(description=_("Merge two records"), permissions=["merge"])
    def merge_two(self, request: HttpRequest, queryset: QuerySet[User]) -> HttpResponse | None:
        people = list(queryset.order_by("created_at", "pk")[: PAIR + 1])
        if len(people) != PAIR:
            self.message_user(request, _("Select exactly two records."), messages.WARNING)
            return None
        # The one that somebody uses is suggested; the page offers to turn them round.
        people.sort(key=lambda person: (person.is_email_proved, person.last_login is not None), reverse=True)
        return redirect(ask_address(*people))

    @method_decorator(sensitive_post_parameters("password", "code"))
    @action(description=_("Merge with another record"), url_path="merge", permissions=["merge"], icon="merge")
    def merge(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Without `?other=`, ask for the other record; with it, show what will be done, and do it."""
        people = self.get_queryset(request)
        keeper = get_object_or_404(people, pk=object_id)
        others = people.exclude(pk=keeper.pk)
        form = OtherRecordForm(request.GET if "other" in request.GET else None, people=others)
        if not form.is_valid():
            return render_ask_page(
                cast(Any, self), request, title=_("Merge with another record"), form=form, method="get",
                facts=[(_("This record"), keeper)], submit=_("Continue"), original=keeper, back=page_of(keeper),
            )  # fmt: skip
        return self._merge_with(request, keeper, form.cleaned_data["other"])

    def _merge_with(self, request: HttpRequest, keeper: User, loser: User) -> HttpResponse:
        plan = plan_merge(keeper=keeper, loser=loser)
        form = MergeForm(request.POST or None, request=request, initial={"mark": plan.mark})
        if form.is_bound and form.is_valid():
            try:
                merge_people(
                    keeper=keeper, loser=loser, actor=cast(User, request.user),
                    reason=form.cleaned_data["reason"], mark=form.cleaned_data["mark"],
                )  # fmt: skip
            except DomainError as error:
                form.add_error(None, str(error))
                plan = plan_merge(keeper=User.objects.get(pk=keeper.pk), loser=User.objects.get(pk=loser.pk))
                form.data = {**request.POST.dict(), "mark": plan.mark}
            else:
                messages.success(request, _("The two records are one now."))
                return redirect(page_of(keeper))
        return self._render(request, keeper, loser, plan, form)

    def _render(
        self, request: HttpRequest, keeper: User, loser: User, plan: WholePlan, form: MergeForm
    ) -> HttpResponse:
        request.current_app = self.admin_site.name  # type: ignore[attr-defined]
        context = {
            **self.admin_site.each_context(request),
            "title": _("Merge two records"), "opts": self.model._meta, "original": keeper, "form": form, "plan": plan,
            "people": [(_("Stays"), keeper), (_("Goes"), loser)],
            "turned": ask_address(loser, keeper), "back": page_of(keeper),
        }  # fmt: skip
        status = 422 if form.is_bound else 200
        return TemplateResponse(request, "accounts/admin/merge.html", context, status=status)


def page_of(person: User) -> str:
    """Return the address of the person's page in the office's site."""
    return reverse("admin:accounts_user_change", args=[person.pk])


def ask_address(keeper: User, loser: User) -> str:
    """Return the address of the page that shows what a merge of these two will do."""
    return f"{page_of(keeper).removesuffix('change/')}merge/?{urlencode({'other': loser.code})}"
