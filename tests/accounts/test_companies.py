"""Companies, their managers and their people: the office's pages and the page `Company Manager`."""

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse

from accounts.acting.selectors import acts_for, forget_managers, is_manager
from accounts.models import Company, User
from opscom.core.models import AuditEntry
from tests.accounts.helpers import NO_LETTERS, mails
from tests.factories.accounts import make_user
from tests.factories.companies import give_company, log_in_as, make_company, who

pytestmark = pytest.mark.django_db
NONE = {"managers-TOTAL_FORMS": 0, "managers-INITIAL_FORMS": 0}


@pytest.fixture
def company(manager) -> Company:
    return manager.managed_companies.get().company


def page_of(company):
    return reverse("admin:accounts_company_change", args=[company.pk])


def entered(company, *grants, **changes):
    """What the company's page posts; `grants`: (row or None, person, is_deleted)."""
    fields = {"name": company.name, "account_number": company.account_number or "", "is_active": "on"}
    rows = {"managers-TOTAL_FORMS": len(grants), "managers-INITIAL_FORMS": sum(1 for row, _p, _d in grants if row)}
    for number, (row, person, is_deleted) in enumerate(grants):
        rows |= {f"managers-{number}-id": row.pk if row else "", f"managers-{number}-company": company.pk}
        rows |= {f"managers-{number}-person": person.pk}
        if is_deleted:
            rows[f"managers-{number}-DELETE"] = "on"
    return {**fields, **rows, **changes}


# The office


def test_clerk_enters_a_company_with_account_number_contact_and_invoice_address(client_of, clerk):
    fields = {"name": "Harbour Ltd", "account_number": "A-77", "contact_name": "Ida Quay", "is_active": "on"}
    fields |= {"contact_email": "ida@harbour.example", "contact_phone": "+16135550142", "city": "Kingsport"}
    response = client_of(clerk).post("/admin/accounts/company/add/", {**fields, **NONE})
    assert response.status_code == 302, response.context["adminform"].form.errors
    company = Company.objects.get()
    assert (company.account_number, company.contact_name, company.city) == ("A-77", "Ida Quay", "Kingsport")
    assert AuditEntry.objects.get(action="company.added").actor == clerk


def test_two_companies_without_account_number(client_of, clerk):
    client = client_of(clerk)
    for name in ("One", "Two"):
        assert client.post("/admin/accounts/company/add/", {"name": name, **NONE}).status_code == 302
    assert Company.objects.filter(account_number=None).count() == 2


def test_clerk_puts_a_person_into_a_company(client_of, clerk, resident):
    company = make_company()
    fields = {"first_name": "Maya", "last_name": "Chen", "email": resident.email, "language": "en", "is_active": "on"}
    client = client_of(clerk)
    address = reverse("admin:accounts_user_change", args=[resident.pk])
    response = client.post(address, {**fields, **NO_LETTERS, "company": company.pk})
    assert response.status_code == 302, response.context["adminform"].form.errors
    resident.refresh_from_db()
    assert resident.company == company
    assert AuditEntry.objects.get(action="person.changed").facts["fields"] == ["company"]


def test_clerk_makes_nobody_a_manager(client_of, clerk, company, other_resident):
    client_of(clerk).post(page_of(company), entered(company, (None, other_resident, False)))
    assert not other_resident.managed_companies.exists()


