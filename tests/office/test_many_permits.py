"""A city's worth of permits costs no page a query more."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from permits.counts import Chosen, count_all
from permits.models import Permit, PermitStatus, Sale
from tests.factories.permits import activate, make_buyer, make_sale, reserve

pytestmark = pytest.mark.django_db
# In steps: one statement may take 15 seconds.
STEP, STEPS = 10_000, 10
MANY = STEP * STEPS


def make_many(sale: Sale) -> None:
    """Write active permits of one person, each of a limit group of its own, with their numbers and without a history."""
    sample = activate(reserve(sale))
    own = {"id", "code", "public_code", "number", "limit_group"}
    names = ", ".join(f'"{one.column}"' for one in Permit._meta.local_fields if one.column not in own)
    with connection.cursor() as cursor:
        # A table's triggers cannot be switched while checks wait for the end of the transaction.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE permits_permit DISABLE TRIGGER USER")
        for step in range(STEPS):
            cursor.execute(
                f"INSERT INTO permits_permit (code, public_code, number, limit_group, {names}) "
                f"SELECT 'M' || n, 'MANY' || n, 'M-' || n, 'many-' || n, {names} "
                "FROM permits_permit, generate_series(%s, %s) n WHERE id = %s",
                [step * STEP + 1, (step + 1) * STEP, sample.pk],
            )
        cursor.execute(
            "INSERT INTO permits_slot (sale_id, number, shuffle, state, permit_id) "
            "SELECT sale_id, number, random(), 'taken', id FROM permits_permit WHERE number LIKE 'M-%%'"
        )
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE permits_permit ENABLE TRIGGER USER")
        cursor.execute("ANALYZE permits_permit, permits_slot")


def count_queries(pages: list[tuple[Client, str]]) -> list[int]:
    """Open each page twice; the second time counts, when what is cached is cached."""
    found = []
    for client, page in pages:
        client.get(page)
        with CaptureQueriesContext(connection) as queries:
            assert client.get(page).status_code == 200
        found.append(len(queries))
    return found


def test_a_hundred_thousand_permits_cost_no_query_more(client_of, administrator) -> None:
    buyer, _own = make_buyer()
    sale = make_sale(numbers=3)
    mine = activate(reserve(sale, buyer))
    office, person = client_of(administrator), client_of(buyer)
    pages = [
        (office, reverse("admin:permits_sale_counts")),
        (office, reverse("admin:permits_permit_changelist")),
        (person, reverse("permits:list")),
        (person, reverse("permits:detail", args=[mine.code])),
        (person, reverse("home:home")),
    ]
    few = count_queries(pages)
    make_many(sale)
    assert Permit.objects.filter(status=PermitStatus.ACTIVE).count() == MANY + 2
    many = count_queries(pages)
    assert all(one <= other for one, other in zip(many, few, strict=True)), (many, few)
    (row,) = count_all(Chosen(lot=sale.lot), timezone.now())
    assert row.active == MANY + 2
