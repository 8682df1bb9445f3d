"""Which stored method pays for what, and methods that only the office sets up."""

from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.services.people import lock_person
from opscom.core import audit
from opscom.core.errors import NotAllowed
from opscom.core.hooks import after_commit
from opscom.core.locks import lock_row
from payments import card_emails as emails
from payments.models import PaymentMethod, StoredMethod, Subscription, SubscriptionUse
from payments.stored import OFFICE_ONLY, forget_offer, may_pay_for


@transaction.atomic
def choose_use(*, person: User, use: str, stored_method: StoredMethod | None) -> None:
    """Let this stored method of the person pay for the use from now on; None: nothing pays for it.

    Raises NotAllowed when the method was removed meanwhile, or the office does not offer it for the use.
    """
    lock_person(person)
    if stored_method is None:
        gone, _rows = Subscription.objects.filter(person=person, use=use).delete()
        if gone:
            audit.record("storedmethod.use_ended", person, actor=person, use=use)
        return
    row = lock_row(StoredMethod.objects.filter(pk=stored_method.pk), "payment", "stored_method")
    if row.person_id != person.pk or row.removed_at or use not in SubscriptionUse.values or not may_pay_for(row, use):
        raise NotAllowed(_("This cannot pay for that. Please look at the list again."))
    before = Subscription.objects.filter(person=person, use=use).first()
    if before and before.stored_method_id == row.pk:
        return
    Subscription.objects.update_or_create(person=person, use=use, defaults={"stored_method": row})
    audit.record("storedmethod.use_chosen", row, actor=person, use=use)


@transaction.atomic
def set_up_by_office(
    *, person: User, method: PaymentMethod, account_number: str, consent: str, actor: Any
) -> StoredMethod:
    """Set up a payroll deduction or a transfer that the person agreed to at the office, with the words agreed to.

    Raises NotAllowed for any other kind, or when the person has the same already.
    """
    lock_person(person)
    if method.kind not in OFFICE_ONLY:
        raise NotAllowed(_("Only payroll deductions and transfers are set up here. Cards are stored by their owners."))
    if StoredMethod.objects.live().filter(person=person, method=method, account_number=account_number).exists():
        raise NotAllowed(_("This is set up already."))
    stored = StoredMethod.objects.create(
        person=person,
        method=method,
        kind=method.kind,
        account_number=account_number,
        consent_text=consent,
        consented_at=timezone.now(),
        set_up_by=actor,
    )
    after_commit(forget_offer)
    audit.record("storedmethod.set_up", stored, actor=actor, on_behalf_of=person)
    emails.method_set_up(stored, person)
    return stored
