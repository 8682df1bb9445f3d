"""How fast numbers are claimed, beside the plain way: one counter behind SELECT FOR UPDATE. Prints ratios of one run."""

import multiprocessing
import sys
import threading
import time
from collections.abc import Callable
from statistics import median

import pytest
from django.db import connection, connections, transaction

from opscom.core.errors import Busy
from opscom.core.transitions import advance
from permits.models import SLOT_MOVES, Sale, Slot, SlotState
from permits.slots import claim_slot
from tests.factories.permits import make_lot, make_sale

pytestmark = [pytest.mark.bench, pytest.mark.django_db(transaction=True)]
CLIENTS, PROCESSES, SPACES, ROUNDS = 32, 4, 500, 3


def claim(sale: Sale) -> bool:
    """Take one number and keep it out of sale, as a buyer's transaction does; Busy counts as one more try."""
    while True:
        try:
            with transaction.atomic():
                slot = claim_slot(sale)
                if slot is not None:
                    advance(slot, SlotState.RETIRED, table=SLOT_MOVES, field="state")
                return slot is not None
        except Busy:
            continue


def count_down(sale: Sale) -> bool:
    """The plain way: lock the counter's row, look, write."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT spaces FROM bench_counter WHERE sale = %s FOR UPDATE", [sale.pk])
        (left,) = cursor.fetchone()
        if left:
            cursor.execute("UPDATE bench_counter SET spaces = spaces - 1 WHERE sale = %s", [sale.pk])
        return bool(left)


def run(deed: Callable[[Sale], bool], sale: Sale, *, tries: int) -> tuple[int, float]:
    """Let all clients try so often together; return how many succeeded and the tries a second.

    Clients are threads of several processes: in one process they would queue for Python's own lock, not the row's.
    """
    connections.close_all()
    context = multiprocessing.get_context("fork")
    gate, sold = context.Barrier(CLIENTS + 1), context.Queue()
    share = tries // CLIENTS

    def client() -> None:
        connection.ensure_connection()
        gate.wait()
        sold.put(sum(deed(sale) for _try in range(share)))
        connection.close()

    def process() -> None:
        threads = [threading.Thread(target=client) for _thread in range(CLIENTS // PROCESSES)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    processes = [context.Process(target=process) for _process in range(PROCESSES)]
    for one in processes:
        one.start()
    gate.wait()
    began = time.perf_counter()
    total = sum(sold.get() for _client in range(CLIENTS))
    took = time.perf_counter() - began
    for one in processes:
        one.join()
    return total, share * CLIENTS / took


def refill(sale: Sale) -> None:
    Slot.objects.filter(sale=sale).update(state=SlotState.FREE)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE bench_counter SET spaces = %s WHERE sale = %s", [SPACES, sale.pk])


def compare(sale: Sale, *, tries: int, capsys: pytest.CaptureFixture[str], what: str) -> None:
    """Run both ways in turn, and print the median of their ratios; exactly the spaces that there are may be sold."""
    ratios = []
    for _round in range(ROUNDS):
        refill(sale)
        sold, ours = run(claim, sale, tries=tries)
        assert sold == min(SPACES, tries // CLIENTS * CLIENTS)
        sold, plain = run(count_down, sale, tries=tries)
        assert sold == min(SPACES, tries // CLIENTS * CLIENTS)
        ratios.append(ours / plain)
    rounds = ", ".join(f"{ratio:.1f}" for ratio in ratios)
    with capsys.disabled():
        sys.stdout.write(f"\n{what}: {median(ratios):.1f} x SELECT FOR UPDATE (rounds: {rounds})\n")


@pytest.fixture
def sale() -> Sale:
    sale = make_sale(numbers=SPACES, lot=make_lot(stalls=SPACES))
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE bench_counter (sale bigint PRIMARY KEY, spaces int)")
        cursor.execute("INSERT INTO bench_counter VALUES (%s, %s)", [sale.pk, SPACES])
    return sale


def test_claims_on_one_hot_lot(sale: Sale, capsys: pytest.CaptureFixture[str]) -> None:
    compare(sale, tries=480, capsys=capsys, what=f"claiming, {CLIENTS} clients")


def test_twenty_thousand_buyers_for_five_hundred_spaces(sale: Sale, capsys: pytest.CaptureFixture[str]) -> None:
    compare(sale, tries=20_000, capsys=capsys, what="20,000 buyers, 500 spaces")
