"""Pieces of the office's pages."""

from typing import Any

from django import template
from django.db.models import Model

from office.history import read_history

register = template.Library()


@register.inclusion_tag("office/_history.html")
def record_history(record: Any) -> dict[str, Any]:
    """Show what happened to the record and what changed in it."""
    return {"history": read_history(record) if isinstance(record, Model) and record.pk else []}
