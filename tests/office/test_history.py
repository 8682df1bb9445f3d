"""Each record's page ends with what happened to it and what changed in it; the log shows all deeds."""

import re

import pytest
from django.contrib import admin

from accounts.mfa import services
from office.admin import KindFilter
from office.deeds import DEEDS
from office.history import read_history
from opscom.core import audit
from opscom.core.admin import SettingAdmin
from opscom.core.models import AuditEntry
from payments.models import CardSaveStatus, PaymentStatus
from permits.models import Permit
from tests.architecture.sources import python_files
from tests.factories.accounts import make_user, make_user_type
from tests.factories.permits import make_sale, reserve
from tests.office.money import pay_for_permit

pytestmark = pytest.mark.django_db


def test_a_permit_s_page_tells_its_history(page_of, clerk):
    pay_for_permit()
    permit = Permit.objects.get()
    text = page_of(clerk, f"/admin/permits/permit/{permit.pk}/change/").split("record-history", 1)[1]
    assert "Permit reserved" in text
    assert "Permit activated" in text
    assert "<del>Reserved</del>" in text
    assert "<ins>Active</ins>" in text
    assert str(permit.holder) in text


def test_changes_name_field_old_and_new(clerk):
    first, second = make_user_type("first"), make_user_type("second")
    person = make_user(first_name="Ann", user_type=first)
    person.first_name, person.user_type, person.is_active = "Anna", second, False
    person.save()
    change = next(row for row in read_history(person) if row.changes)
    assert {one.name: (one.before, one.after) for one in change.changes} == {
        "first name": ("Ann", "Anna"),
        "user type": ("First", "Second"),
        "may sign in": ("yes", "no"),
    }


def test_deeds_name_who_and_for_whom(clerk, resident):
    audit.record("person.changed", resident, actor=clerk, on_behalf_of=resident, fields=["email"], empty="")
    row = next(row for row in read_history(resident) if row.deed)
    assert (row.deed, row.who, row.on_behalf_of) == ("Person changed", str(clerk), str(resident))
    assert row.facts == [("fields", "e-mail")]


def test_facts_are_words(clerk, resident):
    fields = ["region", "groups", "mailing_address", "own_7"]
    audit.record("person.changed", resident, actor=clerk, fields=fields, moved={"Vehicles": 2}, reason="Moved", kept=0)
    facts = next(row for row in read_history(resident) if row.deed).facts
    assert dict(facts) == {
        "fields": "province or state, groups, mailing_address, own_7",
        "moved": "Vehicles 2",
        "reason": "Moved",
        "kept": "0",
    }


def test_the_log_shows_facts_as_words(page_of, clerk, resident):
    audit.record("person.changed", resident, actor=clerk, fields=["region", "country"])
    assert "fields: province or state, country" in page_of(clerk, "/admin/core/auditentry/")


def test_a_person_s_history_tells_no_inner_counters(resident):
    services.enable_email(person=resident, keep="")
    changes = [one.name for row in read_history(resident) for one in row.changes]
    assert "multi-factor authentication" in changes
    assert "mfa epoch" not in changes


@pytest.mark.parametrize("rows", [1, 3])
def test_history_costs_the_same_for_one_and_three_rows(clerk, resident, django_assert_num_queries, rows):
    for number in range(rows):
        resident.first_name = f"Name {number}"
        resident.save()
        audit.record("person.changed", resident, actor=clerk)
    with django_assert_num_queries(2):
        assert len(read_history(resident)) == 2 * rows


def test_a_record_without_history_says_so(page_of, clerk):
    sale = make_sale(numbers=0)
    assert "Nothing has been recorded of this yet." in page_of(clerk, f"/admin/permits/sale/{sale.pk}/change/")


def test_the_log_is_searched_and_filtered(page_of, clerk):
    reserve(make_sale())
    permit = Permit.objects.get()
    assert "Permit reserved" in page_of(clerk, "/admin/core/auditentry/", about="permit")
    assert "Permit reserved" not in page_of(clerk, "/admin/core/auditentry/", about="sale")
    found = page_of(clerk, "/admin/core/auditentry/", q=permit.number)
    assert f"/admin/permits/permit/{permit.pk}/change/" in found


def test_the_log_cannot_be_changed(client_of, administrator):
    entry = audit.record("person.changed", administrator, actor=administrator)
    administrator.is_superuser = True
    administrator.save()
    client = client_of(administrator)
    path = f"/admin/core/auditentry/{entry.pk}"
    assert client.get(f"{path}/change/").status_code == 200
    assert client.post(f"{path}/change/", {"action": "person.gone"}).status_code == 403
    assert client.post(f"{path}/delete/", {"post": "yes"}).status_code == 403
    assert AuditEntry.objects.get(pk=entry.pk).action == "person.changed"


def test_every_deed_has_its_words_and_its_filter_and_all_words_a_deed():
    """What is recorded by name, what plain settings record by their kind, and what `payment.{state}` and the like can be."""
    texts = [path.read_text() for path in python_files() if path.name != "deeds.py"]
    recorded = {action for text in texts for action in re.findall(r"record\(\s*\"([a-z_]+\.[a-z_]+)\"", text)}
    assert len(recorded) > 30
    kinds = [model._meta.model_name for model, page in admin.site._registry.items() if isinstance(page, SettingAdmin)]
    settings = {f"{kind}.{deed}" for kind in kinds for deed in ("added", "changed", "deleted")}
    assert (recorded | {f"{kind}.changed" for kind in kinds}) - set(DEEDS) == set()
    named = {action for text in texts for action in re.findall(r"\"([a-z_]+\.[a-z_]+)\"", text)}
    states = {f"payment.{state}" for state in PaymentStatus} | {f"cardsave.{state}" for state in CardSaveStatus}
    states |= {"deduction.taken", "deduction.refused"}
    assert set(DEEDS) - named - settings - states == set()
    assert {action.partition(".")[0] for action in recorded} - set(KindFilter.PREFIXES) == set()
