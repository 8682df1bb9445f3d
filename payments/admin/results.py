"""A file of results is looked at first, and counts when somebody confirms what they have seen."""

from collections.abc import Iterable
from typing import Any, ClassVar, cast

from django import forms
from django.contrib import messages
from django.core import signing
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.widgets import UnfoldAdminFileFieldWidget

from accounts.forms.office import ConfirmForm
from accounts.models import User
from opscom.core.admin import change_page, posted, posted_files, render_ask_page
from opscom.core.errors import DomainError
from payments.collection_files import MOST_BYTES, ResultLine, read_file

# How long somebody may look at what a file would do before they let it count.
LOOK_SECONDS = 3600
MOST_TOLD = 20


class ResultsFileForm(forms.Form):
    """The file that came back."""

    file = forms.FileField(
        label=_("File of results (CSV)"),
        help_text=_("Its columns: reference, result (taken or refused) and, if they are known, amount and reason."),
        widget=UnfoldAdminFileFieldWidget(attrs={"accept": ".csv,text/csv"}),
    )

    def clean_file(self) -> list[ResultLine]:
        file: UploadedFile = self.cleaned_data["file"]
        if (file.size or 0) > MOST_BYTES:
            raise ValidationError(gettext("The file is bigger than 2 MB."))
        return read_file(file.read())


class ResultsForm(ConfirmForm):
    """What was read, signed, so that what counts is what was looked at. `below` shows it line by line."""

    lines = forms.CharField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, salt: str, below: str, reading: Any = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.salt, self.shown_below, self.reading = salt, below, reading

    @property
    def below(self) -> str:
        return self.shown_below

    def clean_lines(self) -> list[ResultLine]:
        try:
            rows = signing.loads(self.cleaned_data["lines"], salt=self.salt, max_age=LOOK_SECONDS)
        except signing.BadSignature as error:
            raise ValidationError(gettext("This was read too long ago. Please choose the file again.")) from error
        return [ResultLine.from_json(row) for row in rows]


class ReadsResults:
    """Three steps on the page of what a file belongs to: choose the file, look at what it says, let it count."""

    results_below: ClassVar[str]
    results_warning: ClassVar[Any]

    def judge_results(self, obj: Any, lines: Iterable[ResultLine]) -> Any:
        """Return what reading the lines would do; changes nothing."""
        raise NotImplementedError

    def count_results(self, obj: Any, lines: Iterable[ResultLine], actor: User) -> tuple[int, Any]:
        """Let the lines count; return how many did, and the reading with its `problems`. May raise DomainError."""
        raise NotImplementedError

    def describe_results(self, obj: Any, reading: Any) -> list[tuple[Any, Any]]:
        """Return the facts above the form; `reading` None: nothing was read yet."""
        raise NotImplementedError

    def ask_for_results(self, request: HttpRequest, obj: Any) -> HttpResponse:
        """Answer whichever step this is. The caller has asked for the right to it."""
        if "lines" in request.POST:
            return self._let_count(request, obj)
        form = ResultsFileForm(posted(request), posted_files(request))
        if form.is_bound and form.is_valid():
            lines = form.cleaned_data["file"]
            signed = signing.dumps([line.as_json() for line in lines], salt=self._salt, compress=True)
            return self._ask_to_confirm(
                request, obj, self._form(request, None, {"lines": signed}), self.judge_results(obj, lines)
            )
        return render_ask_page(
            cast(ModelAdmin, self),
            request,
            form=form,
            original=obj,
            back=change_page(obj),
            title=_("Read the results"),
            facts=self.describe_results(obj, None),
            warning=gettext("First you see what the file says. Nothing counts before you confirm it."),
            submit=gettext("Look at it"),
        )

    def _let_count(self, request: HttpRequest, obj: Any) -> HttpResponse:
        form = self._form(request, request.POST)
        if form.is_valid():
            try:
                count, done = self.count_results(obj, form.cleaned_data["lines"], cast(User, request.user))
            except DomainError as error:
                form.add_error(None, str(error))
            else:
                messages.success(request, ngettext("%d result counts.", "%d results count.", count) % count)
                for _number, words in done.problems[:MOST_TOLD]:
                    messages.warning(request, words)
                return redirect(change_page(obj))
        lines = form.cleaned_data.get("lines")
        return self._ask_to_confirm(request, obj, form, self.judge_results(obj, lines) if lines else None)

    def _ask_to_confirm(self, request: HttpRequest, obj: Any, form: ResultsForm, reading: Any) -> HttpResponse:
        form.reading = reading
        return render_ask_page(
            cast(ModelAdmin, self),
            request,
            form=form,
            original=obj,
            back=change_page(obj),
            title=_("Let these results count"),
            facts=self.describe_results(obj, reading),
            warning=self.results_warning,
            submit=gettext("Let them count"),
            is_danger=True,
        )

    def _form(self, request: HttpRequest, data: Any, initial: Any = None) -> ResultsForm:
        return ResultsForm(data, initial=initial, request=request, salt=self._salt, below=self.results_below)

    @property
    def _salt(self) -> str:
        """What is signed on one kind of page counts on no other."""
        return f"results.{type(self).__name__}"
