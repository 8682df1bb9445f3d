"""The worker's doors for lockers."""

from celery import shared_task

from lockers.services import holding, reminding
from opscom.core.due import while_due


@shared_task(name="lockers.release_lapsed_holds")
def release_lapsed_holds() -> int:
    """Free the lockers of holds that ran out, one transaction each."""
    return while_due(holding.lapse_next)


@shared_task(name="lockers.end_rentals")
def end_rentals() -> int:
    """End rentals whose last instant has passed."""
    return while_due(holding.end_next)


@shared_task(name="lockers.recall_ends")
def recall_ends() -> int:
    """Recall the ends of rentals that are near."""
    return while_due(reminding.recall_next)
