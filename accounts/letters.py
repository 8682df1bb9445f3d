"""Addresses on paper, line by line."""

from django_countries import countries
from localflavor.ca.ca_provinces import PROVINCE_CHOICES
from localflavor.us.us_states import STATE_CHOICES

from accounts.models import MailingAddress, User

REGIONS = {"CA": dict(PROVINCE_CHOICES), "US": dict(STATE_CHOICES)}


def home_lines(person: User) -> list[str]:
    """Return the home address as it stands on an envelope, without the name; empty when there is none."""
    return _lines(person) if person.street or person.city or person.postal_code else []


def mailing_lines(person: User) -> list[str]:
    """Return where letters go when not home; empty: they go home."""
    own = MailingAddress.objects.filter(person=person).first()
    return _lines(own) if own else []


def letter_lines(person: User) -> list[str]:
    """Return where letters go to this person; empty when nothing is known."""
    return mailing_lines(person) or home_lines(person)


def _lines(address: User | MailingAddress) -> list[str]:
    street = ", ".join(filter(None, [address.street, address.unit]))
    region = str(REGIONS.get(address.country, {}).get(address.region, address.region))
    town = " ".join(filter(None, [", ".join(filter(None, [address.city, region])), address.postal_code]))
    country = str(countries.name(address.country) or address.country)
    return [line for line in (street, town, country) if line]
