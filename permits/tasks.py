"""The worker's doors for permits."""

from celery import shared_task

from opscom.core.due import while_due
from permits.services import documents, exchanging, holding, lot_closures, promoting, renewing, rolling


@shared_task(name="permits.release_lapsed_holds")
def release_lapsed_holds() -> int:
    """Free the numbers of holds that ran out, one transaction each; then promote what was left behind by a crash."""
    count = while_due(holding.lapse_next)
    promoting.promote_everywhere()
    exchanging.give_back_missed()
    return count


@shared_task(name="permits.end_permits")
def end_permits() -> int:
    """End permits whose last instant has passed."""
    return while_due(holding.end_next)


@shared_task(name="permits.renew_permits")
def renew_permits() -> int:
    """Announce, charge and try again what renews itself; and give back what was paid for a permit that ended early."""
    return while_due(renewing.take_next_step, seconds=50) + renewing.refund_orphans()


@shared_task(name="permits.roll_sales")
def roll_sales() -> int:
    """Go on with the rolls that the office has started, person by person."""
    count = while_due(rolling.roll_next, seconds=50)
    rolling.finish_rolls()
    return count


@shared_task(name="permits.make_document")
def make_document(permit_id: int) -> None:
    documents.make_document(permit_id=permit_id)


@shared_task(name="permits.make_missing_documents")
def make_missing_documents() -> int:
    """Make the PDFs whose task was lost."""
    return documents.make_missing_documents()


@shared_task(name="permits.tell_of_closures")
def tell_of_closures() -> int:
    """Tell holders of closures of their lots, one person in each transaction."""
    return lot_closures.tell_holders()
