"""Reads a template as a browser and a translator would: what stands in it unguarded, line by line."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser

# Attributes that people read or hear.
SPOKEN = {"alt", "title", "aria-label", "aria-description", "aria-roledescription", "placeholder", "label"}
# Names are the same in every language.
NAMES = {"OPSCOM"}
WORD = re.compile(r"[^\W\d_]{2,}")
HIDDEN = re.compile(
    r"{#.*?#}|{% comment.*?{% endcomment %}|{% blocktrans.*?{% endblocktrans\w* %}|{%.*?%}|{{.*?}}", re.DOTALL
)
INLINE_HANDLER = re.compile(r"on[a-z]+")
# Words handed to a component: {% include "core/_empty.html" with title="Bare" %}
HANDED = re.compile(r"{% include [^%]*?\b(?:title|text|action|label)=\"([^\"]+)\"")


def without_tags(source: str) -> str:
    """Return the source without Django's tags, variables, comments and translated blocks; lines keep their numbers."""
    return HIDDEN.sub(lambda match: "\n" * match.group().count("\n"), source)


class Reader(HTMLParser):
    """Collects (line, rule, what) for each thing that a template must not hold."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[int, str, str]] = []
        self.inside = ""

    def note(self, rule: str, what: str) -> None:
        leading = what[: len(what) - len(what.lstrip())]
        self.found.append((self.getpos()[0] + leading.count("\n"), rule, what.strip()))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        # The office's icons are words to the browser: a font draws them.
        is_icon = "material-symbols" in (dict(attrs).get("class") or "")
        self.inside = "icon" if is_icon else tag if tag in {"script", "style"} else ""
        if tag == "style":
            self.note("inline style", tag)
        for key, value in attrs:
            self.read_attribute(tag, key, value or "")
            if key == "value" and ("type", "submit") in attrs:
                self.read_words(value or "")

    def handle_endtag(self, tag: str) -> None:
        self.inside = ""

    def read_attribute(self, tag: str, key: str, value: str) -> None:
        if key == "style":
            self.note("inline style", value)
        elif INLINE_HANDLER.fullmatch(key) or value.startswith("javascript:"):
            self.note("inline script", f"{key}={value}")
        elif key == "data-once" and tag != "form":
            # The script looks for it on forms: anywhere else it guards nothing.
            self.note("data-once on no form", tag)
        elif key in SPOKEN:
            self.read_words(value)

    def handle_data(self, data: str) -> None:
        if self.inside == "script" and data.strip():
            self.note("inline script", data)
        elif not self.inside:
            self.read_words(data)

    def read_words(self, text: str) -> None:
        if set(WORD.findall(text)) - NAMES:
            self.note("bare words", text)


def faults(source: str) -> Iterator[tuple[int, str, str]]:
    """Yield (line, rule, what) for inline scripts and styles, and for words that no translator would see."""
    reader = Reader()
    reader.feed(without_tags(source))
    reader.close()
    yield from reader.found
    for match in HANDED.finditer(source):
        yield source.count("\n", 0, match.start()) + 1, "bare words", match.group(1)
