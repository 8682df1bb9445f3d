"""The two files of a period: what is to be deducted, as the payroll office or the bank gets it, and what came of it."""

import csv
import io
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

import tablib
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from opscom.provider.selectors import local_date
from payments.journal import plain
from payments.models import CollectionPeriod, DeductionStatus

MOST_BYTES = 2 * 1024 * 1024
MOST_LINES = 20_000
# The columns that payroll offices and banks exchange are in English in every language of ours: programs read them.
HEADERS = ["reference", "account_number", "name", "employee_number", "amount", "currency", "asked_on", "what"]
RESULTS = {
    "taken": DeductionStatus.TAKEN,
    "ok": DeductionStatus.TAKEN,
    "paid": DeductionStatus.TAKEN,
    "refused": DeductionStatus.REFUSED,
    "rejected": DeductionStatus.REFUSED,
    "returned": DeductionStatus.REFUSED,
}


def write_file(period: CollectionPeriod) -> str:
    """Return the CSV of all that the period's file takes, in which no cell is a formula; the same each time."""
    table = tablib.Dataset(headers=HEADERS)
    rows = period.deductions.select_related("payment__order", "stored_method__person").order_by("pk")
    for deduction in rows.prefetch_related("payment__order__lines").iterator(chunk_size=500):
        payment, stored = deduction.payment, deduction.stored_method
        person = stored.person
        texts = [payment.reference, stored.account_number, str(person or ""), getattr(person, "employee_number", "")]
        what = "; ".join(line.label for line in payment.order.lines.all())
        table.append(
            [
                *(plain(text or "") for text in texts),
                f"{deduction.amount:.2f}",
                payment.currency,
                local_date(deduction.created_at).isoformat(),
                plain(what),
            ]
        )
    content: str = table.export("csv")
    return content


@dataclass(frozen=True, slots=True)
class ResultLine:
    """One line of a file of results. `number` counts the file's lines from 1, headers included."""

    number: int
    reference: str
    status: DeductionStatus
    word: str
    amount: Decimal | None
    reason: str

    def as_json(self) -> list[Any]:
        amount = None if self.amount is None else str(self.amount)
        return [self.number, self.reference, self.status.value, self.word, amount, self.reason]

    @classmethod
    def from_json(cls, row: list[Any]) -> "ResultLine":
        number, reference, status, word, amount, reason = row
        decimal = None if amount is None else Decimal(amount)
        return cls(number, reference, DeductionStatus(status), word, decimal, reason)


def read_file(content: bytes) -> list[ResultLine]:
    """Return the lines of a CSV with the columns reference and result and, where they are there, amount and reason.

    Commas, semicolons or tabs; UTF-8 with or without a mark. Raises ValidationError that names each line that cannot be
    read, and then nothing of the file counts.
    """
    if len(content) > MOST_BYTES:
        raise ValidationError(_("The file is bigger than 2 MB."))
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValidationError(_("The file is not text in UTF-8. Please save it as “CSV UTF-8”.")) from error
    if "\0" in text:
        raise ValidationError(_("This is not a CSV file."))
    first = text.split("\n", 1)[0]
    separator = max(",;\t", key=first.count)
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator))
    except csv.Error as error:
        raise ValidationError(_("This is not a CSV file.")) from error
    return _read_rows(rows)


def _read_rows(rows: list[list[str]]) -> list[ResultLine]:
    headers = [cell.strip().lower() for cell in rows[0]] if rows else []
    if not {"reference", "result"} <= set(headers):
        raise ValidationError(_("The first line must name the columns; “reference” and “result” must be among them."))
    if len(rows) > MOST_LINES + 1:
        raise ValidationError(
            ngettext("The file has more than %d line.", "The file has more than %d lines.", MOST_LINES) % MOST_LINES
        )
    found, wrong = [], []
    for number, row in enumerate(rows[1:], start=2):
        if not any(cell.strip() for cell in row):
            continue
        cells = {name: cell.strip() for name, cell in zip(headers, row, strict=False)}
        try:
            found.append(_read_line(number, cells))
        except ValueError as error:
            wrong.append(_("Line %(number)d: %(words)s") % {"number": number, "words": error})
    if wrong:
        raise ValidationError(wrong[:20])
    if not found:
        raise ValidationError(_("The file has no results."))
    return found


def _read_line(number: int, cells: dict[str, str]) -> ResultLine:
    word = cells.get("result", "")
    status = RESULTS.get(word.lower())
    if status is None:
        raise ValueError(_("the result “%(word)s” is neither taken nor refused.") % {"word": word[:40]})
    # What we wrote with an apostrophe, so that no spreadsheet runs it, may come back with it.
    reference = cells.get("reference", "").removeprefix("'").upper()
    amount = cells.get("amount", "").replace(" ", "").replace("\u00a0", "").replace(",", ".")
    try:
        decimal = Decimal(amount) if amount else None
    except InvalidOperation as error:
        raise ValueError(_("“%(amount)s” is not an amount.") % {"amount": amount[:40]}) from error
    if decimal is not None and not decimal.is_finite():
        raise ValueError(_("“%(amount)s” is not an amount.") % {"amount": amount[:40]})
    return ResultLine(number, reference[:40], status, word[:40], decimal, cells.get("reason", "")[:200])
