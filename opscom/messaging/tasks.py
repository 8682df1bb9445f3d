"""The worker's entry points; the rules stand in `delivery`."""

from celery import shared_task

from opscom.messaging import delivery


@shared_task(name="messaging.deliver_message")
def deliver_message(message_id: int) -> None:
    """Send one message that was just written."""
    delivery.deliver(message_id)


# It expires, so that sweeps do not pile up behind a slow mail server.
@shared_task(name="messaging.sweep_outbox", expires=20)
def sweep_outbox() -> None:
    """Send what was never announced, is due again, or whose worker died."""
    delivery.wipe_old_secrets()
    delivery.deliver_due()
