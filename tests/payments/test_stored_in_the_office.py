"""The office sets payroll deductions and transfers up, sees what is stored, and removes it; cards are never typed."""

import pytest
from django.urls import reverse

from opscom.core.models import AuditEntry
from opscom.messaging.models import Message
from payments.models import StoredMethod
from tests.factories.payments import offer_method
from tests.factories.stored import PARKING, make_stored, offer_storing

pytestmark = pytest.mark.django_db
LIST = reverse("admin:payments_storedmethod_changelist")
ADD = reverse("admin:payments_storedmethod_add")
QUERIES = 6


@pytest.fixture
def payroll(gateway):
    return offer_method(kind="payroll", uses=[PARKING])


def fill(resident, method, /, **changes) -> dict:
    values = {"person": resident.pk, "method": method.pk, "account_number": "E-77", "consent_text": "Signed form 12."}
    return {**values, **changes}


def test_a_payroll_deduction_is_set_up_and_told(client_of, administrator, resident, payroll):
    assert client_of(administrator).post(ADD, fill(resident, payroll)).status_code == 302
    stored = StoredMethod.objects.get()
    assert (stored.person, stored.kind, stored.set_up_by) == (resident, "payroll", administrator)
    assert Message.objects.get(template="payments/method_set_up").to == resident.email
    assert AuditEntry.objects.get(action="storedmethod.set_up").on_behalf_of == resident


def test_twice_the_same_is_refused(client_of, administrator, resident, payroll):
    browser = client_of(administrator)
    browser.post(ADD, fill(resident, payroll))
    response = browser.post(ADD, fill(resident, payroll))
    assert "This is set up already." in response.content.decode()
    assert StoredMethod.objects.count() == 1


@pytest.mark.parametrize("missing", ["person", "method", "account_number", "consent_text"])
def test_nothing_may_be_missing(client_of, administrator, resident, payroll, missing):
    response = client_of(administrator).post(ADD, fill(resident, payroll, **{missing: ""}))
    assert response.status_code == 200
    assert not StoredMethod.objects.exists()


def test_a_card_cannot_be_typed(client_of, administrator, resident, payroll):
    card = offer_storing("scripted")
    client_of(administrator).post(ADD, fill(resident, card, token="t", gateway="scripted"))
    assert not StoredMethod.objects.exists()


def test_a_clerk_looks_and_does_not_set_up(client_of, clerk, resident, payroll):
    browser = client_of(clerk)
    assert browser.get(LIST).status_code == 200
    assert browser.post(ADD, fill(resident, payroll)).status_code == 403


def test_removing_asks_for_the_password(client_of, administrator, resident, payroll):
    offer_storing("scripted")
    stored = make_stored(resident, PARKING)
    browser = client_of(administrator)
    change = reverse("admin:payments_storedmethod_change", args=[stored.pk])
    page = browser.get(change).content.decode()
    assert stored.token not in page
    remove = f"{LIST}{stored.pk}/remove/"
    assert remove in page
    assert browser.post(remove, {"password": "wrong"}).status_code == 422
    assert StoredMethod.objects.live().exists()
    administrator.set_password("a-right-password-77")
    administrator.save()
    browser = client_of(administrator)
    assert browser.post(remove, {"password": "a-right-password-77"}).status_code == 302
    assert not StoredMethod.objects.live().exists()


@pytest.mark.parametrize("rows", [1, 3])
def test_the_list_costs_the_same(client_of, administrator, resident, payroll, rows, django_assert_num_queries):
    offer_storing("scripted")
    for _row in range(rows):
        make_stored(resident)
    browser = client_of(administrator)
    browser.get(LIST)
    with django_assert_num_queries(QUERIES):
        browser.get(LIST)
