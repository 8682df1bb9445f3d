"""The list's form: what is ticked."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from payments.purchasables import all_purchasables


class KeysField(forms.MultipleChoiceField):
    """The ticked boxes, as {kind: ids}. Whether each may be paid is asked of its product, not of what the page showed."""

    def valid_value(self, value: str) -> bool:
        kind, _colon, number = value.partition(":")
        # More digits than a row id has would not fit into the query.
        return kind in {product.kind for product in all_purchasables()} and number.isdecimal() and len(number) < 19

    def clean(self, value: Any) -> dict[str, set[int]]:
        selection: dict[str, set[int]] = {}
        for key in super().clean(value):
            kind, _colon, number = key.partition(":")
            selection.setdefault(kind, set()).add(int(number))
        return selection


class SelectionForm(forms.Form):
    """The list of what is due, with what is ticked."""

    selected = KeysField(
        label=_("Selected"),
        error_messages={
            "required": _("Select at least one item to pay for."),
            "invalid_choice": _("Something that you selected cannot be paid here. Please look at the list again."),
        },
    )
