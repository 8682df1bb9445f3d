"""Store a card at a gateway, without a charge. The row stands before the gateway is called; what came of it is asked back."""

import logging
from collections.abc import Collection
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from accounts.models import Company, User
from accounts.selectors import require_proved
from accounts.services.people import lock_person
from opscom.core import audit
from opscom.core.errors import DomainError, NotAllowed, Stale
from opscom.core.hooks import after_commit
from opscom.core.locks import lock_row
from opscom.core.transitions import advance
from opscom.provider.selectors import get_provider
from payments import card_emails as emails
from payments.gateways.base import Card, CardResult, CardSetup, Embedded, GatewayError, Redirect
from payments.gateways.registry import installed_gateways
from payments.models import (
    CARD_SAVE_MOVES,
    BillingAccount,
    BillingKind,
    CardSave,
    CardSaveStatus,
    MethodKind,
    PaymentMethod,
    StoredMethod,
    Subscription,
)
from payments.services.asking import FIRST_CHECK, is_last_question, next_check
from payments.services.forgetting import drop_stored
from payments.stored import company_storing_methods, consent_text, forget_offer, storing_methods

log = logging.getLogger(__name__)
# Who tries stolen cards needs many tries; who stores their own needs few.
TRIES_IN_A_DAY = 10
WAITING = (CardSaveStatus.CREATED, CardSaveStatus.STARTED)


class CardOfAnother(DomainError):
    """The gateway's token is stored for another owner: nobody is given what somebody else stored."""


def start_card_save(
    *, actor: User, method: PaymentMethod, uses: Collection[str], company: Company | None = None
) -> Redirect | Embedded:
    """Open the gateway's page on which `actor` stores a card, their own or a company's, for these uses.

    A company's card has no uses: its billing account says what it pays for. Raises NotAllowed with the rule that refuses,
    DomainError when the gateway does not answer: then nothing is stored, and the reconciler looks it up.
    """
    save = _write_try(actor, method, uses, company)
    try:
        answer = installed_gateways()[method.gateway].start_card_save(describe_setup(save))
    except GatewayError as error:
        raise DomainError(
            _("The payment service does not answer. No card was stored; please try again in a few minutes.")
        ) from error
    _note_started(save, answer)
    return answer


@transaction.atomic(durable=True)
def _write_try(actor: User, method: PaymentMethod, uses: Collection[str], company: Company | None) -> CardSave:
    person = None if company else lock_person(actor)
    if person:
        require_proved(person, "stored_card").or_raise()
    offered = company_storing_methods() if company else storing_methods(actor)
    if method not in offered or not set(uses) <= set(method.uses) or bool(uses) == bool(company):
        raise NotAllowed(_("This payment method is not offered. Please choose another."))
    recent = CardSave.objects.filter(actor=actor, created_at__gt=timezone.now() - timedelta(days=1))
    if recent.count() >= TRIES_IN_A_DAY:
        raise NotAllowed(_("You have tried to store a card very often. Please try again tomorrow."))
    save = CardSave.objects.create(
        person=person,
        company=company,
        actor=actor,
        method=method,
        gateway=method.gateway,
        customer_reference=_customer_reference(method.gateway, person=person, company=company),
        uses=sorted(uses),
        language=get_language() or settings.LANGUAGE_CODE,
        consent_text=consent_text(),
        next_check_at=timezone.now() + FIRST_CHECK,
    )
    audit.record("cardsave.begun", save, actor=actor, uses=save.uses)
    return save


def _customer_reference(gateway: str, **owner: Any) -> str:
    """Return how the gateway knows the owner already; empty at the first card."""
    known = StoredMethod.objects.filter(gateway=gateway, **owner).exclude(customer_reference="")
    return known.order_by("-pk").values_list("customer_reference", flat=True).first() or ""


@transaction.atomic(durable=True)
def _note_started(save: CardSave, answer: Redirect | Embedded) -> None:
    save = lock_row(CardSave.objects.filter(pk=save.pk), "payment", "card_save")
    if save.status in (CardSaveStatus.CREATED, CardSaveStatus.FAILED):
        facts: dict[str, Any] = {"gateway_reference": answer.gateway_reference, "expires_at": answer.expires_at}
        advance(save, CardSaveStatus.STARTED, table=CARD_SAVE_MOVES, **facts)


