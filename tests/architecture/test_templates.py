"""Our templates: short, translated, and without inline scripts or styles, which the content policy would block."""

import pytest

from tests.architecture.sources import ROOT, name
from tests.architecture.template_lint import faults

MOST_LINES = 150
ALL = sorted((ROOT / "templates").rglob("*.html"))
# E-mails and paper carry their styles with them, and the policy does not reach them.
PAGES = [path for path in ALL if not {"email", "pdf"} & set(path.parts)]
BY_NAME = {"ids": name}


@pytest.mark.parametrize("path", PAGES, **BY_NAME)
def test_page_has_no_inline_script_style_or_bare_words(path):
    assert list(faults(path.read_text())) == []


@pytest.mark.parametrize("path", [path for path in ALL if path not in PAGES], **BY_NAME)
def test_letter_or_paper_has_no_bare_words(path):
    assert [fault for fault in faults(path.read_text()) if fault[1] == "bare words"] == []


@pytest.mark.parametrize("path", ALL, **BY_NAME)
def test_template_is_short(path):
    assert path.read_text().count("\n") < MOST_LINES


@pytest.mark.parametrize("path", PAGES, **BY_NAME)
def test_form_has_its_error_summary(path):
    """Crispy's own list of a form's errors is switched off in favour of the summary that takes the focus."""
    source = path.read_text()
    is_form = any(mark in source for mark in ("{% crispy ", "|crispy", "|as_crispy_field", "{% crispy_field"))
    assert not is_form or "core/_error_summary.html" in source


@pytest.mark.parametrize(
    ("planted", "rule"),
    [
        ("<p>Hello</p>", "bare words"),
        ("{% if a %}Yes indeed{% endif %}", "bare words"),
        ("<img alt='A car' src=''>", "bare words"),
        ("<a aria-label='Close'></a>", "bare words"),
        ("<input type='submit' value='Send'>", "bare words"),
        ('{% include "core/_empty.html" with title="Nothing" %}', "bare words"),
        ("<script>go()</script>", "inline script"),
        ("<a onclick='go()'></a>", "inline script"),
        ("<a href='javascript:go()'></a>", "inline script"),
        ("<p style='color: red'></p>", "inline style"),
        ("<style>p { color: red }</style>", "inline style"),
        ("<button data-once></button>", "data-once on no form"),
    ],
)
def test_each_fault_is_seen(planted, rule):
    assert [found for _line, found, _what in faults("\n" + planted)] == [rule]
    assert [line for line, _found, _what in faults("\n" + planted)] == [2]


def test_what_is_right_passes():
    source = """{% load i18n %}{# A comment in English. #}
    <script src="{% static "a.js" %}" defer></script>
    <p class="x">{% translate "Hello" %} {{ name }} · {% blocktranslate trimmed %}
    Two lines.{% endblocktranslate %}</p><a aria-label="{% translate "Close" %}">×</a>"""
    assert list(faults(source)) == []
