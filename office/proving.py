"""Prove the books, the numbers and the statuses, and tell the office what differs."""

import datetime as dt
from itertools import chain

from django.db import connection, transaction
from django.utils import timezone

from accounts.invariants import check_documents, check_people
from accounts.selectors import offered_languages
from boots.invariants import check_boots
from lockers.invariants import check_lockers
from opscom.core import audit
from opscom.messaging.services import queue_email
from opscom.provider.selectors import get_provider, local_date, start_of_day
from payments.invariants import check_books
from payments.models import BooksProof
from permits.invariants import check_permits
from violations.invariants import check_tickets

# More than a person reads; the number of all stands beside them.
MOST_KEPT = 200


def find_problems() -> list[str]:
    """Check everything in one snapshot, so that money that moves meanwhile is not mistaken for a fault."""
    is_own = not connection.in_atomic_block
    with transaction.atomic():
        if is_own:
            connection.cursor().execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        parts = [
            check_people(),
            check_documents(),
            check_books(),
            check_permits(),
            check_lockers(),
            check_tickets(),
            check_boots(),
        ]
        return list(chain.from_iterable(parts))


def is_proof_due(now: dt.datetime | None = None) -> bool:
    """Say whether the books have not been looked through since three in the morning at the provider's place."""
    now = now or timezone.now()
    three = dt.timedelta(hours=3)
    since = start_of_day(local_date(now - three)) + three
    return not BooksProof.objects.filter(proved_at__gte=since).exists()


def prove_books() -> BooksProof:
    """Keep what was found, also when that is nothing; what differs goes to the provider's own address, too."""
    problems = find_problems()
    with transaction.atomic():
        proof = BooksProof.objects.create(findings=problems[:MOST_KEPT])
        if problems:
            audit.record("books.differ", proof, count=len(problems))
            _tell_office(proof, len(problems))
    return proof


def _tell_office(proof: BooksProof, count: int) -> None:
    provider = get_provider()
    if provider.email:
        queue_email(
            template="office/books_differ",
            to=provider.email,
            language=offered_languages()[0][0],
            dedupe_key=f"books-differ:{proof.pk}",
            context={"count": count, "findings": proof.findings[:20]},
        )
