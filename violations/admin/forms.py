"""What the office types about tickets and appeals."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    INPUT_CLASSES,
    UnfoldAdminFileFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from accounts.forms.documents import FilesField, read_document
from accounts.forms.office import ConfirmForm
from accounts.models import User
from accounts.selectors import offered_languages
from accounts.services.documents import NewDocument
from opscom.core.uploads import PDF
from opscom.provider.models import Lot
from opscom.provider.selectors import local_date
from payments.admin.forms import money_field, words_field
from vehicles.models import PlateType
from vehicles.regions import region_choices
from violations.models import Offence, TextBlock, Ticket
from violations.services.issuing import TicketData

FILES = {"class": " ".join(INPUT_CLASSES)}


class Moment(forms.DateTimeInput):
    """Date and time as browsers pick them."""

    input_type = "datetime-local"

    def __init__(self) -> None:
        super().__init__(attrs=FILES, format="%Y-%m-%dT%H:%M")


class Day(forms.DateInput):
    """A date as browsers pick it."""

    input_type = "date"

    def __init__(self) -> None:
        super().__init__(attrs=FILES, format="%Y-%m-%d")


def choose(queryset: Any, label: Any, **options: Any) -> forms.ModelChoiceField:
    """Return a picklist in the office's look."""
    return forms.ModelChoiceField(queryset, label=label, widget=UnfoldAdminSelectWidget, **options)


class UploadsInput(UnfoldAdminFileFieldWidget):
    """Unfold's input for several files. Its script writes the chosen name into the nearest text field: so this has one."""

    allow_multiple_selected = True


class UploadsField(FilesField):
    """Several files, each judged by its content."""

    def __init__(self, *, pictures_only: bool, **kwargs: Any) -> None:
        accept = "image/jpeg,image/png" if pictures_only else "application/pdf,image/jpeg,image/png"
        super().__init__(required=False, widget=UploadsInput(attrs={"accept": accept}), **kwargs)
        self.pictures_only = pictures_only

    def clean(self, data: Any, initial: Any = None) -> list[Any]:
        documents = [read_document(file) for file in super().clean(data, initial)]
        if self.pictures_only and any(one.checked.content_type == PDF for one in documents):
            raise ValidationError(_("Photos are PNG or JPEG pictures."))
        return documents


