"""What the demo's outside world does by itself."""

from celery import shared_task

from demo.bank import reports


# It expires, so that runs do not pile up behind a portal that does not answer.
@shared_task(name="demo.send_bank_reports", expires=10)
def send_bank_reports() -> int:
    """Send what the demo bank owes the portal's webhook by now."""
    return reports.send_due_reports()