def test_administrator_gives_and_takes_a_company_and_it_is_recorded(client_of, administrator, company, other_resident):
    client = client_of(administrator)
    grant = company.managers.get()
    assert not is_manager(other_resident)
    rows = [(grant, grant.person, False), (None, other_resident, False)]
    assert client.post(page_of(company), entered(company, *rows)).status_code == 302
    new = other_resident.managed_companies.get()
    rows = [(grant, grant.person, False), (new, other_resident, True)]
    assert client.post(page_of(company), entered(company, *rows)).status_code == 302
    assert not other_resident.managed_companies.exists()
    given, taken = AuditEntry.objects.filter(action__startswith="company.manager_").order_by("pk")
    assert (given.action, taken.action) == ("company.manager_added", "company.manager_removed")
    assert given.actor == taken.actor == administrator
    assert given.facts == taken.facts == {"person": "Luc Tremblay", "code": other_resident.code}
    personal = AuditEntry.objects.filter(object_id=other_resident.pk, object_kind="accounts.user").order_by("pk")
    assert [one.action for one in personal] == ["person.made_manager", "person.no_longer_manager"]


def test_a_company_of_ones_own_group_right_suffices_to_make_managers(client_of, clerk, company, other_resident):
    clerk.user_permissions.set(Permission.objects.filter(codename="add_companymanager"))
    grant = company.managers.get()
    rows = [(grant, grant.person, False), (None, other_resident, False)]
    client_of(User.objects.get(pk=clerk.pk)).post(page_of(company), entered(company, *rows))
    assert other_resident.managed_companies.exists()


def test_locked_person_is_made_no_manager(client_of, administrator, company):
    locked = make_user(is_active=False)
    response = client_of(administrator).post(page_of(company), entered(company, (None, locked, False)))
    assert response.status_code == 200
    assert not locked.managed_companies.exists()


def test_companies_are_switched_off_not_deleted(client_of, administrator, company):
    path = reverse("admin:accounts_company_delete", args=[company.pk])
    assert client_of(administrator).post(path, {"post": "yes"}).status_code == 403


def test_list_of_companies_costs_the_same_with_three(client_of, administrator, company, django_assert_max_num_queries):
    client, counts = client_of(administrator), []
    for _turn in range(2):
        client.get("/admin/accounts/company/")
        with django_assert_max_num_queries(40) as asked:
            client.get("/admin/accounts/company/")
        counts.append(len(asked))
        for _number in range(2):
            give_company(make_company(make_user(), make_user()))
    assert counts[0] == counts[1]


# The office's "log in as"


def door(person):
    return reverse("admin:accounts_user_log_in_as", args=[person.pk])


def test_office_logs_in_as_a_person_with_a_reason_and_comes_back(client_of, administrator, resident):
    client = client_of(administrator)
    page = client.get(reverse("admin:accounts_user_change", args=[resident.pk])).content.decode()
    assert "Log in as this person" in page
    assert client.get(door(resident)).status_code == 200
    assert who(client) == (administrator.email, "")
    response = client.post(door(resident), {"reason": "Asked for help on the phone"})
    assert response["Location"] == reverse("accounts:acting")
    assert who(client) == (resident.email, administrator.email)
    assert client.get("/admin/").status_code in (302, 403, 404)
    response = client.post(reverse("accounts:stop_acting"))
    assert response["Location"] == reverse("admin:accounts_user_change", args=[resident.pk])
    assert client.get(response["Location"]).status_code == 200
    began = AuditEntry.objects.get(action="acting.began")
    assert (began.actor, began.on_behalf_of) == (administrator, resident)
    assert began.facts["reason"] == "Asked for help on the phone"
    assert [one.action for one in acts_for(resident)] == ["acting.ended", "acting.began"]
    assert mails("acting_began")[0].context["company"] == ""


def test_office_gives_a_reason(client_of, administrator, resident):
    client = client_of(administrator)
    assert client.post(door(resident), {"reason": " "}).status_code == 422
    assert who(client) == (administrator.email, "")


def test_office_without_the_right_has_no_such_door(client_of, clerk, officer, manager, resident):
    for person, status in ((clerk, 403), (officer, 403), (manager, 302)):
        client = client_of(person)
        assert client.post(door(resident), {"reason": "curious"}).status_code == status
        assert who(client) == (person.email, "")


