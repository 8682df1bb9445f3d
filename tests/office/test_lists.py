"""The office's lists and pages cost the same number of queries with three rows as with one."""

import pytest

from tests.factories.accounts import make_user
from tests.factories.permits import make_sale, reserve
from tests.office.money import failed_refund, pay_for_permit

pytestmark = pytest.mark.django_db

# What makes a row -> the list, and what one look at it costs.
LISTS = {
    "/admin/permits/permit/": 11,
    "/admin/permits/sale/": 9,
    "/admin/permits/slot/": 9,
    "/admin/payments/order/": 6,
    "/admin/payments/orderline/": 7,
    "/admin/payments/payment/": 6,
    "/admin/payments/refund/": 6,
    "/admin/accounts/user/": 8,
    "/admin/core/auditentry/": 5,
}


@pytest.mark.parametrize("rows", [1, 3])
@pytest.mark.parametrize("address", LISTS)
def test_lists_are_flat(client_of, administrator, django_assert_num_queries, address, rows):
    for _row in range(rows):
        failed_refund(pay_for_permit(), administrator)
        reserve(make_sale(numbers=1))
        make_user()
    client = client_of(administrator)
    client.get("/admin/")
    with django_assert_num_queries(LISTS[address]):
        assert client.get(address).status_code == 200
