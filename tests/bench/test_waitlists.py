"""A position in a line of a million beside one in a line of a thousand. Prints the ratio of one run."""

import sys
import time
from collections.abc import Callable
from statistics import median

import pytest
from django.db import connection
from django.utils import timezone

from permits.models import BUCKET_SIZE, Sale, Waitlist, WaitlistEntry
from permits.waitlists import standings_if_joining, standings_of
from tests.factories.permits import make_sale

pytestmark = [pytest.mark.bench, pytest.mark.django_db(transaction=True)]
SHORT, LONG, CLASSES, MOST = 1_000, 1_000_000, 3, 3.0
LOOKS, ROUNDS = 60, 5
# No statement may take longer than the server lets it.
AT_ONCE = 100_000


def make_line(length: int, first_person: int) -> tuple[Sale, Waitlist]:
    """Return a list in which so many wait, in several classes, with its counters as the services keep them."""
    sale = make_sale(numbers=0)
    waitlist = Waitlist.objects.create(lot=sale.lot, permit_type=sale.permit_type, next_ticket=length)
    with connection.cursor() as cursor:
        for start in range(0, length, AT_ONCE):
            cursor.execute(
                """
            INSERT INTO permits_waitlistentry (code, waitlist_id, person_id, status, priority, ticket, joined_at, lapses)
            SELECT 'B' || to_char(%(first)s + n, 'FM00000000000'), %(list)s, %(first)s + n, 'waiting',
                   1 + n %% %(classes)s, n, now(), 0
            FROM generate_series(%(start)s, %(end)s - 1) AS n
            """,
                {
                    "first": first_person,
                    "list": waitlist.pk,
                    "classes": CLASSES,
                    "start": start,
                    "end": min(start + AT_ONCE, length),
                },
            )
        cursor.execute(
            """
            INSERT INTO permits_waitlistbucket (waitlist_id, priority, bucket, count)
            SELECT waitlist_id, priority, ticket / %s, count(*) FROM permits_waitlistentry
            WHERE waitlist_id = %s GROUP BY 1, 2, 3
            """,
            [BUCKET_SIZE, waitlist.pk],
        )
    return sale, waitlist


def make_people(count: int) -> int:
    """Write so many people in one statement; returns the first one's number."""
    first = 10_000_000
    with connection.cursor() as cursor:
        # One row as the model makes it, then its copies: the bench knows nothing of the columns of a person.
        from tests.factories.accounts import make_user

        person = make_user(email=None, is_proved=False)
        cursor.execute("SELECT column_name FROM information_schema.columns WHERE table_name = 'accounts_user'")
        own = {"id": "%(first)s + n", "code": "'P' || to_char(n, 'FM00000000000')"}
        names = sorted(name for (name,) in cursor.fetchall())
        columns = ", ".join(f'"{name}"' for name in names)
        values = ", ".join(own.get(name, f'"{name}"') for name in names)
        cursor.execute("ALTER TABLE accounts_user DISABLE TRIGGER USER")
        for start in range(0, count, AT_ONCE):
            cursor.execute(
                f"INSERT INTO accounts_user ({columns}) SELECT {values} "
                "FROM accounts_user, generate_series(%(start)s, %(end)s - 1) AS n WHERE id = %(pk)s",
                {"first": first, "start": start, "end": min(start + AT_ONCE, count), "pk": person.pk},
            )
        cursor.execute("ALTER TABLE accounts_user ENABLE TRIGGER USER")
    return first


def seconds_of(look: Callable[[], object]) -> float:
    """Return the median of many looks."""
    took = []
    for _look in range(LOOKS):
        began = time.perf_counter()
        look()
        took.append(time.perf_counter() - began)
    return median(took)


def test_position_in_a_line_of_a_million(capsys: pytest.CaptureFixture[str]) -> None:
    first = make_people(SHORT + LONG)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE permits_waitlistentry DISABLE TRIGGER USER")
    (short_sale, short), (long_sale, long) = make_line(SHORT, first), make_line(LONG, first + SHORT)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE permits_waitlistentry ENABLE TRIGGER USER")
        cursor.execute("VACUUM ANALYZE permits_waitlistentry")
        cursor.execute("VACUUM ANALYZE permits_waitlistbucket")
    now = timezone.now()

    def look_at(waitlist: Waitlist, place: int) -> Callable[[], object]:
        entry = WaitlistEntry.objects.get(waitlist=waitlist, ticket=place)
        return lambda: standings_of(WaitlistEntry.objects.filter(pk=entry.pk), now)[entry.pk]

    def look_before(sale: Sale) -> Callable[[], object]:
        pair = (sale.lot_id, sale.permit_type_id)
        return lambda: standings_if_joining([pair], priority=2, now=now)[pair]

    # The last of the worst class: everybody else is before them.
    last = max(n for n in range(LONG - CLASSES, LONG) if n % CLASSES == CLASSES - 1)
    assert standings_of(WaitlistEntry.objects.filter(waitlist=long, ticket=last), now).popitem()[1].position == LONG
    ratios = {
        "on the list": [
            seconds_of(look_at(long, last)) / seconds_of(look_at(short, SHORT - 2)) for _round in range(ROUNDS)
        ],
        "before joining": [
            seconds_of(look_before(long_sale)) / seconds_of(look_before(short_sale)) for _round in range(ROUNDS)
        ],
    }
    with capsys.disabled():
        for what, rows in ratios.items():
            sys.stdout.write(f"\nposition {what}, {LONG:,} waiting: {median(rows):.2f} x of {SHORT:,}\n")
    assert all(median(rows) <= MOST for rows in ratios.values())
