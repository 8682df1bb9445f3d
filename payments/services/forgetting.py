"""Remove what is stored: here at once, at the gateway by a worker that tries until it is done."""

import logging
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import Exists, F, OuterRef
from django.utils import timezone

from opscom.core import audit
from opscom.core.hooks import after_commit
from opscom.core.locks import lock_row, lock_rows
from opscom.provider.selectors import local_date
from payments import card_emails as emails
from payments.gateways.base import GatewayError
from payments.gateways.registry import installed_gateways
from payments.models import BillingAccount, MethodKind, Payment, PaymentStatus, StoredMethod, StoredMethodQuerySet
from payments.services.attempts import describe_card

log = logging.getLogger(__name__)
# Longer than the call to a gateway may take: until then no other worker asks.
LEASE = timedelta(minutes=2)
MOST_BETWEEN_TRIES = timedelta(hours=6)
TELL_BEFORE = timedelta(days=30)


@transaction.atomic
def remove_stored(*, stored_method: StoredMethod, actor: Any) -> bool:
    """Remove it: it pays for nothing from now on. Returns whether this call removed it. Its row stays, without use."""
    if stored_method.company_id:
        accounts = BillingAccount.objects.filter(stored_method=stored_method)
        lock_rows(accounts, "payment", "billing_account")
        accounts.update(stored_method=None)
    stored = lock_row(StoredMethod.objects.filter(pk=stored_method.pk), "payment", "stored_method")
    if stored.removed_at:
        return False
    drop_stored(stored=stored, actor=actor)
    return True


def drop_stored(*, stored: StoredMethod, actor: Any) -> None:
    """Remove what the caller keeps from others, and tell its owner. No account of a company may charge it any more."""
    stored.subscriptions.all().delete()
    now = timezone.now()
    StoredMethod.objects.filter(pk=stored.pk).update(removed_at=now, next_try_at=now, attempts=0)
    audit.record("storedmethod.removed", stored, actor=actor)
    if stored.person:
        emails.method_removed(stored, stored.person)
    else:
        emails.company_card_removed(stored)
    if stored.kind == MethodKind.CARD:
        after_commit(_announce, stored.pk)


def _announce(stored_id: int) -> None:
    from payments.tasks import forget_card as task  # noqa: PLC0415 - tasks import services

    task.delay(stored_id)


def cards_to_forget() -> list[int]:
    """Return the ids of removed cards that their gateways still keep, and should be asked now to forget."""
    return list(_due().order_by("next_try_at").values_list("pk", flat=True)[:100])


def _due() -> StoredMethodQuerySet:
    """A card that is being charged waits: else its gateway could not say what became of the charge."""
    under_way = Payment.objects.filter(
        stored_method=OuterRef("pk"), status__in=[PaymentStatus.CREATED, PaymentStatus.STARTED]
    )
    removed = StoredMethod.objects.filter(kind=MethodKind.CARD, removed_at__isnull=False, forgotten_at=None)
    return removed.filter(~Exists(under_way), next_try_at__lte=timezone.now())


def forget_card(stored_id: int) -> None:
    """Claim one removed card and have its gateway forget it; what fails is tried again, ever more rarely, without end."""
    lease = timezone.now() + LEASE
    if not _due().filter(pk=stored_id).update(next_try_at=lease, attempts=F("attempts") + 1):
        return
    stored = StoredMethod.objects.get(pk=stored_id)
    # The same card, stored anew by its owner, at a gateway that knows it again: it stays.
    if not StoredMethod.objects.live().filter(gateway=stored.gateway, token=stored.token).exists():
        try:
            installed_gateways()[stored.gateway].forget_card(describe_card(stored))
        except (GatewayError, KeyError) as error:
            log.warning("stored method %s is not forgotten yet: %r", stored.code, error)
            wait = min(timedelta(minutes=1) * 2 ** min(stored.attempts, 10), MOST_BETWEEN_TRIES)
            facts = {"last_error": repr(error)[:2000], "next_try_at": timezone.now() + wait}
            StoredMethod.objects.filter(pk=stored_id, forgotten_at=None).update(**facts)
            return
    _note_forgotten(stored)


@transaction.atomic
def _note_forgotten(stored: StoredMethod) -> None:
    now = timezone.now()
    facts = {"forgotten_at": now, "next_try_at": None, "last_error": ""}
    if StoredMethod.objects.filter(pk=stored.pk, forgotten_at=None).update(**facts):
        audit.record("storedmethod.forgotten", stored)


def tell_next_expiring() -> bool:
    """Tell one owner that their card is valid for 30 days more at the most, once; False when nobody is to be told."""
    with transaction.atomic():
        expiring = StoredMethod.objects.live().filter(
            kind=MethodKind.CARD, expiry_told_at=None, expires_on__lte=local_date() + TELL_BEFORE
        )
        stored = (
            expiring.select_for_update(skip_locked=True, no_key=True, of=("self",))
            .select_related("person", "company")
            .order_by("expires_on")
            .first()
        )
        if stored is None:
            return False
        StoredMethod.objects.filter(pk=stored.pk).update(expiry_told_at=timezone.now())
        emails.card_expires(stored)
        return True
