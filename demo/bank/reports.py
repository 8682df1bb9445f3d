"""The bank reports to the portal's webhook, over HTTP, signed."""

import json
import logging
import urllib.error
import urllib.request

from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from demo.bank.gateway import SIGNATURE_HEADER, DemoBank, sign
from demo.bank.models import BankReport

log = logging.getLogger(__name__)
MOST_TRIES = 20


def send_due_reports() -> int:
    """Send every report whose time has come; one that is not taken is tried again at the next run. Returns how many."""
    due = BankReport.objects.filter(sent_at__isnull=True, due_at__lte=timezone.now(), tries__lt=MOST_TRIES)
    return sum(_send(report) for report in due.order_by("due_at")[:50])


def _send(report: BankReport) -> bool:
    body = json.dumps({"id": report.event_id, "reference": report.reference, "about": report.about}).encode()
    url = settings.SITE_URL + reverse("payments:webhook", args=[DemoBank.code])
    headers = {"Content-Type": "application/json", SIGNATURE_HEADER: sign(body)}
    BankReport.objects.filter(pk=report.pk).update(tries=report.tries + 1)
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=10):  # noqa: S310 - our own
            BankReport.objects.filter(pk=report.pk).update(sent_at=timezone.now())
    except (urllib.error.URLError, TimeoutError) as error:
        log.warning("the portal did not take report %s: %s", report.event_id, error)
        return False
    return True
