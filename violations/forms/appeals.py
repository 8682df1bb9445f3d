"""What somebody writes about a ticket: the reasons of an appeal, an answer, files, a search."""

from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.forms.documents import ACCEPTED, FilesField, FilesInput, read_document
from accounts.services.documents import NewDocument
from opscom.core.uploads import plain_name
from violations.services.appealing import LONGEST_REASON

CAMERA = {"accept": "image/jpeg,image/png", "capture": "environment"}


class WithFiles(forms.Form):
    """A text and files. The files are judged even while the text is missing: what is good is kept beside the form."""

    text = forms.CharField(
        max_length=LONGEST_REASON,
        widget=forms.Textarea(attrs={"rows": 8}),
        error_messages={"required": gettext_lazy("Please write your reasons.")},
    )
    chosen = FilesField(
        label=gettext_lazy("Select Files to Upload"), required=False, widget=FilesInput(attrs={"accept": ACCEPTED})
    )
    photo = FilesField(label=gettext_lazy("Take a Photo"), required=False, widget=FilesInput(attrs=CAMERA))

    # Files that passed, whatever else is wrong.
    good_files: list[NewDocument]

    def __init__(self, *args: Any, takes_files: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not takes_files:
            del self.fields["chosen"], self.fields["photo"]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        files = [*data.get("chosen", []), *data.get("photo", [])]
        self.good_files = []
        most = settings.DOCUMENTS_PER_UPLOAD
        if len(files) > most:
            text = ngettext("At most %(most)d file at one time.", "At most %(most)d files at one time.", most)
            self.add_error("chosen", text % {"most": most})
        else:
            self._judge(files)
        return data

    def _judge(self, files: list[UploadedFile]) -> None:
        problems = []
        for file in files:
            try:
                self.good_files.append(read_document(file))
            except ValidationError as error:
                name = plain_name(file.name or "")[:60]
                problems.append(_("“%(name)s”: %(why)s") % {"name": name, "why": error.messages[0]})
        if problems:
            self.add_error("chosen", ValidationError(problems))


class AppealForm(WithFiles):
    """`Reason for Appeal`, and the evidence."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["text"].label = _("Reason for Appeal")


class AnswerForm(WithFiles):
    """The answer to the office's question."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["text"].label = _("Your answer")
        self.fields["text"].error_messages["required"] = _("Please write your answer.")


class OwnSearchForm(forms.Form):
    """`Search my Tickets`."""

    q = forms.CharField(label=gettext_lazy("Search my Tickets"), required=False, max_length=40)


class LookupForm(forms.Form):
    """`Search Plate or Ticket`."""

    q = forms.CharField(
        label=gettext_lazy("Search Plate or Ticket"),
        max_length=40,
        help_text=gettext_lazy("The plate, or the ticket number with its PIN (e.g. TT-10133-3K)."),
    )


class TicketNumberForm(forms.Form):
    """One field takes number and PIN, also in small letters, with spaces or without dashes."""

    number = forms.CharField(
        label=gettext_lazy("Ticket Number"),
        max_length=40,
        help_text=gettext_lazy(
            "With the Security PIN, the last two characters: for ticket TT-10133-3K, enter TT-10133-3K."
        ),
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"}),
    )
