"""Which taxes somebody pays on a day."""

import datetime as dt
from collections.abc import Iterable
from typing import Any

from payments.models import TaxExemption, TaxRate


def rates_for(person: Any, rates: Iterable[TaxRate], on: dt.date) -> tuple[list[TaxRate], str]:
    """Return the rates that the person pays on that day, and the exemption number behind those that they do not.

    Two queries, whatever the number of rates; an exemption that names no tax is from all.
    """
    rates = list(rates)
    exemptions = TaxExemption.objects.filter(person=person).valid_on(on).prefetch_related("taxes").order_by("pk")
    number = ""
    for exemption in exemptions:
        named = {rate.pk for rate in exemption.taxes.all()}
        paid = [rate for rate in rates if named and rate.pk not in named]
        if len(paid) < len(rates):
            rates, number = paid, number or exemption.number
    return rates, number
