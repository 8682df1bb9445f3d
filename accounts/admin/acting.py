"""The office's "log in as user": the same switch as the company managers', by permission and with a reason."""

from typing import Any, cast

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action
from unfold.widgets import UnfoldAdminTextareaWidget

from accounts.acting import switch
from accounts.acting.rules import can_act_as_office
from accounts.models import User
from opscom.core.admin import render_ask_page
from opscom.core.errors import DomainError


class ReasonForm(forms.Form):
    """Why somebody of the office enters an account."""

    reason = forms.CharField(
        label=_("Reason"),
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
        max_length=300,
        help_text=_("For the log"),
    )


class ActingMixin(admin.ModelAdmin):
    """What the pages about people need for it."""

    def has_act_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Say whether this person may log in as others; with an id, as that one."""
        clerk = cast(User, request.user)
        if not clerk.has_perm("accounts.act_as_user") or object_id is None:
            return bool(clerk.has_perm("accounts.act_as_user"))
        person = User.objects.filter(pk=object_id).first()
        return person is not None and can_act_as_office(clerk, person).is_allowed

    @action(description=_("Log in as this person"), url_path="log-in-as", permissions=["act"], icon="login")
    def log_in_as(self, request: HttpRequest, object_id: str) -> HttpResponse:
        person = get_object_or_404(self.get_queryset(request), pk=object_id)
        form = ReasonForm(request.POST or None)
        back = reverse("admin:accounts_user_change", args=[person.pk])
        if form.is_bound and form.is_valid():
            try:
                switch.start(
                    request, person=person, is_office=True, reason=form.cleaned_data["reason"], back=back
                )  # fmt: skip
            except DomainError as error:
                form.add_error(None, str(error))
            else:
                return redirect("accounts:acting")
        warning = _("All that you do there is done in this person's account, and written down with both names.")
        return render_ask_page(
            cast(Any, self), request, title=_("Log in as this person"), form=form, facts=[(_("person"), person)],
            warning=warning, submit=_("Log in"), original=person, back=back,
        )  # fmt: skip
