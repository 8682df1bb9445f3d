"""The worker's doors for permits."""

from collections.abc import Callable

from celery import shared_task

from permits.services import documents, holding, promoting

MOST_PER_RUN = 500


def _while_due(close_next: Callable[..., bool]) -> int:
    broken: set[int] = set()
    count = 0
    while count < MOST_PER_RUN and close_next(broken=broken):
        count += 1
    return count


@shared_task(name="permits.release_lapsed_holds")
def release_lapsed_holds() -> int:
    """Free the numbers of holds that ran out, one transaction each; then promote what was left behind by a crash."""
    count = _while_due(holding.lapse_next)
    promoting.promote_everywhere()
    return count


@shared_task(name="permits.end_permits")
def end_permits() -> int:
    """End permits whose last instant has passed."""
    return _while_due(holding.end_next)


@shared_task(name="permits.make_document")
def make_document(permit_id: int) -> None:
    documents.make_document(permit_id=permit_id)


@shared_task(name="permits.make_missing_documents")
def make_missing_documents() -> int:
    """Make the PDFs whose task was lost."""
    return documents.make_missing_documents()
