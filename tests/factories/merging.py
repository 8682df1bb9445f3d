"""Somebody who has one of everything, for tests of what becomes of it."""

from typing import Any

from allauth.account.models import EmailAddress
from allauth.usersessions.models import UserSession
from django.utils import timezone
from django_otp.plugins.otp_email.models import EmailDevice
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts.merging.services import merge_people, plan_merge
from accounts.models import (
    AccountDocument,
    AccountHold,
    Company,
    CompanyManager,
    DocumentRequest,
    MailingAddress,
    ProfileAnswer,
    ProfileField,
    User,
)
from opscom.messaging.models import EmailCategory, OptOut
from opscom.provider.models import Agreement
from payments.models import Order
from payments.services.confirming import confirm_payment
from payments.services.refunding import refund_line
from permits.models import Permit
from tests.factories.accounts import make_user, make_user_type
from tests.factories.payments import go_to_bank, order_permit, pay_at_bank
from tests.factories.permits import make_sale, offer_demo_bank, reserve
from tests.factories.vehicles import make_ownership


def merge(keeper: User, loser: User, actor: User, **options: Any) -> User:
    """Merge as the office does that has just looked at the plan."""
    seen = {"keeper": User.objects.get(pk=keeper.pk), "loser": User.objects.get(pk=loser.pk)}
    mark = plan_merge(**seen).mark
    return merge_people(keeper=keeper, loser=loser, actor=actor, **{"reason": "Twice", "mark": mark, **options})


def make_driver(**fields: Any) -> User:
    """Return a proved person who may have many vehicles, and has one."""
    person = make_user(user_type=make_user_type(max_active_vehicles=9), **fields)
    make_ownership(person)
    return person


def buy(person: User, **sale: Any) -> Order:
    """Reserve a permit, pay for it and get it."""
    offer_demo_bank()
    order = order_permit(reserve(make_sale(**sale), person))
    payment = go_to_bank(order)
    pay_at_bank(payment)
    confirm_payment(payment)
    order.refresh_from_db()
    return order


def make_rich(**fields: Any) -> User:
    """Return somebody with everything: permits in every state, money in every state, papers, holds and sign-in."""
    person = make_driver(**fields)
    make_ownership(person, is_active=False)
    buy(person)
    back = buy(person)
    refund_line(line=back.lines.get(), actor=None)
    order_permit(reserve(make_sale(), person))
    give_papers(person)
    give_sign_in(person)
    return person


def give_papers(person: User) -> None:
    """Give the person what hangs on an account."""
    now = timezone.now()
    request = DocumentRequest.objects.create(person=person, what="Proof of address")
    AccountDocument.objects.create(
        person=person, request=request, file="documents/x", name="lease.pdf", content_type="application/pdf", size=9
    )
    AccountHold.objects.create(person=person, reason="Unpaid", starts_at=now)
    MailingAddress.objects.create(person=person, street="9 Second Street")
    CompanyManager.objects.create(company=make_company(), person=person)
    ProfileAnswer.objects.create(person=person, field=make_field(), value="yes")
    Agreement.objects.create(user=person, kind="vehicle", version=1, text="Text")
    category, _made = EmailCategory.objects.get_or_create(code="merging-news", defaults={"name": {"en": "News"}})
    OptOut.objects.create(address=person.contact_email, category=category)


def give_sign_in(person: User) -> None:
    """Give the person every means to sign in that leaves a row."""
    EmailAddress.objects.create(user=person, email=person.contact_email)
    UserSession.objects.create(user=person, session_key=f"key-{person.pk}", ip="192.0.2.1", user_agent="Firefox/1")
    EmailDevice.objects.create(user=person, name="email")
    StaticDevice.objects.create(user=person, name="recovery")
    TOTPDevice.objects.create(user=person, name="app")


def make_company(name: str = "Northwind") -> Company:
    """Return the company of this name."""
    return Company.objects.get_or_create(name=name)[0]


def make_field(name: str = "night_shift") -> ProfileField:
    """Return one of the office's own profile fields."""
    label = {"en": "Night shift", "fr-ca": "Nuit"}
    return ProfileField.objects.get_or_create(name=name, defaults={"kind": "yes_no", "label": label})[0]


def live_permits(person: User) -> list[Permit]:
    """Return the person's live permits, each in its place."""
    return list(Permit.objects.live().filter(holder=person).order_by("limit_group", "holder_place"))
