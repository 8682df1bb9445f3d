"""What the office types about lockers."""

from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from accounts.forms.office import ConfirmForm
from lockers.models import Locker, LockerSize
from lockers.services.managing import MOST_LOCKERS, make_numbers, read_list
from opscom.core.errors import DomainError
from opscom.core.uploads import ENDINGS, check_image
from payments.admin.forms import money_field, words_field


class AreaForm(forms.ModelForm):
    """An area; its photo is judged by its content."""

    def clean_photo(self) -> Any:
        photo = self.cleaned_data.get("photo")
        if isinstance(photo, UploadedFile):
            # Served later under the ending of what it is.
            photo.name = f"photo{ENDINGS[check_image(photo)]}"
        return photo


class HiddenInput(UnfoldAdminTextInputWidget):
    """A text field that never shows again what was typed into it, as a password's does."""

    def format_value(self, value: Any) -> None:
        return None


def combination_field(*, required: bool = True) -> forms.CharField:
    """Return a field for a combination; browsers keep no copy of it, and no page shows it."""
    attrs = {"autocomplete": "off", "spellcheck": "false", "autocapitalize": "off"}
    return forms.CharField(
        label=_("New combination"), required=required, max_length=20, widget=HiddenInput(attrs=attrs)
    )


def number_field(label: Any, *, most: int, least: int = 0, **options: Any) -> forms.IntegerField:
    """Return a field for a whole number."""
    return forms.IntegerField(
        label=label, min_value=least, max_value=most, widget=UnfoldAdminIntegerFieldWidget(), **options
    )


class AddLockersForm(forms.Form):
    """Lockers of an area: a range of numbers, or a list of them."""

    first = number_field(_("First number"), most=999_999, required=False)
    last = number_field(_("Last number"), most=999_999, required=False)
    before = forms.CharField(label=_("Prefix"), required=False, max_length=10, widget=UnfoldAdminTextInputWidget())
    after = forms.CharField(label=_("Postfix"), required=False, max_length=10, widget=UnfoldAdminTextInputWidget())
    digits = number_field(_("Digits, filled with zeros"), most=6, required=False, initial=0)
    numbers = forms.CharField(
        label=_("Or a list of numbers"),
        help_text=_("Separated by commas or lines."),
        required=False,
        max_length=30 * MOST_LOCKERS,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 4}),
    )
    columns = number_field(_("Lockers in one row"), least=1, most=40, initial=10)
    size = forms.ChoiceField(
        label=_("Size"), choices=LockerSize.choices, initial=LockerSize.MEDIUM, widget=UnfoldAdminSelectWidget()
    )
    is_accessible = forms.BooleanField(label=_("accessible"), required=False, widget=UnfoldBooleanSwitchWidget())
    is_visible = forms.BooleanField(
        label=_("shown in the portal"), required=False, initial=True, widget=UnfoldBooleanSwitchWidget()
    )

    def clean(self) -> Any:
        data = super().clean() or self.cleaned_data
        if self.errors:
            return data
        listed = read_list(data["numbers"])
        has_range = data["first"] is not None and data["last"] is not None
        if bool(listed) == has_range:
            self.add_error(None, _("Give a range, first and last, or a list."))
            return data
        try:
            data["chosen"] = listed or make_numbers(
                first=data["first"],
                last=data["last"],
                prefix=data["before"],
                postfix=data["after"],
                digits=data["digits"] or 0,
            )
        except DomainError as error:
            self.add_error(None, str(error))
        return data


class CombinationForm(forms.Form):
    """A combination that was set at the lock."""

    combination = combination_field()


class OutOfOrderForm(forms.Form):
    """Why a locker cannot be rented."""

    reason = words_field(_("Why it cannot be rented"), _("Empty: it can be rented again."), required=False)


class EmptiedForm(ConfirmForm):
    """What was found: the lock's new combination, and what becomes of the deposit."""

    combination = combination_field()
    kept = money_field(_("Kept of the deposit"), _("Empty: nothing; all of it goes back."), least="0", required=False)
    reason = words_field(_("Why a part is kept"), _("The renter reads it."), required=False)
    field_order = ["combination", "kept", "reason", "password", "code"]

    def __init__(self, *args: Any, has_deposit: bool, has_lock: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        gone = [] if has_deposit else ["kept", "reason", "password", "code"]
        for name in [*gone, *([] if has_lock else ["combination"])]:
            self.fields.pop(name, None)

    def clean(self) -> Any:
        """A page that comes back shows no combination again: without a word it would be forgotten."""
        data = super().clean() or self.cleaned_data
        if self.errors and data.get("combination"):
            self.add_error("combination", _("Please enter this again."))
        return data


class SwitchForm(forms.Form):
    """Into which locker somebody is moved, and why."""

    locker = forms.ModelChoiceField(Locker.objects.none(), label=_("Locker"), widget=UnfoldAdminSelectWidget())
    reason = words_field(_("Reason"), _("The renter reads it."))

    def __init__(self, data: Any = None, *, lockers: Any) -> None:
        super().__init__(data)
        self.fields["locker"].queryset = lockers  # type: ignore[attr-defined]
