"""Two records of one person become one: everything goes to the record that stays, and nothing is lost."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.emails import merging as emails
from accounts.merging.record import RecordPlan, plan_record
from accounts.models import User
from accounts.person_parts import MergePlan, all_parts
from opscom.core import audit
from opscom.core.errors import DomainError, NotAllowed, Stale
from opscom.core.locks import lock_rows

# Columns that point at people and are no part of anybody: each with the reason why a merge leaves it alone.
STAYS = {
    "core.AuditEntry.actor": "The log is never changed; a merged record's deeds are found through `merged_into`.",
    "core.AuditEntry.on_behalf_of": "The log is never changed.",
    "admin.LogEntry.user": "Django's own log, which our pages do not write.",
    "accounts.DocumentRequest.asked_by": "Who did it stays who did it; people of the office are not merged.",
    "accounts.DocumentRequest.decided_by": "Who did it stays who did it.",
    "accounts.AccountHold.placed_by": "Who did it stays who did it.",
    "accounts.AccountHold.lifted_by": "Who did it stays who did it.",
    "accounts.Mailing.written_by": "Who did it stays who did it.",
    "permits.WaitlistOffer.offered_by": "Who did it stays who did it.",
    "payments.Refund.requested_by": "Who did it stays who did it.",
    "payments.Adjustment.made_by": "Who did it stays who did it.",
    "payments.CollectionPeriod.closed_by": "Who did it stays who did it.",
    "payments.CollectionPeriod.sent_by": "Who did it stays who did it.",
    "payments.Debt.created_by": "Who did it stays who did it.",
    "payments.Deposit.created_by": "Who did it stays who did it.",
    "payments.Deposit.decided_by": "Who did it stays who did it.",
    "payments.Dispute.closed_by": "Who did it stays who did it.",
    "payments.Payment.recorded_by": "Who did it stays who did it.",
    "payments.Promise.closed_by": "Who did it stays who did it.",
    "payments.Promise.received_by": "Who did it stays who did it.",
    "payments.Refund.approved_by": "Who did it stays who did it.",
    "payments.Statement.paid_recorded_by": "Who did it stays who did it.",
    "payments.StoredMethod.set_up_by": "Who did it stays who did it.",
    "payments.TaxExemption.entered_by": "Who did it stays who did it.",
    "permits.PermitPrint.printed_by": "Who did it stays who did it.",
    "permits.RollRun.started_by": "Who did it stays who did it.",
    "permits.NumberChange.changed_by": "Who did it stays who did it.",
    "permits.ReplacementCar.made_by": "Who did it stays who did it.",
    "permits.Closure.made_by": "Who did it stays who did it.",
    "boots.Booting.put_on_by": "Who did it stays who did it.",
    "boots.Booting.ended_by": "Who did it stays who did it.",
    "boots.BootPhoto.taken_by": "Who did it stays who did it.",
    "violations.Appeal.decided_by": "Who did it stays who did it.",
    "violations.Appeal.entered_by": "Who did it stays who did it.",
    "violations.AppealMessage.written_by": "Who did it stays who did it.",
    "violations.CollectionExport.made_by": "Who did it stays who did it.",
    "violations.Notice.printed_by": "Who did it stays who did it.",
    "violations.Ticket.officer": "Who did it stays who did it.",
    "violations.TicketPhoto.taken_by": "Who did it stays who did it.",
    "accounts.User_groups.user": "Whoever has a role is not merged.",
    "accounts.User_user_permissions.user": "Whoever has rights is not merged.",
}


@dataclass(frozen=True, slots=True)
class WholePlan:
    """Everything that a merge would do. `mark` changes when any of it does: what was seen is what will be done."""

    record: RecordPlan
    parts: Sequence[MergePlan]

    @property
    def moves(self) -> list[tuple[Any, int]]:
        return [(label, count) for part in self.parts for label, count in part.moves if count]

    @property
    def conflicts(self) -> list[str]:
        return [*self.record.conflicts, *[str(one) for part in self.parts for one in part.conflicts]]

    @property
    def obstacles(self) -> list[str]:
        return [str(one) for part in self.parts for one in part.obstacles]

    @property
    def mark(self) -> str:
        facts = [repr(sorted(self.record.changes.items(), key=str)), *map(repr, self.moves), *self.conflicts]
        return hashlib.sha256("\n".join(facts).encode()).hexdigest()[:32]


def plan_merge(*, keeper: User, loser: User) -> WholePlan:
    """Return what would be done, and why it cannot be done now, if so; a fixed number of queries for each part."""
    refusals = MergePlan(obstacles=list(_refusals(keeper, loser)))
    plans = [part.plan_merge(keeper=keeper, loser=loser) for part in all_parts()]
    return WholePlan(plan_record(keeper=keeper, loser=loser), [refusals, *plans])


def _refusals(keeper: User, loser: User) -> Iterator[str]:
    if keeper.pk == loser.pk:
        yield _("These are not two records but one.")
    for person in (keeper, loser):
        if person.merged_into_id is not None:
            yield _("%(person)s was merged into another record already.") % {"person": person}
        if person.is_staff or person.is_superuser or person.groups.exists() or person.user_permissions.exists():
            yield _("%(person)s belongs to the office. Take the roles away first.") % {"person": person}
    if not keeper.is_active:
        yield _("%(person)s may not sign in. Let the other record stay, or allow it first.") % {"person": keeper}
    # Anybody can register in another's name. With the proved address would go all that its owner can open.
    if keeper.registered_at and not keeper.is_email_proved and loser.is_email_proved:
        yield _("Who opened the record of %(person)s never confirmed an address. Let the other record stay.") % {
            "person": keeper
        }


@transaction.atomic
def merge_people(*, keeper: User, loser: User, actor: User, reason: str, mark: str) -> User:
    """Give the keeper everything that is the loser's, and close the loser's record; returns the keeper.

    `mark` is that of the plan which the actor has seen. Raises Stale when something has changed since, NotAllowed with
    the first reason why it cannot be done.
    """
    keeper, loser = _lock(keeper, loser)
    plan = plan_merge(keeper=keeper, loser=loser)
    if plan.obstacles:
        raise NotAllowed(plan.obstacles[0])
    if plan.mark != mark:
        raise Stale(_("Something has changed since you looked. Please look again at what will be done."))
    old = {"name": str(loser), "email": loser.contact_email, "code": loser.code}
    _close(loser)
    _change(keeper, plan.record)
    for part in all_parts():
        part.merge(keeper=keeper, loser=loser, actor=actor)
    User.objects.filter(pk=loser.pk).update(merged_into=keeper)
    loser.merged_into = keeper
    moved = {str(label): count for label, count in plan.moves}
    audit.record("person.merged", keeper, actor=actor, record=old, reason=reason, moved=moved, conflicts=plan.conflicts)
    audit.record("person.merged_away", loser, actor=actor, into=keeper.code, reason=reason)
    _tell(keeper, plan.record, loser.language)
    return keeper


def _lock(keeper: User, loser: User) -> tuple[User, User]:
    """Lock both, the lower number first: two merges that cross each other must not wait in a circle."""
    if keeper.pk == loser.pk:
        raise DomainError(_("These are not two records but one."))
    locked = {person.pk: person for person in lock_rows(User.objects.filter(pk__in=[keeper.pk, loser.pk]), "person")}
    keeper, loser = locked[keeper.pk], locked[loser.pk]
    for part in all_parts():
        part.lock(keeper=keeper, loser=loser)
    return keeper, loser


def _close(loser: User) -> None:
    """Nobody signs in here any more: a new password, unusable, kills every session and every link at once."""
    User.objects.filter(pk=loser.pk).update(
        is_active=False, password=make_password(None), email=None, claimed_email="", email_proved_at=None
    )


def _change(keeper: User, plan: RecordPlan) -> None:
    for name, value in plan.changes.items():
        setattr(keeper, name, value)
    if plan.changes:
        keeper.save(update_fields=list(plan.changes))


def _tell(keeper: User, plan: RecordPlan, language: str) -> None:
    if plan.is_address_taken:
        emails.records_merged(keeper)
    elif plan.lost_address:
        emails.records_merged(keeper)
        emails.address_retired(plan.lost_address, language)
