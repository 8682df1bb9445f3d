"""Fill an empty database with a believable university, and print the logins. A second run only prints them."""

from typing import Any

from django.core.management.base import BaseCommand

from accounts.models import User
from demo.data.billing import make_company_account, make_payroll, set_up_wages
from demo.data.boots import make_boots
from demo.data.closures import make_closures
from demo.data.companies import make_company
from demo.data.documents import make_documents
from demo.data.lockers import make_lockers
from demo.data.lots import make_lots, make_provider, make_sales
from demo.data.money import make_money, make_payment_methods
from demo.data.people import ADMINISTRATOR, CASHIER, MANAGER, PASSWORD, RESIDENT, make_people, make_user_types
from demo.data.permit_changes import make_permit_changes
from demo.data.permits import make_permits
from demo.data.profile import make_profile
from demo.data.rollover import make_rollover
from demo.data.temporary import make_temporary
from demo.data.tickets import make_tickets
from demo.data.waitlists import make_waitlists


class Command(BaseCommand):
    help = "Fill an empty database with the demo's university and print its logins."

    def handle(self, *args: Any, **options: Any) -> None:
        """Make everything unless the administrator is there already."""
        if not User.objects.filter(email=ADMINISTRATOR).exists():
            make_provider()
            types = make_user_types()
            make_payment_methods()
            people = make_people(types)
            office = User.objects.get(email=ADMINISTRATOR)
            manager = User.objects.get(email=MANAGER)
            company = make_company(manager, office)
            lots = make_lots()
            sales = make_sales(lots, types, office)
            make_permits(people, sales, office)
            cashier = User.objects.get(email=CASHIER)
            make_money(people, office, cashier)
            make_company_account(company, manager, office)
            make_payroll([people[14], people[16]], office, cashier)
            set_up_wages(User.objects.get(email=RESIDENT), office)
            make_documents(office)
            make_profile()
            make_tickets(people, lots)
            make_boots(people, lots)
            make_permit_changes(people, office)
            make_rollover(people, office)
            make_temporary(people, lots)
            make_closures(office, lots)
            make_waitlists(people, sales["library-year"], office)
            make_lockers(people, office)
        width = max(map(len, (RESIDENT, MANAGER, ADMINISTRATOR)))
        for who, email in (("Resident", RESIDENT), ("Company manager", MANAGER), ("Office", ADMINISTRATOR)):
            # Who works in the office needs a second thing at each sign-in.
            hint = "  and the code in the demo inbox, /demo/inbox/" if email == ADMINISTRATOR else ""
            self.stdout.write(f"{who:<16} {email:<{width}}  {PASSWORD}{hint}")
