"""Text that the office writes once per language."""

import json
from typing import Any

from django import forms
from django.conf import settings
from django.db import models
from django.utils.html import conditional_escape
from django.utils.translation import get_language
from psycopg.types.json import Jsonb


class Translated(dict[str, str]):
    """{'en': 'Winter', 'fr-ca': 'Hiver'}; as a string, the active language's text, else the first that is not empty."""

    def __str__(self) -> str:
        chosen = self.get(get_language() or "") or self.get(settings.LANGUAGE_CODE)
        return chosen or next((text for text in self.values() if text), "")

    def __bool__(self) -> bool:
        return any(self.values())

    def __html__(self) -> str:
        return str(conditional_escape(str(self)))


class TranslatedWidget(forms.MultiWidget):
    """One input for each language, named in its label."""

    template_name = "core/translated_widget.html"

    def __init__(self, widget: type[forms.Widget] = forms.TextInput, attrs: dict[str, Any] | None = None) -> None:
        languages: dict[str, forms.Widget | type[forms.Widget]] = {
            code.replace("-", "_"): widget(attrs={**(attrs or {}), "lang": code, "placeholder": str(name)})
            for code, name in settings.LANGUAGES
        }
        super().__init__(widgets=languages)

    def decompress(self, value: dict[str, str] | None) -> list[str]:
        return [(value or {}).get(code, "") for code, _name in settings.LANGUAGES]


class TranslatedFormField(forms.MultiValueField):
    """Cleans to a Translated; when required, the first language must be filled."""

    def __init__(self, *, widget: Any = None, long: bool = False, **kwargs: Any) -> None:
        kwargs.pop("encoder", None), kwargs.pop("decoder", None)
        required = kwargs.get("required", True)
        fields = [forms.CharField(required=required and not i) for i, _l in enumerate(settings.LANGUAGES)]
        # Read late: Unfold cannot be imported while models load. Only the office edits such texts.
        from unfold.widgets import INPUT_CLASSES, TEXTAREA_CLASSES  # noqa: PLC0415

        if long:
            chosen = TranslatedWidget(forms.Textarea, {"class": " ".join(TEXTAREA_CLASSES), "rows": 5})
        else:
            chosen = TranslatedWidget(forms.TextInput, {"class": " ".join(INPUT_CLASSES)})
        super().__init__(fields=fields, widget=chosen, require_all_fields=False, **kwargs)

    def compress(self, data_list: list[str]) -> Translated:
        return Translated({code: text for (code, _n), text in zip(settings.LANGUAGES, data_list, strict=False) if text})


class TranslatedField(models.Field):
    """Stores one text per language as JSON and reads as a Translated. `long=True` edits in text areas.

    Not a JSONField: to the office's site it is a text, shown in the reader's language, and not a piece of JSON.
    """

    def __init__(self, *args: Any, long: bool = False, **kwargs: Any) -> None:
        self.long = long
        kwargs.setdefault("default", dict)
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, {**kwargs, **({"long": True} if self.long else {})}

    def db_type(self, connection: Any) -> str:
        return "jsonb"

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Translated:
        return self.to_python(json.loads(value) if isinstance(value, str) else value)

    def to_python(self, value: Any) -> Translated:
        if isinstance(value, str):
            return Translated({settings.LANGUAGE_CODE: value})
        return Translated(value or {})

    def get_db_prep_save(self, value: Any, connection: Any) -> Any:
        return Jsonb(dict(self.to_python(value)))

    def value_to_string(self, obj: models.Model) -> str:
        return json.dumps(self.value_from_object(obj), ensure_ascii=False)

    def formfield(self, **kwargs: Any) -> Any:
        kwargs.pop("widget", None)
        # A callable default makes Django send the first value along in a hidden field, which knows no languages.
        kwargs["show_hidden_initial"] = False
        return super().formfield(form_class=TranslatedFormField, long=self.long, **kwargs)