def describe_setup(save: CardSave) -> CardSetup:
    """Return the try as gateways see it."""
    company = save.company
    return CardSetup(
        reference=save.reference,
        name=str(company or save.person),
        email=(company.contact_email if company else save.person.contact_email if save.person else "") or "",
        language=save.language,
        currency=get_provider().currency,
        return_url=settings.SITE_URL + reverse("payments:card-return", args=[save.reference]),
        begun_at=save.created_at,
        customer_reference=save.customer_reference,
        gateway_reference=save.gateway_reference,
    )


def confirm_card_save(save: CardSave) -> CardResult:
    """Ask the gateway what became of the try, and write it down. Any number of times: the card is stored once."""
    gateway = installed_gateways().get(save.gateway)
    if save.status == CardSaveStatus.STORED:
        return CardResult(status="stored")
    try:
        result = gateway.confirm_card_save(describe_setup(save)) if gateway else CardResult(status="unknown")
    except GatewayError as error:
        log.warning("card save %s: the gateway does not answer: %s", save.reference, error)
        result = CardResult(status="unknown", message=str(error))
    if result.status == "stored" and result.card:
        try:
            keep_card(save_id=save.pk, card=result.card)
            return result
        except CardOfAnother as error:
            log.error("card save %s: its gateway gave a token that belongs to somebody else", save.reference)  # noqa: TRY400
            result = CardResult(status="declined", message=str(error))
    _note(save, result)
    return result


def leave_page(save: CardSave) -> None:
    """Close the gateway's page that its person left; asking what became of it comes after this."""
    gateway = installed_gateways().get(save.gateway)
    if gateway is None or save.status != CardSaveStatus.STARTED:
        return
    try:
        gateway.leave(gateway_reference=save.gateway_reference)
    except GatewayError as error:
        log.warning("card save %s: its page could not be closed: %s", save.reference, error)


@transaction.atomic(durable=True)
def keep_card(*, save_id: int, card: Card) -> StoredMethod:
    """Keep the card that the gateway stored; however late, and whoever asks first. Returns the row of it.

    A card for somebody who has left meanwhile is not kept: it is removed at the gateway, too.
    """
    # Before the lock: a merge may have moved the try to another record.
    begun = CardSave.objects.select_related("person").get(pk=save_id)
    person = lock_person(begun.person) if begun.person else None
    account = _lock_account(begun)
    save = lock_row(CardSave.objects.filter(pk=save_id), "payment", "card_save")
    if save.person_id != (person.pk if person else None):
        raise Stale(_("This record changed while you were looking at it. Please reload."))
    if save.stored_method:
        return save.stored_method
    stored = _keep(save, card)
    advance(save, CardSaveStatus.STORED, table=CARD_SAVE_MOVES, stored_method=stored, next_check_at=None, message="")
    after_commit(forget_offer)
    audit.record("storedmethod.stored", stored, actor=save.actor, uses=save.uses)
    if save.company:
        _let_company_pay(account, stored, save)
    elif person and not person.is_active:
        now = timezone.now()
        StoredMethod.objects.filter(pk=stored.pk).update(removed_at=now, next_try_at=now)
    elif person:
        _pay_with(person, stored, save)
        emails.card_stored(stored, person)
    return stored


def _keep(save: CardSave, card: Card) -> StoredMethod:
    """Write the card down, or find the row of a card that its gateway knew again."""
    same = StoredMethod.objects.live().filter(gateway=save.gateway, token=card.token)
    stored = same.first()
    if stored and (stored.person_id, stored.company_id) != (save.person_id, save.company_id):
        raise CardOfAnother(_("This card is stored in another account."))
    if stored:
        return stored
    return StoredMethod.objects.create(
        person=save.person,
        company=save.company,
        method=save.method,
        kind=MethodKind.CARD,
        gateway=save.gateway,
        customer_reference=card.customer_reference,
        token=card.token,
        brand=card.brand[:30],
        last_four=card.last_four[-4:],
        expires_on=card.expires_on,
        consent_text=save.consent_text,
        consented_at=save.created_at,
        set_up_by=save.actor if save.company else None,
    )


