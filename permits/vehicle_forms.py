"""Which vehicles a permit is for from now on, and which car stands in for one of them."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from opscom.provider.selectors import get_provider, local_date
from permits.forms import ReserveForm
from permits.models import Permit
from vehicles.models import Ownership, Vehicle
from vehicles.regions import region_choices


class ChangeVehiclesForm(ReserveForm):
    """As when it was reserved, with those that it is for now chosen."""

    def __init__(self, data: Any = None, *, permit: Permit, ownerships: Sequence[Ownership]) -> None:
        super().__init__(data, sale=permit.sale, ownerships=ownerships)
        on_it = {link.vehicle_id for link in permit.vehicle_links.all()}
        now = [ownership.code for ownership in ownerships if ownership.vehicle_id in on_it]
        self.fields["vehicles"].initial = next(iter(now), None) if self.is_single else now


class ReplacementCarForm(forms.Form):
    """A plate as typed, which of the permit's vehicles it stands in for, and both days."""

    stands_in_for = forms.ChoiceField(label=_("Stands in for"))
    plate = forms.CharField(
        label=_("License plate of the replacement car"),
        max_length=16,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    region = forms.ChoiceField(label=_("State/Province"), choices=region_choices)
    first_day = forms.DateField(label=_("First day"))
    last_day = forms.DateField(label=_("Last day"))

    def __init__(self, data: Any = None, *, permit: Permit) -> None:
        super().__init__(data)
        provider, today = get_provider(), local_date()
        # By its place on the permit: row ids are shown to nobody.
        self.by_place = dict(enumerate((link.vehicle for link in permit.vehicle_links.all()), 1))
        places = [(str(place), vehicle.label) for place, vehicle in self.by_place.items()]
        self.fields["stands_in_for"].choices = places  # type: ignore[attr-defined]
        self.fields["region"].initial = "-".join(filter(None, (provider.home_country, provider.home_region)))
        last = today + dt.timedelta(days=max(permit.permit_type.replacement_car_days, 1) - 1)
        for name, day in (("first_day", today), ("last_day", last)):
            attrs = {"type": "date", "min": today.isoformat()}
            self.fields[name].widget = forms.DateInput(attrs=attrs, format="%Y-%m-%d")
            self.fields[name].initial = day

    def chosen_vehicle(self) -> Vehicle:
        """Return the permit's vehicle that is replaced."""
        return self.by_place[int(self.cleaned_data["stands_in_for"])]
