"""Companies, their people and managers for tests."""

from itertools import count
from typing import Any

from django.test import Client
from django.urls import reverse

from accounts.acting.selectors import forget_managers
from accounts.models import Company, CompanyManager, User
from tests.factories.accounts import make_user

_numbers = count(1)


def make_company(*people: User, **fields: Any) -> Company:
    """Return an active company to which these people belong."""
    number = next(_numbers)
    company = Company.objects.create(**{"name": f"Company {number}", "account_number": f"C-{number}", **fields})
    for person in people:
        person.company = company
        person.save(update_fields=["company"])
    return company


def give_company(company: Company, person: User | None = None, **fields: Any) -> User:
    """Make this person, or a new one, manage the company."""
    person = person or make_user(**fields)
    CompanyManager.objects.create(company=company, person=person)
    forget_managers()
    return person


def log_in_as(client: Client, person: User) -> Any:
    """Press the login icon of this person, and return the answer."""
    return client.post(reverse("accounts:act_for", args=[person.code]))


def who(client: Client) -> tuple[str, str]:
    """Return in whose account this browser is, and who acts there; empty where nobody is."""
    response = client.get(reverse("home:home"))
    if response.status_code != 200:
        return "", ""
    request = response.wsgi_request
    return request.user.email or "", getattr(request.acting_person, "email", "")
