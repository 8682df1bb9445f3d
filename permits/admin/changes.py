"""What the office does with a permit: each deed asks on a page of its own, with a reason that the holder reads."""

from collections.abc import Callable
from functools import partial
from typing import Any, cast

from django import forms
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_post_parameters
from unfold.admin import ModelAdmin
from unfold.decorators import action

from accounts.forms.office import ConfirmForm
from accounts.models import User
from opscom.core.admin import ReadOnlyInline, change_page, posted, render_ask_page
from opscom.core.money import format_money
from payments.admin.shared import AsksFirst, did
from permits import change_forms
from permits.models import NumberChange, NumberChangeReason, Permit, PermitStatus, ReplacementCar
from permits.price_words import describe_money_back
from permits.services import moving, suspending
from permits.services.ending import end_early, quote_early_end

Fact = tuple[Any, Any]


class PartOfPermit(ReadOnlyInline):
    """Rows that stand on the permit's page for everybody who may see the permit."""

    hide_title = True

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("permits.view_permit")


class NumberChangeInline(PartOfPermit):
    """The numbers that it had."""

    model = NumberChange
    fields = ["old_number", "new_number", "reason", "note", "changed_at", "changed_by"]


class ReplacementCarInline(PartOfPermit):
    """The cars that stood, or stand, in for its own."""

    model = ReplacementCar
    fields = ["vehicle", "stands_in_for", "starts_at", "ends_at"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[ReplacementCar]:
        return super().get_queryset(request).select_related("vehicle", "stands_in_for")


class ChangesPermits(AsksFirst):
    """The deeds on a permit's page."""

    DEEDS = ("end_permit", "switch", "move", "hand_over", "replace", "suspend", "lift", "revoke")
    # Nine in a row are wider than the page: what gives it another number or holder stands in one menu.
    MENU = ("switch", "move", "hand_over", "replace")
    ACTIONS = (
        "end_permit",
        {"title": _("Change"), "icon": "edit", "items": list(MENU)},
        *("suspend", "lift", "revoke"),
    )

    def has_change_it_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("permits.change_permit")

    def has_end_it_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        # Money goes back.
        return request.user.has_perm("permits.change_permit") and request.user.has_perm("payments.add_refund")

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Offer only what the permit's state allows."""
        permit = Permit.objects.filter(pk=object_id).first()
        found: list[Any] = super().get_actions_detail(request, object_id)  # type: ignore[misc]
        return [one for one in found if one.method.__name__ not in self.DEEDS or fits(permit, one.method.__name__)]

    @method_decorator(sensitive_post_parameters("password", "code"))
    @action(description=_("End early"), url_path="end", permissions=["end_it"], icon="event_busy")
    def end_permit(self, request: HttpRequest, object_id: str) -> HttpResponse:
        permit = find(object_id)
        money = quote_early_end(permit, timezone.now())
        facts = [*describe(permit), *((line.words, line.amount) for line in describe_money_back(money))]
        return self.ask_then(
            request,
            permit,
            cast(type[ConfirmForm], partial(change_forms.EndForm, initial={"shown": money.amount})),
            lambda person, values: end_early(permit=permit, actor=person, **pick(values, "shown", "reason")),
            _("The permit has ended."),
            title=_("End early"),
            facts=[*facts, (_("goes back"), format_money(money.amount))],
            submit=gettext("End it now"),
        )

    @action(
        description=_("Switch with another holder"), url_path="switch", permissions=["change_it"], icon="swap_horiz"
    )
    def switch(self, request: HttpRequest, object_id: str) -> HttpResponse:
        permit = find(object_id)

        def deed(person: User, values: dict[str, Any]) -> None:
            moving.switch_permits(one=permit, other=values["number"], reason=values["reason"], actor=person)

        words = _("Both get the other's number, and lot. Vehicles, dates, prices and payments stay.")
        return self._ask(
            request, permit, change_forms.SwitchForm, deed, title=_("Switch with another holder"), warning=words
        )

    @action(description=_("Move"), url_path="move", permissions=["change_it"], icon="move_up")
    def move(self, request: HttpRequest, object_id: str) -> HttpResponse:
        permit = find(object_id)

        def deed(person: User, values: dict[str, Any]) -> None:
            moving.move_permit(permit=permit, actor=person, **pick(values, "sale", "number", "reason"))

        words = _("Price and dates stay: a dearer or cheaper lot is adjusted on the page of its order.")
        return self._ask(request, permit, change_forms.MoveForm, deed, title=_("Move to another number"), warning=words)

    @action(description=_("Hand over"), url_path="hand-over", permissions=["change_it"], icon="person_add")
    def hand_over(self, request: HttpRequest, object_id: str) -> HttpResponse:
        permit = find(object_id)

        def deed(person: User, values: dict[str, Any]) -> None:
            moving.hand_over_permit(
                permit=permit, to=values["person"], vehicles=values["plates"], reason=values["reason"], actor=person
            )

        words = _("What was paid stays paid by who paid it. If money goes back one day, it goes back to them.")
        return self._ask(
            request, permit, change_forms.PersonForm, deed, title=_("Hand over to another person"), warning=words
        )

    @action(description=_("Lost or stolen"), url_path="replace", permissions=["change_it"], icon="report")
    def replace(self, request: HttpRequest, object_id: str) -> HttpResponse:
        permit = find(object_id)

        def deed(person: User, values: dict[str, Any]) -> None:
            why = NumberChangeReason(values["why"])
            moving.replace_permit(permit=permit, why=why, actor=person, **pick(values, "reason", "with_fee"))

        facts = [(_("fee"), format_money(permit.permit_type.replacement_fee))]
        words = _("It gets a new number, and the old one is out of use. The fee stands in its payer's payments.")
        return self._ask(
            request, permit, change_forms.ReplaceForm, deed, title=_("Lost or stolen"), warning=words, more=facts
        )

    @action(description=_("Suspend"), url_path="suspend", permissions=["change_it"], icon="pause")
    def suspend(self, request: HttpRequest, object_id: str) -> HttpResponse:
        permit = find(object_id)

        def deed(person: User, values: dict[str, Any]) -> None:
            suspending.suspend_permit(permit=permit, reason=values["reason"], actor=person)

        words = _("It keeps its number, and is not valid until this is lifted.")
        return self._ask(request, permit, change_forms.WhyForm, deed, title=_("Suspend"), warning=words)

    @action(description=_("Lift the suspension"), url_path="lift", permissions=["change_it"], icon="play_arrow")
    def lift(self, request: HttpRequest, object_id: str) -> HttpResponse:
        permit = find(object_id)

        def deed(person: User, values: dict[str, Any]) -> None:
            suspending.lift_suspension(permit=permit, reason=values["reason"], actor=person)

        return self._ask(request, permit, change_forms.WhyForm, deed, title=_("Lift the suspension"))

    @action(description=_("Revoke"), url_path="revoke", permissions=["change_it"], icon="block")
    def revoke(self, request: HttpRequest, object_id: str) -> HttpResponse:
        permit = find(object_id)

        def deed(person: User, values: dict[str, Any]) -> None:
            suspending.revoke_permit(permit=permit, reason=values["reason"], actor=person)

        words = _("It is over at once, its number goes to who waits, and nothing goes back.")
        return self._ask(request, permit, change_forms.WhyForm, deed, title=_("Revoke"), warning=words, is_danger=True)

    def _ask(
        self,
        request: HttpRequest,
        permit: Permit,
        form_class: type[forms.Form],
        deed: Callable[[User, dict[str, Any]], None],
        *,
        title: Any,
        more: list[Fact] | None = None,
        **context: Any,
    ) -> HttpResponse:
        """Show the form; when it is right do the deed, say so and go back to the permit."""
        form, person = form_class(posted(request)), cast(User, request.user)
        if form.is_valid() and did(form, lambda who: deed(who, form.cleaned_data), person):
            messages.success(request, _("Done, and its holder is told."))
            return redirect(change_page(permit))
        facts = [*describe(permit), *(more or [])]
        page = cast(ModelAdmin, self)
        return render_ask_page(
            page,
            request,
            title=title,
            form=form,
            facts=facts,
            submit=title,
            original=permit,
            back=change_page(permit),
            **context,
        )


def find(object_id: str) -> Permit:
    """Return the permit with what its pages show."""
    rows = Permit.objects.select_related("holder", "sale__lot", "sale__permit_type")
    return get_object_or_404(rows.prefetch_related("vehicle_links__vehicle"), pk=object_id)


def fits(permit: Permit | None, deed: str) -> bool:
    """Say whether the permit's state allows the deed at all; the service looks closer."""
    if permit is None or permit.status != PermitStatus.ACTIVE:
        return False
    is_suspended = permit.suspended_at is not None
    if deed in ("suspend", "lift"):
        return is_suspended == (deed == "lift")
    has_number = not (permit.is_temporary or permit.waits)
    return has_number or deed in ("end_permit", "revoke")


def pick(values: dict[str, Any], *names: str) -> dict[str, Any]:
    """Return these of a form's values."""
    return {name: values[name] for name in names}


def describe(permit: Permit) -> list[Fact]:
    """Return what the office reads of the permit before it changes it."""
    return [
        (_("permit"), permit.number),
        (_("holder"), permit.holder or permit.guest_email),
        (_("lot and type"), f"{permit.lot} · {permit.permit_type}"),
        (_("vehicles"), ", ".join(link.vehicle.label for link in permit.vehicle_links.all())),
    ]
