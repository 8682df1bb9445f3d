"""For people who have lost their phone and their recovery codes."""

from typing import Any, cast

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accounts.mfa.services import reset_factors
from accounts.models import User
from opscom.core.admin import act_on_each
from opscom.core.errors import NotAllowed


class FactorsMixin:
    """The office takes the lost means away; after that codes go by e-mail. It never sees or sets any."""

    @admin.action(description=_("Remove authenticator app and recovery codes"), permissions=["change"])
    def reset_factors(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        actor = cast(User, request.user)

        def reset(person: User) -> None:
            may_change: Any = self.has_change_permission  # type: ignore[attr-defined]
            if not may_change(request, person):
                raise NotAllowed(_("You may not change this person."))
            reset_factors(person=person, actor=actor)

        act_on_each(request, queryset, reset, _done)


def _done(count: int) -> str:
    text = ngettext("%d person gets codes by e-mail from now on.", "%d people get codes by e-mail from now on.", count)
    return text % count
