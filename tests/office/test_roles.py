"""Which lists each role of the office opens, and which the sidebar offers: the same."""

import pytest
from django.contrib import admin

from accounts.roles import ADMINISTRATOR, APPEALS_OFFICER, AUDITOR, CASHIER, CLERK, ENFORCEMENT_OFFICER
from tests.factories.accounts import make_user

pytestmark = pytest.mark.django_db

ROLES = (ENFORCEMENT_OFFICER, APPEALS_OFFICER, CASHIER, CLERK, AUDITOR, ADMINISTRATOR)
# fmt: off
OPENS = {
    #                               enf app cas cle aud adm
    "accounts.accountdocument":    "no  no  no  yes yes yes",
    "accounts.accounthold":        "no  no  no  yes yes yes",
    "accounts.company":            "no  no  no  yes yes yes",
    "accounts.mailing":            "no  no  no  no  yes yes",
    "accounts.documentrequest":    "no  no  no  yes yes yes",
    "accounts.identityprovider":   "no  no  no  no  yes yes",
    "accounts.profilefield":       "no  no  no  no  yes yes",
    "accounts.user":               "no  yes yes yes yes yes",
    "accounts.usertype":           "no  no  no  yes yes yes",
    "auth.group":                  "no  no  no  no  yes yes",
    "boots.boot":                  "yes no  no  yes yes yes",
    "boots.booting":               "yes no  yes yes yes yes",
    "boots.bootpolicy":            "no  no  no  no  yes yes",
    "boots.bootpicture":           "no  no  no  no  yes yes",
    "boots.dropoffplace":          "no  no  no  yes yes yes",
    "lockers.area":                "no  no  no  yes yes yes",
    "lockers.building":            "no  no  no  yes yes yes",
    "lockers.locker":              "no  no  no  yes yes yes",
    "lockers.lockersale":          "no  no  no  yes yes yes",
    "lockers.rental":              "no  no  no  yes yes yes",
    "core.auditentry":             "no  no  yes yes yes yes",
    "messaging.message":           "no  no  no  yes yes yes",
    "messaging.emailcategory":     "no  no  no  no  yes yes",
    "messaging.messagetemplate":   "no  no  no  no  yes yes",
    "payments.accountcode":        "no  no  yes no  yes yes",
    "payments.adjustment":         "no  no  yes yes yes yes",
    "payments.billingaccount":     "no  no  yes yes yes yes",
    "payments.booksproof":         "no  no  yes no  yes yes",
    "payments.collectionperiod":   "no  no  yes no  yes yes",
    "payments.deduction":          "no  no  yes no  yes yes",
    "payments.debt":               "no  no  yes yes yes yes",
    "payments.deposit":            "no  no  yes yes yes yes",
    "payments.dispute":            "no  no  yes no  yes yes",
    "payments.gatewayevent":       "no  no  yes no  yes yes",
    "payments.order":              "no  yes yes yes yes yes",
    "payments.orderline":          "no  yes yes yes yes yes",
    "payments.payment":            "no  no  yes yes yes yes",
    "payments.paymentmethod":      "no  no  yes no  yes yes",
    "payments.promise":            "no  no  yes yes yes yes",
    "payments.refund":             "no  no  yes yes yes yes",
    "payments.statement":          "no  no  yes yes yes yes",
    "payments.storedmethod":       "no  no  yes yes yes yes",
    "payments.taxexemption":       "no  no  yes yes yes yes",
    "payments.taxrate":            "no  no  yes no  yes yes",
    "permits.permit":              "yes yes yes yes yes yes",
    "permits.permittype":          "no  no  no  yes yes yes",
    "permits.rollrun":             "no  no  no  yes yes yes",
    "permits.closure":             "no  no  no  yes yes yes",
    "permits.sale":                "no  no  no  yes yes yes",
    "permits.waitlist":            "no  no  no  yes yes yes",
    "permits.waitlistentry":       "no  no  no  yes yes yes",
    "payments.ratetable":          "no  no  no  yes yes yes",
    "permits.slot":                "no  no  no  yes yes yes",
    "provider.disclaimer":         "no  no  no  no  yes yes",
    "provider.holiday":            "no  no  no  yes yes yes",
    "provider.lot":                "yes yes no  yes yes yes",
    "provider.provider":           "no  no  no  no  yes yes",
    "provider.term":               "no  no  no  yes yes yes",
    "vehicles.ownership":          "no  yes no  yes yes yes",
    "vehicles.platetype":          "yes no  no  yes yes yes",
    "vehicles.vehicle":            "yes yes no  yes yes yes",
    "violations.appeal":            "no  yes no  yes yes yes",
    "violations.association":       "no  yes no  yes yes yes",
    "violations.collectionexport":  "no  no  yes no  yes yes",
    "violations.notice":            "no  no  no  yes yes yes",
    "violations.offence":           "yes yes no  yes yes yes",
    "violations.offencecategory":   "yes yes no  yes yes yes",
    "violations.textblock":         "no  yes no  yes yes yes",
    "violations.ticket":            "yes yes yes yes yes yes",
}
# fmt: on


def opens(role: str) -> set[str]:
    return {model for model, answers in OPENS.items() if answers.split()[ROLES.index(role)] == "yes"}


def test_every_list_stands_in_the_table():
    assert {model._meta.label_lower for model in admin.site._registry} == set(OPENS)


@pytest.mark.parametrize("role", ROLES)
def test_role_opens_its_lists_and_the_sidebar_offers_just_those(client_of, role):
    client = client_of(make_user(role=role))
    found = {}
    for model in OPENS:
        found[model] = client.get(f"/admin/{model.replace('.', '/')}/", follow=True).status_code
    assert {model for model, status in found.items() if status == 200} == opens(role)
    assert set(found.values()) <= {200, 403}
    sidebar = client.get("/admin/").content.decode().split("nav-sidebar-apps")[1].split("office-today")[0]
    offered = {model for model in OPENS if f'href="/admin/{model.replace(".", "/")}/"' in sidebar}
    assert offered == opens(role)


def test_auditor_changes_nothing(client_of):
    """An auditor's rights are all of the kind that looks."""
    auditor = make_user(role=AUDITOR)
    assert {right.partition(".")[2].partition("_")[0] for right in auditor.get_all_permissions()} == {"view"}


def test_sidebar_is_grouped_as_the_office_thinks(client_of, administrator):
    text = client_of(administrator).get("/admin/").content.decode()
    places = [text.index(f"{name}\n") for name in ("People", "Lots and permits", "Money", "Messages", "Settings")]
    assert places == sorted(places)
