"""What the office and people type about the provider."""

from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldAdminSelectWidget

from opscom.core.uploads import ENDINGS, check_image
from opscom.provider.models import Disclaimer, FreeHours, Provider


class AgreeForm(forms.Form):
    """The version that was on the screen when `I Agree` was pressed."""

    version = forms.IntegerField(min_value=1, widget=forms.HiddenInput)


def weekday_field(**kwargs: Any) -> forms.TypedMultipleChoiceField:
    """Return checkboxes for the days of the week that clean to numbers, 0 is Monday."""
    return forms.TypedMultipleChoiceField(
        choices=list(WEEKDAYS.items()), coerce=int, widget=UnfoldAdminCheckboxSelectMultipleWidget, **kwargs
    )


class ProviderForm(forms.ModelForm):
    """The provider as the office edits it."""

    time_zone = forms.ChoiceField(
        label=_("Time zone"),
        choices=lambda: [(name, name) for name in sorted(available_timezones())],
        widget=UnfoldAdminSelectWidget,
    )
    office_weekdays = weekday_field(label=_("Office days"))
    languages = forms.MultipleChoiceField(
        label=_("Languages offered"),
        choices=settings.LANGUAGES,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        required=False,
        help_text=_("None ticked means all."),
    )
    vehicle_fields = forms.MultipleChoiceField(
        label=_("Vehicle details asked"),
        # The names of the fields of `vehicles.Ownership`, which stands on a floor above.
        choices=[("kind", _("Kind")), ("make", _("Make")), ("model", _("Model")), ("colour", _("Colour"))],
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        required=False,
        help_text=_("Beside plate, state/province, plate type and year."),
    )

    class Meta:
        model = Provider
        fields = [
            *["name", "short_name", "logo", "colour", "phone", "email", "address", "opening_hours"],
            *["office_weekdays", "office_opens", "office_closes", "time_zone", "first_weekday", "languages"],
            *["home_country", "home_region", "currency", "prices_include_tax", "is_registration_open"],
            *["mfa", "is_email_preferences_on", "is_document_upload_on"],
            *["registration_mode", "password_link_hours", "is_vehicle_deletion_on", "vehicle_fields"],
            "oversell_percent",
            *["is_waitlist_only_when_full", "is_waitlist_rank_shown", "is_waitlist_managed", "waitlist_emails"],
            *["waitlist_offer_days", "refunds_on_exchange"],
            *["reprint_minutes", "history_months"],
            *["refund_frees", "refund_second_person_above", "card_consent"],
            *["ticket_prefix", "is_guest_payment_on", "is_appeals_on", "is_appeal_evidence_on", "appeal_email"],
            *["removes_discount_on_appeal", "restarts_appeal_on_association", "decision_days"],
            *["discount_notice_days", "bars_payment_in_collections", "overdue_hold_above"],
        ]

    def clean_logo(self) -> Any:
        logo = self.cleaned_data.get("logo")
        if isinstance(logo, UploadedFile):
            # The name follows the content: a PNG that calls itself .jpg is stored as what it is.
            logo.name = f"logo{ENDINGS[check_image(logo)]}"
        return logo

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        opens, closes = data.get("office_opens"), data.get("office_closes")
        if opens and closes and closes <= opens:
            self.add_error("office_closes", _("The office closes after it opens."))
        return data


class DisclaimerForm(forms.ModelForm):
    """A disclaimer's text per language."""

    class Meta:
        model = Disclaimer
        fields = ["text"]


class FreeHoursForm(forms.ModelForm):
    """Hours in which nobody needs a permit."""

    weekdays = weekday_field(label=_("Weekdays"))

    class Meta:
        model = FreeHours
        fields = ["weekdays", "from_time", "until_time", "also_holidays"]
