"""Where a plate comes from: 'CA-ON' for a province, 'US-NY' for a state, 'FR' for any other country."""

import unicodedata

from django.utils.translation import gettext as _
from django_countries import countries
from localflavor.ca.ca_provinces import PROVINCE_CHOICES
from localflavor.us.us_states import STATE_CHOICES

Choices = list[tuple[str, str]]


def _by_name(choices: Choices) -> Choices:
    """Sort by name as people read it: 'Écosse' stands at E."""

    def without_accents(choice: tuple[str, str]) -> str:
        return unicodedata.normalize("NFKD", choice[1]).encode("ascii", "ignore").decode().casefold()

    return sorted(choices, key=without_accents)


def region_choices() -> list[tuple[str, Choices]]:
    """Return the groups of a picklist in the active language: provinces, then states, then the other countries."""
    return [
        (_("Canada"), _by_name([(f"CA-{code}", str(name)) for code, name in PROVINCE_CHOICES])),
        (_("United States"), _by_name([(f"US-{code}", str(name)) for code, name in STATE_CHOICES])),
        (_("Other countries"), _by_name([(code, str(name)) for code, name in countries if code not in {"CA", "US"}])),
    ]


def region_codes() -> frozenset[str]:
    """Return every region that a plate may have."""
    provinces = {f"CA-{code}" for code, _name in PROVINCE_CHOICES}
    states = {f"US-{code}" for code, _name in STATE_CHOICES}
    return frozenset(provinces | states | (set(countries.countries) - {"CA", "US"}))


def region_name(region: str) -> str:
    """Return the region's name in the active language; the code itself when it is unknown."""
    country, _dash, part = region.partition("-")
    parts = {"CA": PROVINCE_CHOICES, "US": STATE_CHOICES}.get(country, ()) if part else ()
    return str(dict(parts).get(part) or (not part and countries.name(country)) or region)
