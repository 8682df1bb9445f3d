"""What the office's pages share: records that are only read, forms that ask first, and plain settings that are logged."""

import re
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Model, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin, TabularInline

from opscom.core import audit
from opscom.core.errors import DomainError

# Every record of the office's site has a whole number of at most 19 digits; what is longer is nobody's.
ROW_NUMBER = re.compile(r"[0-9]{1,19}")


class NothingToTypeForm(forms.Form):
    """Only the button: a change is a POST."""


class ReadOnlyMixin:
    """Nothing is added, edited or deleted by hand; what may be done is done by actions that call services."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ReadOnlyAdmin(ReadOnlyMixin, ModelAdmin):
    """A list and a page of records that services write."""

    list_per_page = 50


class ReadOnlyInline(ReadOnlyMixin, TabularInline):
    """What belongs to a record, shown on its page."""

    extra = 0
    can_delete = False

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return list(self.fields or [])


class SettingAdmin(ModelAdmin):
    """A record that the office edits as it is: who added, changed or deleted it stands in the log."""

    def log_addition(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        return audit.record(f"{obj._meta.model_name}.added", obj, actor=request.user)

    def log_change(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        fields = [name for part in message for name in part.get("changed", {}).get("fields", [])]
        return audit.record(f"{obj._meta.model_name}.changed", obj, actor=request.user, fields=fields)

    def log_deletions(self, request: HttpRequest, queryset: QuerySet[Any]) -> Any:
        return [audit.record(f"{obj._meta.model_name}.deleted", obj, actor=request.user) for obj in queryset]


class QueueFilter(admin.SimpleListFilter):
    """Whom the rows of a list wait for; without a choice, those of `first`: its words and its condition."""

    title = _("state")
    parameter_name = "queue"
    first: tuple[Any, Q]
    QUEUES: Mapping[str, tuple[Any, Q]]

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(value, words) for value, (words, _condition) in self.QUEUES.items()]

    def choices(self, changelist: Any) -> Any:
        """Name the first choice what it is: not all, but what waits."""
        for choice in super().choices(changelist):
            is_first = choice["query_string"] == changelist.get_query_string(remove=[self.parameter_name])
            yield {**choice, "display": self.first[0]} if is_first else choice

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        _words, condition = self.QUEUES.get(self.value() or "", self.first)
        return queryset.filter(condition)


def find_by_number(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Wrap a page of the office's site: an `object_id` in its address that can be no record's number is 404.

    Django checks it on its own pages only; with this, no action and no right needs to.
    """

    @wraps(view)
    def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        object_id = kwargs.get("object_id")
        if object_id is not None and not ROW_NUMBER.fullmatch(object_id):
            raise Http404
        return view(request, *args, **kwargs)

    return checked


def act_on_each(request: HttpRequest, rows: Any, deed: Callable[[Any], Any], done: Callable[[int], str]) -> None:
    """Do the deed for each row; one that is refused says why and stops no other. `done` words the number of successes."""
    count = 0
    for row in rows:
        try:
            deed(row)
            count += 1
        except DomainError as error:
            messages.error(request, f"{row}: {error}")
    if count:
        messages.success(request, done(count))


def change_page(obj: Model) -> str:
    """Return the office's page about the record."""
    return reverse(f"admin:{obj._meta.app_label}_{obj._meta.model_name}_change", args=[obj.pk])


def posted(request: HttpRequest) -> Any:
    """Return what was sent, empty as it may be; None for a page that is only opened."""
    return request.POST if request.method == "POST" else None


def posted_files(request: HttpRequest) -> Any:
    """Return the files that were sent; None for a page that is only opened."""
    return request.FILES if request.method == "POST" else None


def render_ask_page(
    page: ModelAdmin, request: HttpRequest, *, title: Any, form: forms.Form, **context: Any
) -> HttpResponse:
    """Show a page of the office's site that asks before something is done; the form's widgets are Unfold's.

    `context` may hold: `facts` (pairs of label and value), `warning`, `submit`, `is_danger`, `original`, `back`,
    `method` ("get" for a form that only looks something up). `form.below`, where there is one, is a template under it.
    """
    request.current_app = page.admin_site.name  # type: ignore[attr-defined]
    values = {
        **page.admin_site.each_context(request),
        "title": title,
        "opts": page.model._meta,
        "form": form,
        **context,
    }
    status = 422 if form.is_bound and form.errors else 200
    return TemplateResponse(request, "core/admin/ask.html", values, status=status)
