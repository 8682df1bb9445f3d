"""`Account Uploads`: files, each judged by what is in it."""

from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.models import DocumentRequest, DocumentRequestQuerySet
from accounts.services.documents import NewDocument
from opscom.core.uploads import (
    DOCUMENT_ENDINGS,
    MAX_DOCUMENT_BYTES,
    check_document,
    clean_file_name,
    has_document_ending,
    plain_name,
    write_limit,
)

# Endings for desks, kinds for telephones: these offer their camera beside the pictures that they hold.
ACCEPTED = ",".join([*DOCUMENT_ENDINGS, "application/pdf", "image/png", "image/jpeg"])


class FilesInput(forms.ClearableFileInput):
    """An input that takes several files at once."""

    allow_multiple_selected = True


class FilesField(forms.FileField):
    """Any number of files as they came."""

    widget = FilesInput

    def clean(self, data: Any, initial: Any = None) -> list[UploadedFile]:
        return [file for file in data or [] if file]


class UploadForm(forms.Form):
    """`Select Files to Upload`, on a telephone also its camera, and which of the office's requests they are for."""

    request = forms.ModelChoiceField(
        label=gettext_lazy("What is it for?"),
        queryset=DocumentRequest.objects.none(),
        to_field_name="code",
        empty_label=gettext_lazy("Something else"),
        required=False,
    )
    chosen = FilesField(
        label=gettext_lazy("Select Files to Upload"), required=False, widget=FilesInput(attrs={"accept": ACCEPTED})
    )
    photo = FilesField(
        label=gettext_lazy("Take a Photo"),
        required=False,
        widget=FilesInput(attrs={"accept": "image/jpeg,image/png", "capture": "environment"}),
    )

    def __init__(self, *args: Any, requests: DocumentRequestQuerySet, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["request"]
        field.queryset = requests
        field.error_messages["invalid_choice"] = _("This is not asked for any more.")

    def clean(self) -> dict[str, Any]:
        """Put into `documents` what may be kept: all of the files or, when one of them is refused, none."""
        data = super().clean() or {}
        files = [*data.get("chosen", []), *data.get("photo", [])]
        most = settings.DOCUMENTS_PER_UPLOAD
        if not files:
            self.add_error("chosen", _("Choose the files first."))
        elif len(files) > most:
            text = ngettext("At most %(most)d file at one time.", "At most %(most)d files at one time.", most)
            self.add_error("chosen", text % {"most": most})
        elif not self.errors:
            data["documents"] = self._check(files)
        return data

    def _check(self, files: list[UploadedFile]) -> list[NewDocument]:
        documents, problems = [], []
        for file in files:
            try:
                documents.append(read_document(file))
            except ValidationError as error:
                name = plain_name(file.name or "")[:60]
                problems.append(_("“%(name)s”: %(why)s") % {"name": name, "why": error.messages[0]})
        if problems:
            self.add_error("chosen", ValidationError([*problems, f"{allowed_kinds()} {_('Nothing was uploaded.')}"]))
        return documents


def read_document(file: UploadedFile) -> NewDocument:
    """Return the file as it may be kept; raises ValidationError, which says why not."""
    name = file.name or ""
    if not has_document_ending(plain_name(name)):
        raise ValidationError(_("Files of this kind are not taken."), code="wrong_ending")
    checked = check_document(file)
    return NewDocument(clean_file_name(name, checked.content_type), checked)


def allowed_kinds() -> str:
    """Return in one sentence which files are taken."""
    text = _("Allowed are %(endings)s files of up to %(size)s each.")
    return text % {"endings": ", ".join(DOCUMENT_ENDINGS), "size": write_limit(MAX_DOCUMENT_BYTES)}
