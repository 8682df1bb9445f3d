"""The worker's doors for what stands above all apps."""

from celery import shared_task

from office import proving


@shared_task(name="office.prove_books")
def prove_books() -> int:
    """Look through the books, and return how many things differ."""
    return len(proving.prove_books().findings)