def _lock_account(save: CardSave) -> BillingAccount | None:
    """Keep the billing account of a company's try as it is; None when there is none any more."""
    found = BillingAccount.objects.filter(company=save.company_id).first() if save.company_id else None
    return lock_row(BillingAccount.objects.filter(pk=found.pk), "payment", "billing_account") if found else None


def _let_company_pay(account: BillingAccount | None, stored: StoredMethod, save: CardSave) -> None:
    """Let the company's account charge the card in place of a former one; a card that no account asks for is removed."""
    if account is None or account.kind != BillingKind.CARD:
        drop_stored(stored=stored, actor=save.actor)
        return
    former = account.stored_method
    BillingAccount.objects.filter(pk=account.pk).update(stored_method=stored)
    emails.company_card_stored(stored)
    if former and former != stored and not former.removed_at:
        drop_stored(stored=former, actor=save.actor)


def _pay_with(person: User, stored: StoredMethod, save: CardSave) -> None:
    """Let the card pay for what its owner asked for, unless they chose something else since."""
    for use in save.uses:
        since = Subscription.objects.filter(person=person, use=use, since__gt=save.created_at)
        if not since.exists():
            Subscription.objects.update_or_create(person=person, use=use, defaults={"stored_method": stored})


def _note(save: CardSave, result: CardResult) -> None:
    if result.status == "unknown":
        return
    is_last = is_last_question(save.expires_at or save.created_at)
    to = _end_of(save, result, is_last=is_last)
    try:
        with transaction.atomic():
            if to is not None and save.status in WAITING:
                next_check_at = None if is_last else next_check(save.checks)
                advance(save, to, table=CARD_SAVE_MOVES, message=result.message[:200], next_check_at=next_check_at)
                audit.record(f"cardsave.{to}", save, message=result.message)
            elif is_last:
                CardSave.objects.filter(pk=save.pk, status=save.status).update(next_check_at=None)
    except Stale:
        log.info("card save %s was stored by somebody else meanwhile", save.reference)


def _end_of(save: CardSave, result: CardResult, *, is_last: bool) -> CardSaveStatus | None:
    """Return what a try has come to, by an answer that is neither stored nor unknown; None: its end is awaited."""
    if result.status == "declined":
        return CardSaveStatus.DECLINED
    if result.status == "absent" and save.status == CardSaveStatus.CREATED:
        return CardSaveStatus.FAILED
    is_closed = save.expires_at is not None and save.expires_at < timezone.now()
    return CardSaveStatus.EXPIRED if is_last or is_closed else None


def saves_to_check() -> list[int]:
    """Return the ids of tries about which the gateway should be asked now."""
    due = CardSave.objects.filter(next_check_at__lte=timezone.now()).exclude(status=CardSaveStatus.STORED)
    return list(due.order_by("next_check_at").values_list("pk", flat=True)[:200])


def check_card_save(save_id: int) -> None:
    """The reconciler's step for one try: claim it by moving its next check, then ask. Two workers ask once."""
    save = CardSave.objects.select_related("person", "company").get(pk=save_id)
    claimed = CardSave.objects.filter(
        pk=save_id, next_check_at=save.next_check_at, next_check_at__lte=timezone.now()
    ).exclude(status=CardSaveStatus.STORED)
    if claimed.update(next_check_at=next_check(save.checks), checks=save.checks + 1):
        save.checks += 1
        confirm_card_save(save)


def find_card_save(gateway: str, reference: str) -> CardSave | None:
    """Return the try of which a gateway's report speaks."""
    saves = CardSave.objects.select_related("person", "company")
    return saves.filter(gateway=gateway, reference=reference).first()


def hurry_card_save(save: CardSave) -> None:
    """Make the try due for a question."""
    CardSave.objects.filter(pk=save.pk).exclude(status=CardSaveStatus.STORED).update(next_check_at=timezone.now())
