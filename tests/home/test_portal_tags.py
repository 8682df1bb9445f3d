import datetime as dt
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django import forms
from django.template import Context, Template
from django.template.loader import render_to_string
from django.utils import translation

from opscom.core.errors import Refused
from opscom.provider.templatetags import portal
from tests.factories.vehicles import set_provider

TORONTO = ZoneInfo("America/Toronto")
# Half past eleven at night in Toronto is the next day in UTC.
LATE = dt.datetime(2026, 11, 30, 23, 30, tzinfo=TORONTO)
MIDNIGHT = dt.datetime(2026, 12, 1, tzinfo=TORONTO)


def render(source, **context):
    return Template("{% load portal %}" + source).render(Context(context))


def test_plate_escapes_what_people_wrote():
    html = render("{% plate text region %}", text="<b>", region="Ontario")
    assert html == '<span class="plate"><small>Ontario</small> <b>&lt;b&gt;</b></span>'


@pytest.mark.parametrize(("language", "expected"), [("en", "$1,234.50"), ("fr-ca", "1\xa0234,50 $")])
def test_money_follows_the_language(language, expected):
    with translation.override(language):
        assert render("{{ sum|money }}", sum=Decimal("1234.5")) == f'<span class="money">{expected}</span>'


def test_status_tag_knows_its_tones():
    assert render('{% status_tag "Full" "bad" %}') == '<span class="tag bad">Full</span>'
    with pytest.raises(ValueError, match="puce"):
        portal.status_tag("Full", "puce")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("language", "expected"),
    [("en", "Nov. 30, 2026, 11:30 p.m."), ("fr-ca", "30 novembre 2026, 23\xa0h\xa030")],
)
def test_times_are_the_providers(language, expected):
    set_provider(time_zone="America/Toronto")
    with translation.override(language):
        assert portal.local_datetime(LATE.astimezone(dt.UTC)) == expected


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("end", "expected"),
    [
        (MIDNIGHT, "Nov. 30, 2026"),
        (dt.date(2026, 12, 1), "Nov. 30, 2026"),
        (LATE, "Nov. 30, 2026, 11:30 p.m."),
        (None, ""),
    ],
)
def test_until_says_the_last_day(end, expected):
    set_provider(time_zone="America/Toronto")
    assert portal.until(end) == expected


@pytest.mark.django_db
def test_local_date_is_the_providers_day():
    set_provider(time_zone="America/Toronto")
    assert portal.local_date_filter(LATE.astimezone(dt.UTC)) == "Nov. 30, 2026"


@pytest.mark.parametrize(
    ("person", "expected"), [("Maya Chen", "MC"), ("Maya", "M"), ("maya@example.org", "M"), ("A B C", "AC"), ("", "")]
)
def test_initials(person, expected):
    assert portal.initials(person) == expected


class LotForm(forms.Form):
    plate = forms.CharField(label="Plate")
    kind = forms.ChoiceField(label="Kind", choices=[("a", "A"), ("b", "B")], widget=forms.RadioSelect)

    def clean(self):
        raise forms.ValidationError("Not together.")


def test_error_summary_links_to_each_field():
    html = render_to_string("core/_error_summary.html", {"form": LotForm({})})
    assert '<a href="#id_plate">Plate</a>' in html
    assert '<a href="#id_kind_0">Kind</a>' in html
    assert "Not together." in html
    assert 'tabindex="-1"' in html


def test_no_errors_no_summary():
    assert render_to_string("core/_error_summary.html", {"form": LotForm()}).strip() == ""


@pytest.mark.django_db
def test_refusal_says_why_until_when_and_whom_to_ask():
    set_provider(time_zone="America/Toronto")
    refusal = Refused("limit", "You hold one already.", LATE)
    html = render_to_string("core/_refusal.html", {"refusal": refusal, "provider": {"phone": "416-555-0142"}})
    assert "You hold one already." in html
    assert "Until Nov. 30, 2026, 11:30 p.m." in html
    assert "416-555-0142" in html
