"""The office's first page: right figures, right links, only what the role may see, a flat number of queries."""

import datetime as dt
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from office import selectors
from opscom.messaging.models import Message
from opscom.provider.selectors import local_date, start_of_day
from payments.models import OrderLine, Payment
from permits.models import Permit
from tests.factories.permits import make_lot, make_permit_type, make_sale, reserve
from tests.office.money import failed_refund, line_of, mismatched_payment, pay_for_permit

pytestmark = pytest.mark.django_db


@pytest.fixture
def start():
    return start_of_day(local_date())


def figure(text: str, title: str) -> str:
    """Return the value that stands under a title."""
    return text.split(f">{title}<")[1].split("<strong>")[1].split("</strong>")[0]


def test_figures_of_a_small_day(page_of, administrator, start):
    pay_for_permit()
    old = pay_for_permit(permit_type=make_permit_type(price=Decimal("55.00")))
    before = start - dt.timedelta(minutes=1)
    Permit.objects.filter(number=old.lines.get().label.split()[1]).update(activated_at=before)
    Payment.objects.filter(order=old).update(approved_at=before)
    reserve(make_sale())
    failed_refund(pay_for_permit(), administrator)
    mismatched_payment()
    OrderLine.objects.filter(pk=line_of(old).pk).update(status="needs_review")
    User.objects.exclude(pk=administrator.pk).update(created_at=before)
    text = page_of(administrator, "/admin/")
    assert figure(text, "Permits sold today") == "3"
    assert "$300.00 without tax" in text
    assert figure(text, "Active permits") == "3"
    assert figure(text, "Held for a payment now") == "1"
    assert figure(text, "Money received today") == "$300.00"
    assert figure(text, "New people today") == "1"
    assert figure(text, "Payments to look at") == "1"
    assert figure(text, "Paid, not delivered") == "1"
    assert figure(text, "Refunds that failed") == "1"
    assert figure(text, "Messages waiting") == str(Message.objects.filter(status="queued").count())


def test_what_does_not_wait_is_not_shown(page_of, administrator):
    text = page_of(administrator, "/admin/")
    assert "Waiting for the office" not in text
    assert figure(text, "Money received today") == "$0.00"


def test_each_link_opens_what_it_counts(client_of, administrator):
    failed_refund(pay_for_permit(), administrator)
    mismatched_payment()
    OrderLine.objects.filter(status="fulfilled").update(status="needs_review")
    Message.objects.filter(pk=Message.objects.first().pk).update(status="failed")
    client = client_of(administrator)
    text = client.get("/admin/").content.decode()
    cards = text.split('<a class="office-figure')[1:]
    assert len(cards) >= 9
    for card in cards:
        address = card.split('href="')[1].split('"')[0].replace("&amp;", "&")
        response = client.get(address)
        assert response.status_code == 200, address
        title = card.split('office-figure-title">')[1].split("<")[0]
        if "received" not in title:
            assert response.context["cl"].result_count == int(figure(text, title)), title


def test_lots_are_metered_the_fullest_first(page_of, clerk):
    empty, half, full, shut = (make_lot(name={"en": name}) for name in ("Empty", "Half", "Full lot", "Shut"))
    make_sale(lot=empty, numbers=2)
    sale = make_sale(lot=half, numbers=2)
    reserve(sale)
    reserve(make_sale(lot=full, numbers=1))
    make_sale(lot=shut, numbers=1, closes_at=timezone.now())
    meters = selectors.lot_meters()
    assert [(str(one.lot), one.taken, one.allotted) for one in meters] == [
        ("Full lot", 1, 1),
        ("Half", 1, 2),
        ("Empty", 0, 2),
    ]
    assert [one.is_full for one in meters] == [True, False, False]
    assert "Full lot" in page_of(clerk, "/admin/")


def test_officer_sees_no_money(page_of, officer):
    pay_for_permit()
    text = page_of(officer, "/admin/")
    assert "Active permits" in text
    assert "$100" not in text
    assert "without tax" not in text
    assert "Money received" not in text
    assert "New people" not in text


def test_first_page_costs_the_same_for_one_and_three_rows(client_of, administrator):
    client = client_of(administrator)
    counts = []
    for rows in (1, 2):
        for _row in range(rows):
            mismatched_payment()
        client.get("/admin/")
        with CaptureQueriesContext(
            connection,
        ) as queries:
            client.get("/admin/")
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 20
