"""Which locker a person wants."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from lockers.models import Locker
from lockers.selectors import Cell


class ChooseForm(forms.Form):
    """One of the free lockers, by its number."""

    locker = forms.ChoiceField(
        label=_("Locker number"),
        widget=forms.RadioSelect,
        error_messages={
            "required": _("Choose a locker number."),
            "invalid_choice": _("This locker was taken a moment ago. Please choose another one."),
        },
    )

    def __init__(self, data: Any = None, *, cells: Sequence[Cell]) -> None:
        super().__init__(data)
        self.free = {str(cell.locker.pk): cell.locker for cell in cells if cell.is_free and cell.locker}
        self.fields["locker"].choices = [(key, str(one)) for key, one in self.free.items()]  # type: ignore[attr-defined]

    def chosen(self) -> Locker:
        """Return the locker behind the choice."""
        return self.free[self.cleaned_data["locker"]]
