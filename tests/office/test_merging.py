"""The office puts two records together: by permission, after a look at everything, with a reason and a password."""

import re
from html import unescape

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.merging.services import plan_merge
from accounts.models import User
from opscom.core.models import AuditEntry
from tests.factories.accounts import PASSWORD, make_user
from tests.factories.merging import buy, make_driver, make_rich, merge
from tests.factories.payments import go_to_bank, order_permit
from tests.factories.permits import make_sale, offer_demo_bank, reserve
from tests.factories.vehicles import make_ownership

pytestmark = pytest.mark.django_db
LIST = "/admin/accounts/user/"


def page(person: User, name: str = "change") -> str:
    return f"{LIST}{person.pk}/{name}/"


def ask(keeper: User, loser: User) -> str:
    return f"{page(keeper, 'merge')}?other={loser.code}"


def read(client: Client, address: str) -> str:
    return unescape(client.get(address).content.decode())


def mark_of(client: Client, address: str) -> str:
    found = re.search(r'name="mark" value="(\w+)"', client.get(address).content.decode())
    assert found
    return found[1]


@pytest.fixture
def office(client_of, administrator):
    return client_of(administrator)


def test_the_other_record_is_found_by_address_code_or_number(office):
    keeper = make_user()
    loser = make_user(email="goes@example.org", employee_number="E-77")
    for said in ("goes@example.org", " GOES@example.org", loser.code, loser.code.lower(), "E-77"):
        text = read(office, f"{page(keeper, 'merge')}?other={said}")
        assert "Goes over to the record that stays" in text, said


def test_a_record_that_is_not_there_or_not_clear_says_so(office):
    keeper = make_user(employee_number="E-1")
    make_user(employee_number="E-2")
    make_user(employee_number="E-2")
    assert "No other record has this" in read(office, f"{page(keeper, 'merge')}?other=nobody@example.org")
    assert "No other record has this" in read(office, f"{page(keeper, 'merge')}?other=E-1")
    assert "Several records have this" in read(office, f"{page(keeper, 'merge')}?other=E-2")
    assert "The other record" in read(office, page(keeper, "merge"))


def test_everything_is_shown_before_it_is_done(office):
    keeper, loser = make_driver(email="stays@example.org"), make_rich(email="goes@example.org")
    text = read(office, ask(keeper, loser))
    for words in ("Vehicles", "Paid orders", "Permits held or reserved", "Documents", "Holds on the account"):
        assert f"<dt>{words}</dt>" in text
    assert "stays@example.org stays, goes@example.org no longer signs in" in text
    assert "The password and the links of the record that goes end" in text
    loser.refresh_from_db()
    assert loser.merged_into is None


def test_with_reason_and_password_it_is_done(office, administrator):
    keeper, loser = make_driver(), make_rich()
    address = ask(keeper, loser)
    answer = office.post(
        address, {"reason": "Registered twice", "password": PASSWORD, "mark": mark_of(office, address)}
    )
    assert (answer.status_code, answer.url) == (302, page(keeper))
    loser.refresh_from_db()
    assert loser.merged_into == keeper
    assert AuditEntry.objects.get(action="person.merged").facts["reason"] == "Registered twice"


@pytest.mark.parametrize(
    "changes", [{"password": "wrong"}, {"password": ""}, {"reason": " "}, {"mark": ""}, {"mark": "x"}]
)
def test_without_reason_password_or_look_nothing_is_done(office, changes):
    keeper, loser = make_driver(), make_driver()
    address = ask(keeper, loser)
    given = {"reason": "Twice", "password": PASSWORD, "mark": mark_of(office, address), **changes}
    assert office.post(address, given).status_code == 422
    loser.refresh_from_db()
    assert loser.merged_into is None


def test_what_changed_meanwhile_is_shown_again_and_can_then_be_done(office):
    keeper, loser = make_driver(), make_driver()
    address = ask(keeper, loser)
    given = {"reason": "Twice", "password": PASSWORD, "mark": mark_of(office, address)}
    make_ownership(loser)
    answer = office.post(address, given)
    assert answer.status_code == 422
    text = answer.content.decode()
    assert "Something has changed since you looked" in text
    again = re.search(r'name="mark" value="(\w+)"', text)
    assert again
    assert office.post(address, {**given, "mark": again[1]}).status_code == 302


def test_an_obstacle_is_shown_and_leaves_no_button(office):
    keeper, loser = make_driver(), make_driver()
    offer_demo_bank()
    go_to_bank(order_permit(reserve(make_sale(), loser)))
    text = read(office, ask(keeper, loser))
    assert "is paying order" in text
    assert "Your own password" not in text


def test_the_list_merges_exactly_two(office):
    used, empty, third = make_driver(), make_user(email=None, password=None, is_proved=False), make_user()
    choose = lambda *people: office.post(  # noqa: E731
        LIST, {"action": "merge_two", "_selected_action": [person.pk for person in people]}, follow=True
    )
    assert "Select exactly two records" in choose(used).content.decode()
    assert "Select exactly two records" in choose(used, empty, third).content.decode()
    answer = office.post(LIST, {"action": "merge_two", "_selected_action": [empty.pk, used.pk]})
    assert answer.url == ask(used, empty)
    assert f'href="{ask(empty, used)}"' in read(office, answer.url)


def test_only_who_has_the_right_may(client_of, clerk, officer, resident):
    keeper, loser = make_driver(), make_driver()
    address = ask(keeper, loser)
    for person, expected in ((clerk, 403), (officer, 403), (resident, 302)):
        client = client_of(person)
        assert client.get(address).status_code == expected
        given = {"reason": "Twice", "password": PASSWORD, "mark": "x"}
        assert client.post(address, given).status_code == expected
    assert "Merge with another record" not in read(client_of(clerk), page(keeper))
    clerk.user_permissions.add(Permission.objects.get(codename="merge_user"))
    assert "Merge with another record" in read(client_of(User.objects.get(pk=clerk.pk)), page(keeper))


def test_a_merged_record_says_so_and_is_only_looked_at(office, administrator):
    keeper, loser = make_driver(first_name="Maya", last_name="Chen"), make_driver(first_name="May", last_name="Chen")
    merge(keeper, loser, administrator)
    text = read(office, page(loser))
    assert "This record was merged into" in text
    assert f'<a href="{page(keeper)}">Maya Chen</a>' in text
    assert 'name="_save"' not in text
    assert office.post(page(loser), {"first_name": "X"}).status_code == 403
    assert "May Chen (merged)" in read(office, LIST)
    assert "May Chen (merged)" in read(office, "/admin/core/auditentry/")


def test_the_list_costs_the_same_with_more_merged_records(office, administrator):
    keeper, counts = make_user(), []
    for rows in (1, 3):
        while User.objects.filter(merged_into=keeper).count() < rows:
            merge(keeper, make_user(email=None, is_proved=False), administrator)
        office.get(LIST)
        with CaptureQueriesContext(connection) as queries:
            office.get(LIST)
        counts.append(len(queries))
    assert counts[0] == counts[1]


@pytest.mark.parametrize("rows", [1, 3])
def test_the_look_costs_the_same(rows, django_assert_num_queries):
    keeper, loser = make_driver(), make_driver()
    for _number in range(rows):
        make_ownership(keeper, plate=f"CKM {_number}")
        make_ownership(loser, plate=f"CKM {_number}")
        buy(loser)
    with django_assert_num_queries(47):
        plan_merge(keeper=keeper, loser=loser)
