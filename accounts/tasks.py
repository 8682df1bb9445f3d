"""The worker's doors for people's accounts."""

from celery import shared_task

from accounts.services import documents, mailings
from accounts.sessions import services as sessions


@shared_task(name="accounts.sweep_documents")
def sweep_documents() -> int:
    """Delete files that no document names any more."""
    return documents.sweep_files()


@shared_task(name="accounts.forget_dead_sessions")
def forget_dead_sessions() -> int:
    """Delete what is kept of sessions that have run out."""
    return sessions.forget_dead_sessions()


@shared_task(name="accounts.continue_mailings")
def continue_mailings() -> int:
    """Put the next people's mail into the outbox, of each mailing that is being sent."""
    return mailings.continue_mailings()