class IssueForm(forms.Form):
    """A ticket as an officer writes it."""

    offence = choose(Offence.objects.filter(is_archived=False), _("Offence"))
    plate = words_field(_("Plate"), required=False)
    region = forms.ChoiceField(
        label=_("State/Province"), choices=region_choices, required=False, widget=UnfoldAdminSelectWidget
    )
    plate_type = choose(PlateType.objects.filter(is_active=True), _("Plate type"), required=False)
    vin = words_field(_("VIN"), _("Of a vehicle without a plate."), required=False)
    lot = choose(Lot.objects.all(), _("Lot"), required=False)
    place = words_field(_("Where exactly"), required=False)
    occurred_at = forms.DateTimeField(label=_("When it happened"), widget=Moment)
    number = words_field(_("Ticket number"), _("Empty: the next number. A paper pad has its own."), required=False)
    fine = money_field(
        _("Fine"), _("Only where the offence is adjustable. Empty: the rule's."), least="0", required=False
    )
    is_warning = forms.BooleanField(label=_("A warning"), required=False, widget=UnfoldBooleanSwitchWidget)
    notes = forms.CharField(
        label=_("Notes, for the office only"), required=False, max_length=5000, widget=UnfoldAdminTextareaWidget
    )
    photos = UploadsField(label=_("Photos"), pictures_only=True)
    confirmed = forms.BooleanField(label=_("Issue all the same"), required=False, widget=UnfoldBooleanSwitchWidget)

    def __init__(self, *args: Any, asks_to_confirm: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not asks_to_confirm:
            self.fields["confirmed"].widget = forms.HiddenInput()

    def to_data(self) -> TicketData:
        """Return it as the service takes it."""
        values = {name: value for name, value in self.cleaned_data.items() if name not in ("photos", "confirmed")}
        if not values["plate"]:
            values["region"] = ""
        return TicketData(**values)

    @property
    def photos_to_keep(self) -> list[NewDocument]:
        files: list[NewDocument] = self.cleaned_data["photos"]
        return files


class ReasonForm(forms.Form):
    """Why."""

    reason = words_field(_("Reason"), _("Whose ticket it is reads it."))


class ReasonWithPasswordForm(ConfirmForm):
    """Why; money may go back."""

    reason = words_field(_("Reason"), _("Whose ticket it is reads it."))
    field_order = ["reason", "password", "code"]


class LowerForm(forms.Form):
    """What the ticket costs from now on, and why."""

    amount = money_field(_("New cost"))
    reason = words_field(_("Reason"), _("Whose ticket it is reads it."))


class TextBlockChoice(forms.ModelChoiceField):
    """Text blocks by name."""

    def __init__(self, **kwargs: Any) -> None:
        blocks = TextBlock.objects.filter(is_active=True)
        super().__init__(blocks, label=_("Text block"), required=False, widget=UnfoldAdminSelectWidget, **kwargs)


class AnswerMixin(forms.Form):
    """The office's words: a text block, own words, or both, one below the other."""

    block = TextBlockChoice()
    words = forms.CharField(
        label=_("In your own words"),
        required=False,
        max_length=5000,
        widget=UnfoldAdminTextareaWidget,
        help_text=_("The appellant reads it."),
    )

    def clean(self) -> Any:
        data = super().clean() or self.cleaned_data
        if not data.get("block") and not data.get("words"):
            self.add_error("words", _("Choose a text block, or write your own words."))
        return data

    def answer(self, language: str) -> str:
        """Return what the appellant reads: the block in their language, then the office's own words."""
        block = self.cleaned_data["block"]
        parts = [(block.text.get(language) or str(block.text)) if block else "", self.cleaned_data["words"]]
        return "\n\n".join(part.strip() for part in parts if part.strip())


class AskForm(AnswerMixin):
    """A question to the appellant."""


class DecideForm(AnswerMixin):
    """A decision; what else is asked depends on it."""

    amount = money_field(_("The ticket costs"))
    keep_link = forms.BooleanField(
        label=_("Keep the vehicle linked to the appellant"), required=False, widget=UnfoldBooleanSwitchWidget
    )
    field_order = ["amount", "block", "words", "keep_link"]

    def __init__(self, *args: Any, has_amount: bool, has_link: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not has_amount:
            del self.fields["amount"]
        if not has_link:
            del self.fields["keep_link"]


class DecideWithPasswordForm(DecideForm, ConfirmForm):
    """A decision about a ticket that is paid: money goes back."""

    field_order = ["amount", "block", "words", "keep_link", "password", "code"]


class PaperAppealForm(forms.Form):
    """An appeal that came on paper."""

    appellant = words_field(_("Who appeals"), _("Empty: whose ticket it is."), required=False)
    email = forms.EmailField(label=_("E-mail"), required=False, widget=UnfoldAdminTextInputWidget)
    language = forms.ChoiceField(label=_("Language"), choices=offered_languages, widget=UnfoldAdminSelectWidget)
    reason = forms.CharField(label=_("Reason for Appeal"), max_length=10_000, widget=UnfoldAdminTextareaWidget)
    received_on = forms.DateField(label=_("Received on"), widget=Day, initial=local_date)
    late_reason = words_field(_("Why it is accepted late"), _("Only when its days are over."), required=False)
    enclosed = UploadsField(label=_("Files"), pictures_only=False)

    def __init__(self, *args: Any, ticket: Ticket, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.ticket = ticket
        self.fields["language"].initial = ticket.person.language if ticket.person else offered_languages()[0][0]

    def clean(self) -> Any:
        data = super().clean() or self.cleaned_data
        if not data.get("appellant") and self.ticket.person is None:
            self.add_error("appellant", _("Nobody is known for this ticket: write who appeals."))
        return data

    @property
    def person(self) -> User | None:
        """Whose account it is in: the ticket's person, unless somebody else appeals."""
        return None if self.cleaned_data["appellant"] else self.ticket.person

    @property
    def address(self) -> str:
        """Where the answer goes."""
        return self.cleaned_data["email"] or (self.person.contact_email if self.person else "")


class CollectForm(forms.Form):
    """From when on tickets are sent to collections."""

    overdue_days = forms.IntegerField(
        label=_("Overdue for at least so many days"),
        min_value=0,
        max_value=3650,
        initial=60,
        widget=UnfoldAdminTextInputWidget(attrs={"inputmode": "numeric"}),
    )


class CollectConfirmForm(ConfirmForm):
    """The same, looked at and confirmed."""

    overdue_days = forms.IntegerField(min_value=0, max_value=3650, widget=forms.HiddenInput)
