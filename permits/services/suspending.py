"""The office keeps a permit from being valid for a while, or takes it away."""

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from opscom.core import audit
from opscom.core.errors import NotAllowed
from opscom.core.locks import lock_row
from permits import change_emails
from permits.models import Permit, PermitStatus
from permits.services.closing import close_permit
from permits.services.moving import require_reason


@transaction.atomic
def suspend_permit(*, permit: Permit, reason: str, actor: User) -> None:
    """Let an active permit be not valid until this is lifted; it keeps its number, and its holder reads the reason."""
    reason = require_reason(reason)
    permit = lock_row(Permit.objects.filter(pk=permit.pk), "product", "permit")
    if permit.status != PermitStatus.ACTIVE or permit.suspended_at is not None:
        raise NotAllowed(_("Only an active permit that is not suspended can be suspended."))
    permit.suspended_at, permit.suspension_reason = timezone.now(), reason
    permit.save(update_fields=["suspended_at", "suspension_reason"])
    audit.record("permit.suspended", permit, actor=actor, on_behalf_of=permit.holder, reason=reason)
    change_emails.suspended(permit)


@transaction.atomic
def lift_suspension(*, permit: Permit, reason: str, actor: User) -> None:
    """Let a suspended permit be valid again; NotAllowed when it is over, or not suspended."""
    reason = require_reason(reason)
    permit = lock_row(Permit.objects.filter(pk=permit.pk), "product", "permit")
    if permit.status != PermitStatus.ACTIVE or permit.suspended_at is None:
        raise NotAllowed(_("This permit is not suspended."))
    permit.suspended_at, permit.suspension_reason = None, ""
    permit.save(update_fields=["suspended_at", "suspension_reason"])
    audit.record("permit.suspension_lifted", permit, actor=actor, on_behalf_of=permit.holder, reason=reason)
    change_emails.lifted(permit)


@transaction.atomic
def revoke_permit(*, permit: Permit, reason: str, actor: User) -> None:
    """The office ends an active permit without giving money back; its number goes to who waits."""
    reason = require_reason(reason)
    permit = lock_row(Permit.objects.filter(pk=permit.pk), "product", "permit")
    if permit.status != PermitStatus.ACTIVE:
        raise NotAllowed(_("Only an active permit can be revoked."))
    close_permit(permit, PermitStatus.REVOKED)
    audit.record("permit.revoked", permit, actor=actor, on_behalf_of=permit.holder, reason=reason)
    change_emails.revoked(permit, reason=reason)
