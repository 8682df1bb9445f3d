"""`Payment Method`: which rows stand there, what each says, and which is chosen when the page opens."""

from html import unescape

import pytest
from django.utils.translation import override

from payments.choices import explain_method
from payments.forms import PaymentForm
from payments.models import MethodKind, PaymentMethod
from tests.factories.payments import offer_method, order_permit
from tests.factories.permits import make_sale, offer_demo_bank, reserve

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def bank() -> None:
    offer_demo_bank()


def open_checkout(client_of) -> str:
    permit = reserve(make_sale())
    response = client_of(permit.holder).get(f"/payments/checkout/{order_permit(permit).code}/")
    assert response.status_code == 200
    return unescape(response.content.decode())


def radios(text: str) -> list[str]:
    return [part.split(">")[0] for part in text.split('type="radio"')[1:]]


def test_only_way_to_pay_is_chosen_and_says_where_it_leads(client_of) -> None:
    text = open_checkout(client_of)
    [radio] = radios(text)
    assert "checked" in radio
    assert "We do not store your card information." in text


def test_of_several_none_is_chosen_and_each_is_described(client_of) -> None:
    offer_method(kind=MethodKind.PROMISE, days_to_pay=7, position=2)
    text = open_checkout(client_of)
    assert [f'value="{value}"' in radio for value, radio in zip(["demo-bank", "promise"], radios(text), strict=True)]
    assert not any("checked" in radio for radio in radios(text))
    assert "within 7 days" in text
    for radio in radios(text):
        described_by = radio.split('aria-describedby="')[1].split('"')[0]
        assert f'id="{described_by}"' in text


def test_a_choice_is_needed_and_said_beside_the_rows(client_of) -> None:
    offer_method(kind=MethodKind.PROMISE)
    permit = reserve(make_sale())
    response = client_of(permit.holder).post(f"/payments/checkout/{order_permit(permit).code}/", {})
    text = unescape(response.content.decode())
    assert response.status_code == 422
    assert 'id="method-error"' in text
    assert 'href="#id_method_0"' in text


@pytest.mark.parametrize(("days", "words"), [(1, "within 1 day."), (10, "within 10 days.")])
def test_promise_names_its_days(days, words) -> None:
    with override("en"):
        assert words in explain_method(PaymentMethod(kind=MethodKind.PROMISE, days_to_pay=days))


def test_each_way_says_what_happens_next() -> None:
    card, promise = (explain_method(PaymentMethod(kind=kind, days_to_pay=7)) for kind in ("card", "promise"))
    assert "website" in card
    assert "7 days" in promise


@pytest.mark.parametrize("code", ["", "nothing", "demo-bank ", "0"])
def test_only_what_stands_there_can_be_posted(code) -> None:
    form = PaymentForm({"method": code}, choices=[], is_email_known=True, is_free=False)
    assert "method" in form.errors
