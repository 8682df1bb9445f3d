"""On a person's page: the answers to the office's own profile fields, hidden ones too."""

from typing import Any

from django.contrib import admin
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminDateWidget,
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from accounts.answers import load, make_answer_field, show, store
from accounts.models import FieldKind, ProfileAnswer, User
from accounts.selectors import Asked, answers_of, asked_fields, known_fields

WIDGETS: dict[str, Any] = {
    FieldKind.TEXT: UnfoldAdminTextInputWidget,
    FieldKind.NUMBER: UnfoldAdminDecimalFieldWidget,
    FieldKind.DATE: UnfoldAdminDateWidget,
    FieldKind.CHOICE: UnfoldAdminSelectWidget,
    FieldKind.YES_NO: UnfoldAdminSelectWidget,
}


class AnswersMixin(admin.ModelAdmin):
    """What the pages about people need for it."""

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """Hang the answers on the person, in words: what only looks reads them there."""
        person = super().get_object(request, object_id, from_field)
        if person is not None:
            own = own_fields()
            person.own_answers = answers_of(person, own)
            for one in own:
                setattr(person, one.name, show(one, person.own_answers.get(one.name, "")))
        return person

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """Add an input for each of the office's own fields; the office may leave any of them empty."""
        answers = getattr(obj, "own_answers", {})
        inputs = {one.name: make_office_field(one, answers.get(one.name, "")) for one in own_fields()}
        kwargs["form"] = type("PersonFormWithAnswers", (self.form,), inputs)
        return super().get_form(request, obj, change, **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Stand the answers before the record's own data."""
        *first, last = super().get_fieldsets(request, obj)
        names = [one.name for one in own_fields()]
        return [*first, *([(_("Own profile fields"), {"fields": names})] if names else []), last]


def own_fields() -> list[Asked]:
    """Return the fields that the office made, in its order."""
    return [one for one in known_fields() if one.is_own]


def make_office_field(one: Asked, answer: str) -> Any:
    """Return the input of one own field as the office's pages look, holding the answer."""
    field: Any = make_answer_field(one)
    choices = getattr(field, "choices", None)
    field.widget = WIDGETS[one.kind]() if choices is None else WIDGETS[one.kind](choices=choices)
    field.required = field.widget.is_required = False
    field.initial = load(one, answer)
    # Where it is only shown, the admin looks for the label here.
    field.short_description = field.label
    return field


def given_answers(form: Any) -> dict[str, str]:
    """Return the answers that the office changed, as they are stored."""
    names = {one.name for one in own_fields()}
    return {name: store(form.cleaned_data[name]) for name in form.changed_data if name in names}


class OfficeTaskFilter(admin.SimpleListFilter):
    """People who lack something that is required of them and that only the office can fill."""

    title = _("profile")
    parameter_name = "profile"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("task", _("the office must fill something in"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> QuerySet[User]:
        if self.value() != "task":
            return queryset
        lacks: Any = Q(pk__in=[])
        for one in asked_fields():
            if one.is_required and not one.is_editable:
                answers = ProfileAnswer.objects.filter(person=OuterRef("pk"), field=one.pk).exclude(value="")
                lacks |= ~Exists(answers) if one.is_own else Q(**{one.name: ""})
        return queryset.filter(lacks, is_active=True, merged_into__isnull=True)