def test_office_enters_no_account_of_the_office(client_of, administrator, clerk, officer):
    boss = make_user(is_superuser=True, is_staff=True)
    for person in (clerk, officer, boss, administrator):
        client = client_of(administrator)
        assert client.post(door(person), {"reason": "x"}).status_code == 403
        assert who(client) == (administrator.email, "")


def test_office_enters_no_account_in_which_nobody_may_sign_in(client_of, administrator):
    merged = make_user(email=None, is_proved=False, is_active=False, merged_into=make_user())
    for person in (make_user(is_active=False), merged):
        client = client_of(administrator)
        assert client.post(door(person), {"reason": "x"}).status_code == 403
        assert who(client) == (administrator.email, "")


def test_office_may_help_a_manager_who_then_cannot_act_further(client_of, administrator, manager, resident):
    client = client_of(administrator)
    client.post(door(manager), {"reason": "help"})
    assert who(client) == (manager.email, administrator.email)
    assert log_in_as(client, resident).status_code == 403
    assert who(client) == (manager.email, administrator.email)


def test_right_of_the_office_that_is_gone_ends_it(client_of, administrator, resident):
    client = client_of(administrator)
    client.post(door(resident), {"reason": "help"})
    administrator.groups.clear()
    assert client.get("/profile")["Location"] == reverse("accounts:acting_over")
    assert who(client) == (administrator.email, "")


# The page `Company Manager`


def test_tab_is_there_for_managers_of_active_companies_only(client_of, manager, resident, company):
    assert ">Company Manager<" in client_of(manager).get("/").content.decode().replace("</svg>", ">")
    assert "Company Manager" not in client_of(resident).get("/").content.decode()
    Company.objects.update(is_active=False)
    forget_managers()
    assert "Company Manager" not in client_of(manager).get("/").content.decode()
    assert client_of(manager).get(reverse("accounts:company")).status_code == 404


def test_page_lists_the_living_people_of_all_ones_companies(client_of, manager, resident, company, other_resident):
    second = make_company(make_user(first_name="Zoe", last_name="Second"), name="Second Ltd")
    give_company(second, manager)
    gone = make_user(first_name="Gone", last_name="Away", is_active=False, company=company)
    colleague = give_company(company, first_name="Other", last_name="Boss")
    colleague.company = company
    colleague.save()
    page = client_of(manager).get(reverse("accounts:company"))
    listed = list(page.context["page"])
    assert [str(one) for one in listed] == ["Other Boss", "Maya Chen", "Zoe Second"]
    assert [one.is_open for one in listed] == [False, True, True]
    text = page.content.decode()
    assert "Second Ltd" in text
    assert "Log in as Maya Chen" in text
    assert "Log in as Other Boss" not in text
    assert gone.code not in text + other_resident.code
    assert '<span class="me-3"></span>' not in text


@pytest.mark.parametrize(
    ("words", "found"),
    [("chen", 1), ("may CHE", 1), ("maya.chen@", 1), ("E-204", 1), ("nobody", 0), ("%", 0), ("a\0b", 0), ("", 2)],
)
def test_search(client_of, manager, resident, company, words, found):
    make_user(first_name="Ida", last_name="Quay", employee_number="E-2041", company=company)
    page = client_of(manager).get(reverse("accounts:company"), {"q": words})
    assert len(page.context["page"]) == found


def test_list_is_paged_and_costs_the_same_for_any_length(client_of, manager, company, django_assert_max_num_queries):
    client = client_of(manager)
    counts = []
    for _turn in range(2):
        client.get(reverse("accounts:company"))
        with django_assert_max_num_queries(40) as asked:
            client.get(reverse("accounts:company"))
        counts.append(len(asked))
        for _number in range(2):
            make_user(company=company)
    assert counts[0] == counts[1]
    for _number in range(20):
        make_user(company=company)
    assert len(client.get(reverse("accounts:company")).context["page"]) == 20
    assert len(client.get(reverse("accounts:company"), {"page": 2}).context["page"]) == 5
