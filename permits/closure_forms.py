"""What the office types to close a lot."""

import datetime as dt
import hashlib
import json
from typing import Any, cast

from django import forms
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminSplitDateTimeWidget,
)

from opscom.core.fields import TranslatedFormField
from opscom.provider.models import Lot
from opscom.provider.selectors import get_time_zone, local_date
from permits.models import Closure, ClosureReason
from permits.services.lot_closures import Terms

ENDS_AT = dt.time(6)


def tomorrow_morning() -> dt.datetime:
    """Return tomorrow at 6:00 on the provider's clock: when a night's snow is cleared."""
    return dt.datetime.combine(local_date() + dt.timedelta(days=1), ENDS_AT, tzinfo=get_time_zone())


class ClosureForm(forms.Form):
    """From now until tomorrow morning, the whole lot, unless something else is typed. `mark`: what was shown before."""

    lot = forms.ModelChoiceField(Lot.objects.all(), label=_("Lot"), widget=UnfoldAdminSelectWidget)
    starts_at = forms.SplitDateTimeField(label=_("Closed from"), widget=UnfoldAdminSplitDateTimeWidget)
    ends_at = forms.SplitDateTimeField(label=_("Closed until"), widget=UnfoldAdminSplitDateTimeWidget)
    spaces = forms.IntegerField(
        label=_("Spaces"),
        required=False,
        min_value=1,
        max_value=1_000_000,
        widget=UnfoldAdminIntegerFieldWidget,
        help_text=_("Empty: the whole lot."),
    )
    reason = forms.ChoiceField(label=_("Reason"), choices=ClosureReason.choices, widget=UnfoldAdminSelectWidget)
    words = TranslatedFormField(label=_("Words for holders"), long=True, required=False)
    other_lots = forms.ModelMultipleChoiceField(
        Lot.objects.all(),
        label=_("Its permits are valid meanwhile in"),
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
    )
    mark = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)

    def __init__(self, data: QueryDict | None, *, closure: Closure | None = None, lot: Lot | None = None) -> None:
        now = timezone.now().replace(second=0, microsecond=0)
        initial: dict[str, Any] = {"lot": lot, "starts_at": now, "ends_at": tomorrow_morning()}
        if closure:
            names = ("starts_at", "ends_at", "spaces", "reason", "words")
            initial = {name: getattr(closure, name) for name in names}
            initial["other_lots"] = list(closure.other_lots.all())
        super().__init__(data, initial=initial)
        if closure:
            # Its holders were told of this lot: another lot is another closure.
            del self.fields["lot"]

    def to_terms(self) -> Terms:
        """Return what was typed as the service takes it."""
        names = ("starts_at", "ends_at", "spaces", "reason")
        values = {name: self.cleaned_data[name] for name in names}
        return Terms(**values, words=dict(self.cleaned_data["words"] or {}), other_lots=self.cleaned_data["other_lots"])

    def make_mark(self, lot: Lot, edition: int = 0) -> str:
        """Return a mark of what is asked for: what is done is what was shown."""
        terms = self.to_terms()
        said = [lot.pk, edition, terms.starts_at.isoformat(), terms.ends_at.isoformat(), terms.spaces, terms.reason]
        said += [terms.words, sorted(other.pk for other in terms.other_lots)]
        return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:32]

    def ask_again(self, mark: str) -> None:
        """Show the form once more, as typed, with the mark of what stands above it."""
        data = cast(QueryDict, self.data).copy()
        data["mark"] = mark
        self.data = data
