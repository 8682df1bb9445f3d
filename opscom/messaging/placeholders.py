"""The office's own wording: text with {placeholders} from a list, and nothing else. No template engine reads it."""

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from django.conf import settings
from django.template.base import TokenType, VariableNode
from django.template.loader import get_template
from django.template.loader_tags import IncludeNode
from django.templatetags.i18n import BlockTranslateNode
from django.utils import timezone
from django.utils.formats import date_format

PLACEHOLDER = re.compile(r"\{([a-z][a-z0-9_]*)\}")
COMMON = {"provider_name", "provider_phone", "provider_email", "site_url"}
# E-mails whose every word the office writes elsewhere: one wording for all of them would say nothing.
NOT_REWORDED = {"accounts/mailing"}
NOT_FOR_THE_OFFICE = {"provider", "language", "subject", "forloop", "block"}


def fill(text: str, values: Mapping[str, Any]) -> str:
    """Put the values in place of their placeholders, once: a value that itself holds braces stays as it is."""
    return PLACEHOLDER.sub(lambda found: _write(values.get(found[1], "")), text)


def _write(value: Any) -> str:
    if isinstance(value, dt.datetime):
        return date_format(timezone.localtime(value) if timezone.is_aware(value) else value, "DATETIME_FORMAT")
    if isinstance(value, dt.date):
        return date_format(value, "DATE_FORMAT")
    return "" if value is None else str(value)


def find_problem_names(text: str, allowed: Iterable[str]) -> list[str]:
    """Return what stands in braces and is not on the list, and each brace that is no placeholder."""
    known = set(allowed)
    wrong = [f"{{{name}}}" for name in PLACEHOLDER.findall(text) if name not in known]
    return wrong + re.findall(r"\{[^{}\s]*\}?|\}", PLACEHOLDER.sub("", text))


def template_folders() -> list[Path]:
    """Return where this installation keeps its templates."""
    folders: Any = settings.TEMPLATES[0]["DIRS"]
    return [Path(folder) for folder in folders]


def list_templates() -> list[str]:
    """Return every e-mail that the office may word anew, as `<app>/<name>`."""
    found = set()
    for folder in template_folders():
        for file in folder.glob("*/email/*.subject.txt"):
            found.add(f"{file.parent.parent.name}/{file.name.removesuffix('.subject.txt')}")
    return sorted(found - NOT_REWORDED)


def list_placeholders(template: str) -> set[str]:
    """Return the names that the office may use in this e-mail: those that its own subject and text use, and a few more."""
    app, _slash, name = template.partition("/")
    names = set(COMMON)
    for ending in ("subject.txt", "txt"):
        names |= _names_in(get_template(f"{app}/email/{name}.{ending}").template.nodelist)  # type: ignore[attr-defined]
    return {name for name in names if PLACEHOLDER.fullmatch(f"{{{name}}}")} - NOT_FOR_THE_OFFICE


def list_needed_placeholders(template: str) -> set[str]:
    """Return the names without which the e-mail makes no sense: the links and codes that it exists for."""
    own = list_placeholders(template) - COMMON
    return {name for name in own if re.search(r"(^|_)(link|url|code|pin)$", name)}


def _names_in(nodelist: Any) -> set[str]:
    names = {_plain_name(node.filter_expression) for node in nodelist.get_nodes_by_type(VariableNode)}
    for node in nodelist.get_nodes_by_type(BlockTranslateNode):
        tokens = [token.contents for token in [*node.singular, *node.plural] if token.token_type == TokenType.VAR]
        names |= set(tokens) - set(node.extra_context)
        names |= {_plain_name(expression) for expression in node.extra_context.values()}
    for node in nodelist.get_nodes_by_type(IncludeNode):
        # Parts that several e-mails share stand in files of their own, named in so many words.
        part: Any = get_template(str(node.template.var))
        names |= _names_in(part.template.nodelist) - set(node.extra_context)
    return names - {""}


def _plain_name(expression: Any) -> str:
    lookups: Any = getattr(expression.var, "lookups", None) or ()
    return str(lookups[0]) if len(lookups) == 1 else ""
