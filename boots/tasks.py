"""The worker's doors for boots."""

from celery import shared_task

from boots.services import files, steps
from opscom.core.due import while_due


@shared_task(name="boots.take_steps")
def take_steps() -> int:
    """Recall, fine and give up what is not back, one boot after the other."""
    return while_due(steps.take_next_step, seconds=50)


@shared_task(name="boots.sweep_files")
def sweep_files() -> int:
    """Delete the files of killed processes."""
    return files.sweep_files()
