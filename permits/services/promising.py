"""A permit whose money is promised: held, or valid at once, until the money is in or the promise is over."""

import datetime as dt

from django.db.models.functions import Greatest
from django.utils import timezone

from opscom.core import audit
from opscom.core.hooks import after_commit
from opscom.core.locks import lock_rows
from opscom.core.transitions import advance
from permits.models import LIVE, PERMIT_MOVES, SLOT_MOVES, Permit, PermitStatus, SlotState
from permits.services.closing import close_permit, number_of
from permits.services.delivering import prepare_document


def promise_permits(*, permit_ids: list[int], until: dt.datetime) -> None:
    """Hold reserved permits until then for a payer who promised the money; runs inside the order's transaction.

    Those of a type that says so are valid at once, until then.
    """
    permits = lock_rows(Permit.objects.filter(pk__in=permit_ids, status=PermitStatus.RESERVED), "product", "permit")
    Permit.objects.filter(pk__in=[permit.pk for permit in permits]).update(
        held_until=Greatest("held_until", until), promised_until=until
    )
    for permit in permits:
        if permit.permit_type.is_valid_when_promised:
            _activate(permit, until)


def _activate(permit: Permit, until: dt.datetime) -> None:
    advance(permit, PermitStatus.ACTIVE, table=PERMIT_MOVES, activated_at=timezone.now(), held_until=None)
    if slot := number_of(permit):
        advance(slot, SlotState.TAKEN, table=SLOT_MOVES, field="state")
    audit.record("permit.activated", permit, actor=permit.holder, promised_until=until)
    after_commit(prepare_document, permit.pk)


def end_promised_permits(*, permit_ids: list[int], to: PermitStatus) -> None:
    """Free the numbers of permits whose money did not come (lapsed: it may still come) or was called off (cancelled).

    One that was paid meanwhile stays.
    """
    promised = Permit.objects.filter(pk__in=permit_ids, promised_until__isnull=False, status__in=LIVE)
    for permit in lock_rows(promised, "product", "permit"):
        until = permit.promised_until
        close_permit(permit, to)
        audit.record(f"permit.{to}", permit, promised_until=until)
