"""Prove the books, the numbers and the statuses, and tell the office what differs."""

from itertools import chain

from django.db import connection, transaction

from accounts.invariants import check_documents, check_people
from accounts.selectors import offered_languages
from opscom.core import audit
from opscom.messaging.services import queue_email
from opscom.provider.selectors import get_provider
from payments.invariants import check_books
from payments.models import BooksProof
from permits.invariants import check_permits

# More than a person reads; the number of all stands beside them.
MOST_KEPT = 200


def find_problems() -> list[str]:
    """Check everything in one snapshot, so that money that moves meanwhile is not mistaken for a fault."""
    is_own = not connection.in_atomic_block
    with transaction.atomic():
        if is_own:
            connection.cursor().execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        return list(chain(check_people(), check_documents(), check_books(), check_permits()))


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
