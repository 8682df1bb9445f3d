"""The two files of collections: what the agency gets, and what came of it."""

import tablib

from payments.collection_files import ResultLine, read_file
from payments.journal import plain
from violations.models import CollectionExport, Ticket

# Columns that agencies' programs read: in English in every language of ours.
HEADERS = ["reference", "amount", "name", "student_number", "employee_number", "email", "phone"]
HEADERS += ["street", "unit", "city", "region", "postal_code", "country", "plate", "plate_region"]
HEADERS += ["offence", "by_law", "issued_on"]

__all__ = ["HEADERS", "ResultLine", "read_file", "write_file"]


def write_file(export: CollectionExport) -> str:
    """Return the CSV of the export, the same each time, in which no cell is a formula. Sums are those of its day."""
    sums = {row["ticket"]: row["amount"] for row in export.rows}
    table = tablib.Dataset(headers=HEADERS)
    tickets = Ticket.objects.filter(number__in=sums).select_related("person", "offence").order_by("pk")
    for ticket in tickets.iterator(chunk_size=500):
        table.append([plain(str(cell)) for cell in _cells(ticket, sums[ticket.number])])
    content: str = table.export("csv")
    return content


def _cells(ticket: Ticket, amount: str) -> list[object]:
    person = ticket.person
    names = ["student_number", "employee_number", "contact_email", "mobile_phone", "street", "unit", "city", "region"]
    names += ["postal_code", "country"]
    about = [getattr(person, name) or "" for name in names] if person else [""] * len(names)
    what = [ticket.plate or ticket.vin, ticket.region, ticket.offence.code, ticket.offence.by_law]
    return [ticket.number, amount, person or "", *about, *what, ticket.issued_at.date().isoformat()]
