"""What the office types about a waitlist."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminSplitDateTimeWidget, UnfoldAdminTextInputWidget


class WhyForm(forms.Form):
    """A reason that is kept, and that the person reads."""

    reason = forms.CharField(
        label=_("Reason"), max_length=300, widget=UnfoldAdminTextInputWidget, help_text=_("The person reads it.")
    )


class PickForm(forms.Form):
    """Why somebody is picked who is not the first in line."""

    reason = forms.CharField(
        label=_("Why not the first in line"), max_length=300, required=False, widget=UnfoldAdminTextInputWidget
    )

    def __init__(self, *args: Any, is_next: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if is_next:
            self.fields["reason"].widget = forms.HiddenInput()


class ClassForm(forms.Form):
    """Another class, and why."""

    priority = forms.IntegerField(
        label=_("Class"),
        min_value=0,
        max_value=99,
        widget=UnfoldAdminIntegerFieldWidget,
        help_text=_("A smaller number goes first; within a class, who joined first."),
    )
    reason = forms.CharField(label=_("Reason"), max_length=300, widget=UnfoldAdminTextInputWidget)


class ExtendForm(forms.Form):
    """Until when an offer holds."""

    until = forms.SplitDateTimeField(label=_("New deadline"), widget=UnfoldAdminSplitDateTimeWidget)
