"""The office's own wording of an e-mail, and which e-mails people want."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminSelectWidget

from opscom.messaging import placeholders, preferences
from opscom.messaging.models import EmailCategory, MessageTemplate


class MessageTemplateForm(forms.ModelForm):
    """Subject and text per language; only listed {placeholders}, and not without the link that the e-mail is for."""

    template = forms.ChoiceField(
        label=gettext_lazy("E-mail"),
        choices=lambda: [(name, name) for name in placeholders.list_templates()],
        widget=UnfoldAdminSelectWidget,
    )

    class Meta:
        model = MessageTemplate
        fields = ["template", "subject", "text"]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        template = data.get("template") or self.instance.template
        if not template or template not in placeholders.list_templates():
            return data
        allowed = placeholders.list_placeholders(template)
        subject, text = data.get("subject") or {}, data.get("text") or {}
        for field, texts in (("subject", subject), ("text", text)):
            for problem in [problem for words in texts.values() for problem in find_problems(words, allowed)]:
                self.add_error(field, problem)
        needed = placeholders.list_needed_placeholders(template)
        for words in text.values():
            self._ask_for_needed(words, needed)
        if {code for code, words in subject.items() if words} != {code for code, words in text.items() if words}:
            self.add_error(None, _("Please write subject and text in the same languages."))
        return data

    def _ask_for_needed(self, words: str, needed: set[str]) -> None:
        for name in sorted(needed):
            if words and f"{{{name}}}" not in words:
                self.add_error("text", _("This e-mail makes no sense without %(name)s.") % {"name": f"{{{name}}}"})


def find_problems(words: str, allowed: set[str]) -> list[ValidationError]:
    """Return an error for each thing in braces that is not on the list."""
    known = ", ".join(f"{{{name}}}" for name in sorted(allowed))
    text = _("%(wrong)s is not one of the placeholders of this e-mail: %(known)s.")
    return [
        ValidationError(text % {"wrong": wrong, "known": known}, code="placeholder")
        for wrong in placeholders.find_problem_names(words, allowed)
    ]


class PreferencesForm(forms.Form):
    """`Email Preferences`: a checkbox for each category that can be switched off."""

    wanted = forms.MultipleChoiceField(required=False)
    # The button `Select/Deselect All`: without scripts it comes here, and ticks without saving.
    toggle = forms.BooleanField(required=False)

    def __init__(self, *args: Any, address: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.choices = preferences.list_choices(address)
        self.codes = [choice.category.code for choice in self.choices]
        self.fields["wanted"].choices = [(code, code) for code in self.codes]  # type: ignore[attr-defined]

    @property
    def is_toggled(self) -> bool:
        """Whether all boxes are to be ticked, or cleared when all are ticked, and nothing saved yet."""
        return bool(self.cleaned_data.get("toggle"))

    def rows(self) -> list[tuple[EmailCategory, bool]]:
        """Return each category with whether its box is ticked."""
        if not self.is_bound:
            return [(choice.category, choice.is_wanted) for choice in self.choices]
        ticked = set(self.cleaned_data.get("wanted", []))
        if self.is_toggled:
            ticked = set() if ticked >= set(self.codes) else set(self.codes)
        return [(choice.category, choice.category.code in ticked) for choice in self.choices]


def mask_address(address: str) -> str:
    """Return the address as its owner knows it, and others cannot read it: m•••@example.org."""
    local, _at, domain = address.rpartition("@")
    return f"{local[:1]}•••@{domain}"
