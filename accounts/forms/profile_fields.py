"""What the office types about a profile field."""

import re
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db.models import Max
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import AttributeRule, FieldKind, FieldState, ProfileField
from opscom.core.codes import make_code
from opscom.core.fields import TranslatedFormField

CODE = re.compile(r"[a-z0-9_-]{1,40}")
FIRST = settings.LANGUAGES[0][0]


class ProfileFieldForm(forms.ModelForm):
    """Refuses what nobody could answer, and what would leave answers behind that fit nothing."""

    choice_lines = TranslatedFormField(
        long=True,
        required=False,
        label=gettext_lazy("Choices"),
        help_text=gettext_lazy(
            "For the kind Choice: one on each line, as code = label. The codes are yours and stay the same in each "
            "language; without one, the program makes it from the first language's label."
        ),
    )

    class Meta:
        model = ProfileField
        # The office's page says which.
        fields: list[str] = []

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial.setdefault("choice_lines", write_lines(self.instance.choices))
        if not self.instance.pk:
            last = ProfileField.objects.aggregate(last=Max("position"))["last"] or 0
            self.initial["position"] = min(last + 10, 32_000)
        if "kind" in self.fields:
            kinds = self.fields["kind"]
            assert isinstance(kinds, forms.TypedChoiceField)
            kinds.choices = [choice for choice in FieldKind.choices if choice[0] != FieldKind.BUILT_IN]
            kinds.initial = FieldKind.TEXT

    def clean_label(self) -> Any:
        label = self.cleaned_data["label"]
        if not label.get(FIRST):
            raise ValidationError(_("People see this label: please fill in at least the first language."))
        return label

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("state") == FieldState.REQUIRED and not data.get("is_editable") and not self.is_filled_by_sign_in():
            self.add_error("is_editable", _("Nobody could fill it: let people change it, or let a sign-in fill it."))
        if "choice_lines" in data:
            try:
                data["choices"] = self.read_choices(data)
            except ValidationError as error:
                self.add_error("choice_lines", error)
        return data

    def is_filled_by_sign_in(self) -> bool:
        """Say whether an identity provider fills the field at each sign-in."""
        return bool(self.instance.pk) and AttributeRule.objects.filter(field_name=self.instance.name).exists()

    def read_choices(self, data: dict[str, Any]) -> list[dict[str, Any]]:
        """Return the choices as they are stored; raises ValidationError for lines that say nothing, and lost answers."""
        kind = data.get("kind") or self.instance.kind
        choices = read_lines(data["choice_lines"]) if kind == FieldKind.CHOICE else []
        if kind == FieldKind.CHOICE and not choices:
            raise ValidationError(_("Please write at least one choice."))
        if self.instance.pk:
            given = set(self.instance.answers.exclude(value="").values_list("value", flat=True).distinct())
            lost = sorted(given - {choice["code"] for choice in choices}) if kind == FieldKind.CHOICE else []
            if lost:
                raise ValidationError(_("Somebody has chosen %(codes)s: it must stay.") % {"codes": ", ".join(lost)})
        return choices

    def save(self, commit: bool = True) -> Any:
        if not self.instance.pk:
            self.instance.name = make_name(str(self.cleaned_data["label"].get(FIRST)))
        if "choices" in self.cleaned_data:
            self.instance.choices = self.cleaned_data["choices"]
        return super().save(commit)


def make_name(label: str) -> str:
    """Return a name that no other field has: it stands for the field in the log and in imports, whatever the label becomes."""
    base = f"own_{slugify(label).replace('-', '_')[:24] or 'field'}"
    is_taken = ProfileField.objects.filter(name=base).exists()
    return f"{base}_{make_code().lower()[:8]}" if is_taken else base


def write_lines(choices: list[dict[str, Any]]) -> dict[str, str]:
    """Return the choices as one text for each language."""
    lines: dict[str, list[str]] = {code: [] for code, _name in settings.LANGUAGES}
    for choice in choices:
        for language, label in choice["label"].items():
            lines.setdefault(language, []).append(f"{choice['code']} = {label}")
    return {language: "\n".join(texts) for language, texts in lines.items()}


def read_lines(texts: dict[str, str]) -> list[dict[str, Any]]:
    """Return the choices that the texts list: the first language decides which there are, and in which order."""
    labels = {language: dict(_read(text, is_first=language == FIRST)) for language, text in texts.items()}
    first = labels.pop(FIRST, {})
    for language, found in labels.items():
        if unknown := sorted(set(found) - set(first)):
            raise ValidationError(
                _("%(codes)s: the first language has no such choice.") % {"codes": ", ".join(unknown)}, code=language
            )
    return [
        {"code": code, "label": {FIRST: label} | {name: found[code] for name, found in labels.items() if code in found}}
        for code, label in first.items()
    ]


def _read(text: str, *, is_first: bool) -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []
    for line in filter(None, map(str.strip, text.splitlines())):
        code, has_code, label = (part.strip() for part in line.partition("="))
        if not has_code and is_first:
            code, label = slugify(line)[:40], line
        if not CODE.fullmatch(code) or not label or len(label) > 120:
            raise ValidationError(_("“%(line)s” is not of the form code = label.") % {"line": line})
        if code in dict(pairs):
            raise ValidationError(
                _("The code %(code)s is used twice. Please give each choice a code of its own.") % {"code": code}
            )
        pairs.append((code, label))
    return pairs
