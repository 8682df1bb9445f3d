"""The worker's doors for tickets."""

from celery import shared_task

from opscom.core.due import while_due
from violations.services import files, overdue, steps


@shared_task(name="violations.take_steps")
def take_steps() -> int:
    """Send the notices that are due and look at the holds, one ticket at a time."""
    return while_due(steps.take_next_step)


@shared_task(name="violations.refresh_holds")
def refresh_holds() -> int:
    """Place and lift holds for overdue tickets that a killed process left undone."""
    return overdue.refresh_holds()


@shared_task(name="violations.sweep_files")
def sweep_files() -> int:
    """Delete files that nobody sent, and those that belong to no row."""
    return files.sweep_files()
