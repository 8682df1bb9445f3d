"""The permit on paper."""

import io

import pytest
from pypdf import PdfReader

from opscom.core.pdf import write_pdf
from permits.services.documents import load_permit, render_document
from tests.factories.permits import make_buyer, make_sale, reserve
from tests.factories.vehicles import set_provider

pytestmark = pytest.mark.django_db


def test_the_provider_s_name_stands_below_the_page_as_it_is_written():
    name = "L'Université d'Ottawa \"B\" </style>"
    set_provider(name=name)
    buyer, _ownership = make_buyer()
    html = render_document(load_permit(reserve(make_sale(), buyer).pk))
    text = PdfReader(io.BytesIO(write_pdf(html))).pages[0].extract_text()
    assert text.count(name) == 2
    assert "u0027" not in text
