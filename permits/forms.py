"""Which vehicles will use the permit."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from permits.models import Sale
from vehicles.models import Ownership, Vehicle


class ReserveForm(forms.Form):
    """One vehicle by radio buttons, or several by checkboxes, as the permit type allows; the only one is chosen already.

    `prefers_first`: the first of several is, too, where it can be changed later.
    """

    def __init__(
        self,
        data: Any = None,
        *,
        sale: Sale,
        ownerships: Sequence[Ownership],
        auto_id: str = "id_%s",
        prefers_first: bool = False,
    ) -> None:
        super().__init__(data, prefix=sale.code, auto_id=auto_id)
        choices = [(ownership.code, ownership.label) for ownership in ownerships]
        only = choices[0][0] if len(choices) == 1 or (prefers_first and choices) else None
        self.by_code = {ownership.code: ownership.vehicle for ownership in ownerships}
        self.is_single = sale.permit_type.max_vehicles == 1
        wrong = {
            "invalid_choice": _("Choose active vehicles of your own."),
            "required": _("Choose the vehicle that will park."),
        }
        if self.is_single:
            self.fields["vehicles"] = forms.ChoiceField(
                label=_("Vehicle"), choices=choices, widget=forms.RadioSelect, initial=only, error_messages=wrong
            )
        else:
            self.fields["vehicles"] = forms.MultipleChoiceField(
                label=_("Vehicles"),
                choices=choices,
                widget=forms.CheckboxSelectMultiple,
                initial=[only] if only else [],
                error_messages=wrong,
            )

    def chosen_vehicles(self) -> list[Vehicle]:
        """Return the vehicles behind the chosen codes."""
        value = self.cleaned_data["vehicles"]
        return [self.by_code[code] for code in ([value] if self.is_single else value)]


class ShownSumForm(forms.Form):
    """The sum that stood on the page when its button was pressed."""

    shown = forms.DecimalField(min_value=0, max_digits=10, decimal_places=2)
