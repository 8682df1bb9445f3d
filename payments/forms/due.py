"""The list's form: what is ticked. And the history's: which year."""

from collections.abc import Sequence
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
    """The list of what is due, with what is ticked. `everything` is the box `Select all` where no script ticks the others."""

    everything = forms.BooleanField(label=_("Select all"), required=False)
    selected = KeysField(
        label=_("Selected"),
        error_messages={
            "required": _("Select at least one item to pay for."),
            "invalid_choice": _("Something that you selected cannot be paid here. Please look at the list again."),
        },
    )

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["selected"].required = not self.data.get("everything")


class YearForm(forms.Form):
    """One year of the payment history, or all; an address with another year shows all."""

    year = forms.TypedChoiceField(label=_("Year"), required=False, coerce=int, empty_value=None)

    def __init__(self, *args: Any, years: Sequence[int], **kwargs: Any):
        super().__init__(*args, **kwargs)
        field: Any = self.fields["year"]
        field.choices = [("", _("All years")), *((year, str(year)) for year in years)]
        field.widget.attrs["class"] = "form-select"

    @property
    def chosen(self) -> int | None:
        """The year that was asked for and exists."""
        return self.cleaned_data.get("year") if self.is_valid() else None
