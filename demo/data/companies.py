"""A building company at work on the campus, whose manager acts for its people."""

from accounts.models import Company, User
from accounts.services.companies import add_manager

# E-mail of the people, beside the manager, who belong to it.
PEOPLE = ("ethan.blackwood@lakeshore.example", "yusuf.demir@lakeshore.example", "nadia.petrova@lakeshore.example")


def make_company(manager: User, office: User) -> Company:
    """Enter the company with its people, and give it to its manager, who is one of them."""
    company = Company.objects.create(
        name="Northbuild Contractors",
        account_number="NB-2041",
        contact_name="Owen Tremblay",
        contact_email=manager.email or "",
        contact_phone="+16135550190",
        street="340 Quarry Road",
        city="Kingsport",
        region="ON",
        postal_code="K7M 8R2",
        country="CA",
    )
    User.objects.filter(email__in=[manager.email, *PEOPLE]).update(company=company)
    add_manager(company=company, person=manager, actor=office)
    return company
