"""What the office types about boots."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget, UnfoldBooleanSwitchWidget

from accounts.forms.office import ConfirmForm
from boots.models import Boot, BootPolicy, Condition, LateRule
from boots.selectors import find_boot
from boots.services.returning import Returned
from opscom.core.money import ZERO
from opscom.provider.models import Lot
from payments.admin.forms import money_field, words_field
from violations.admin.forms import Moment, UploadsField, choose
from violations.models import Ticket
from violations.numbers import number_key, split_typed

SERIAL = Boot._meta.get_field("serial")


class CodeInput(UnfoldAdminTextInputWidget):
    """A text field that never shows again what was typed into it, as a password's does."""

    def format_value(self, value: Any) -> None:
        return None


def code_field(label: Any, help_text: Any = "", *, required: bool = True) -> forms.CharField:
    """Return a field for a release code; browsers keep no copy of it, and no page shows it."""
    attrs = {"autocomplete": "off", "spellcheck": "false", "autocapitalize": "off"}
    widget = CodeInput(attrs=attrs)
    return forms.CharField(label=label, help_text=help_text, required=required, max_length=20, widget=widget)


class BootField(forms.CharField):
    """A boot by its serial number, or by what the scanner reads from its sticker."""

    def __init__(self, **kwargs: Any) -> None:
        words = _("Type its serial number, or scan its sticker.")
        widget = UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"})
        super().__init__(label=_("Boot"), help_text=words, max_length=200, widget=widget, **kwargs)

    def clean(self, value: Any) -> Boot:
        boot = find_boot(super().clean(value))
        if boot is None:
            raise ValidationError(_("There is no boot with this number, or with this sticker."))
        return boot


class TicketField(forms.CharField):
    """A ticket by its number, with or without the PIN."""

    def __init__(self, **kwargs: Any) -> None:
        widget = UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"})
        super().__init__(label=_("Ticket number"), max_length=40, widget=widget, **kwargs)

    def clean(self, value: Any) -> Ticket:
        typed = super().clean(value)
        number, _pin = split_typed(typed)
        ticket = Ticket.objects.filter(number_key__in=[number_key(typed), number]).first()
        if ticket is None:
            raise ValidationError(_("There is no ticket with this number."))
        return ticket


class FindForm(forms.Form):
    """Which boot is it?"""

    boot = BootField()


class AddForm(forms.Form):
    """A new boot."""

    serial = words_field(_("Serial number"))
    code = code_field(_("Release code"), _("As it is set on the boot's lock."))
    note = words_field(_("Note"), required=False)

    def clean_serial(self) -> str:
        value: str = SERIAL.clean(self.cleaned_data["serial"], None)
        return value


class DescribeForm(forms.Form):
    """What is known of a boot."""

    is_out_of_service = forms.BooleanField(
        label=_("Out of service"), required=False, widget=UnfoldBooleanSwitchWidget, help_text=_("It goes on no car.")
    )
    note = words_field(_("Note"), required=False)


class CodeForm(forms.Form):
    """The code that the boot's lock is set to."""

    code = code_field(_("Release code"))


class WhyForm(forms.Form):
    """Why."""

    reason = words_field(_("Reason"))


class WhyWithPasswordForm(ConfirmForm):
    """Why; a deposit is kept."""

    reason = words_field(_("Reason"))
    field_order = ["reason", "password", "code"]


class TakeOffForm(WhyForm):
    """Why an officer took it off, and the code that it has now."""

    new_code = code_field(
        _("New release code"), _("Empty: it is set before the boot goes on a car again."), required=False
    )


class PutOnForm(forms.Form):
    """A boot on a ticket's car."""

    boot = BootField()
    ticket = TicketField()
    lot = choose(Lot.objects.all(), _("Lot"), required=False, help_text=_("Empty: where the ticket was written."))
    place = words_field(_("Where exactly"), required=False)
    photos = UploadsField(label=_("Photos"), pictures_only=True)


class ReturnForm(ConfirmForm):
    """How a boot came back; money goes back with it."""

    condition = forms.ChoiceField(label=_("Condition"), choices=Condition.choices, widget=UnfoldAdminSelectWidget)
    note = words_field(_("What is damaged"), _("The driver reads it."), required=False)
    kept = money_field(_("Kept of the deposit"), _("For the damage. Empty: nothing."), least="0", required=False)
    new_code = code_field(
        _("New release code"), _("Empty: it is set before the boot goes on a car again."), required=False
    )
    photos = UploadsField(label=_("Photos"), pictures_only=True)
    field_order = ["condition", "photos", "note", "kept", "new_code", "password", "code"]

    def __init__(self, *args: Any, has_deposit: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not has_deposit:
            for name in ("kept", "password", "code"):
                self.fields.pop(name, None)

    def clean(self) -> Any:
        """A page that comes back shows neither code nor photos again: without a word they would be forgotten."""
        data = super().clean() or self.cleaned_data
        if self.errors:
            for name in ("new_code", "photos"):
                if data.get(name):
                    self.add_error(name, _("Please enter this again."))
        return data

    def to_data(self) -> Returned:
        """Return it as the service takes it."""
        values = self.cleaned_data
        return Returned(
            condition=Condition(values["condition"]),
            kept=values.get("kept") or ZERO,
            note=values["note"],
            new_code=values["new_code"],
            photos=values["photos"],
        )


class TimeForm(forms.Form):
    """Until when."""

    until = forms.DateTimeField(label=_("Return it by"), widget=Moment)


class PictureForm(forms.Form):
    """A picture of how a boot comes off."""

    picture = UploadsField(label=_("Picture"), pictures_only=True)
    english = words_field(_("Caption"), required=False)
    french = words_field(_("Caption in French"), required=False)
    position = forms.IntegerField(
        label=_("Place in the row"), initial=1, min_value=0, max_value=99, widget=UnfoldAdminTextInputWidget
    )

    def clean_picture(self) -> Any:
        found = self.cleaned_data["picture"]
        if len(found) != 1:
            raise ValidationError(_("Choose one picture."))
        return found[0]


class PolicyForm(forms.ModelForm):
    """The rule, whose parts must fit each other."""

    class Meta:
        model = BootPolicy
        exclude: list[str] = []

    def clean(self) -> Any:
        data = super().clean() or self.cleaned_data
        if data.get("late_rule") == LateRule.FINE and not data.get("late_offence"):
            self.add_error("late_offence", _("Choose the offence whose fine it is."))
        if data.get("late_rule") == LateRule.FORFEIT and not data.get("deposit"):
            self.add_error("deposit", _("Where no deposit is asked, none can be kept."))
        if data.get("deposit") == ZERO:
            self.add_error("deposit", _("Leave it empty when no deposit is asked."))
        if (data.get("reminder_hours") or 0) >= (data.get("return_hours") or 0) > 0:
            self.add_error("reminder_hours", _("A reminder must come after the code, and before the time is over."))
        is_grace_used = data.get("late_rule") != LateRule.NOTHING and data.get("lost_days")
        if is_grace_used and (data.get("late_hours") or 0) >= data["lost_days"] * 24:
            self.add_error("late_hours", _("The grace must be over before the boot counts as lost."))
        return data
