"""From when until when a permit of a sale is valid. Pure: dates in, dates out."""

import calendar
import datetime as dt

from permits.models import Sale, TermKind


def add_months(day: dt.date, months: int) -> dt.date:
    """Return the same day so many months later, or the month's last day when it has no such day (Jan 31 + 1: Feb 28)."""
    month0 = day.month - 1 + months
    year, month = day.year + month0 // 12, month0 % 12 + 1
    return dt.date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


def permit_dates(sale: Sale, today: dt.date) -> tuple[dt.date, dt.date]:
    """Return the half-open dates [first day, day after the last) of a permit bought today.

    A permit never begins before today, nor before the sale's first valid day; fixed terms end with the sale, calendar
    months with the last day of a month, rolling months on the day before the same day of a later month.
    """
    start = max(today, sale.valid_from or today)
    kind, months = sale.permit_type.term_kind, sale.permit_type.months
    if kind == TermKind.FIXED:
        if sale.valid_until is None:
            raise ValueError(f"Sale {sale.code} sells fixed terms and has no last day.")
        return start, sale.valid_until
    end = add_months(start.replace(day=1) if kind == TermKind.CALENDAR_MONTHS else start, months)
    return start, min(end, sale.valid_until or end)
