"""How people may pay, as the office offers it, and what they have stored to pay with."""

import datetime as dt
from typing import Any

import pghistory
from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from opscom.core.codes import make_code
from opscom.core.fields import TranslatedField
from opscom.provider.selectors import local_date
from payments.models.taxes import AccountCode


class MethodKind(models.TextChoices):
    CARD = "card", _("Card, on a gateway's page")
    PROMISE = "promise", _("Cash or cheque at the office")
    ACCOUNT = "account", _("A company's billing account")
    PAYROLL = "payroll", _("Payroll deduction")
    EFT = "eft", _("Electronic funds transfer")


class SubscriptionUse(models.TextChoices):
    """What a stored method pays for without its holder at a payment page."""

    PERMIT_ROLLOVER = "permit_rollover", _("Permit Rollover")
    TEMPORARY_PARKING = "temporary_parking", _("Temporary Parking")
    TEXT2PARK = "text2park", _("Text2ParkMe")


@pghistory.track()
class PaymentMethod(models.Model):
    """A way to pay that the office offers: to whom, for what, and what a stored one may pay for."""

    code = models.SlugField(_("code"), unique=True)
    kind = models.CharField(_("kind"), max_length=10, choices=MethodKind.choices)
    gateway = models.CharField(_("gateway"), max_length=30, blank=True)
    name = TranslatedField(_("name"))
    is_on = models.BooleanField(_("switched on"), default=True)
    user_types = models.ManyToManyField(
        "accounts.UserType", blank=True, related_name="+", verbose_name=_("for these user types (none: all)")
    )
    product_kinds = models.JSONField(_("for these kinds of item (none: all)"), default=list, blank=True)
    is_for_guests = models.BooleanField(_("for guests without an account, too"), default=False)
    uses = models.JSONField(_("a stored one may pay for"), default=list, blank=True)
    days_to_pay = models.PositiveSmallIntegerField(
        _("days to bring the money"), default=7, validators=[MinValueValidator(1), MaxValueValidator(90)]
    )
    account_code = models.ForeignKey(
        AccountCode, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("account code")
    )
    position = models.PositiveSmallIntegerField(pgettext_lazy("place in a list", "order"), default=0)

    class Meta:
        verbose_name = _("payment method")
        verbose_name_plural = _("payment methods")
        ordering = ["position", "pk"]
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=MethodKind.values), name="payments_paymentmethod_kind_known"),
            models.CheckConstraint(
                condition=(Q(kind="card") & ~Q(gateway="")) | (~Q(kind="card") & Q(gateway="")),
                name="payments_paymentmethod_card_has_gateway",
            ),
            models.CheckConstraint(
                condition=Q(kind="card") | Q(is_for_guests=False), name="payments_paymentmethod_guests_pay_by_card"
            ),
            models.CheckConstraint(condition=Q(days_to_pay__gte=1), name="payments_paymentmethod_days_positive"),
        ]

    def __str__(self) -> str:
        return str(self.name) or self.code


class StoredMethodQuerySet(models.QuerySet["StoredMethod"]):
    """Stored methods, narrowed."""

    def live(self) -> "StoredMethodQuerySet":
        return self.filter(removed_at__isnull=True)

    def visible_to(self, user: Any) -> "StoredMethodQuerySet":
        """A person sees their own; a company's are the office's, and its managers choose them without seeing them here."""
        return self.live().filter(person=user) if user.is_authenticated else self.none()


@pghistory.track(exclude=["token", "customer_reference"])
class StoredMethod(models.Model):
    """A card at a gateway, or a payroll deduction or transfer that the office set up. Never a card number.

    Belongs to a person or to a company. A removed card is forgotten at its gateway by a worker: `forgotten_at`.
    """

    code = models.CharField(_("code"), max_length=12, unique=True, default=make_code, editable=False)
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="stored_methods",
        verbose_name=_("person"),
    )
    company = models.ForeignKey(
        "accounts.Company",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="stored_methods",
        verbose_name=_("company"),
    )
    method = models.ForeignKey(PaymentMethod, models.PROTECT, related_name="stored", verbose_name=_("method"))
    kind = models.CharField(_("kind"), max_length=10, choices=MethodKind.choices)
    gateway = models.CharField(_("gateway"), max_length=30, blank=True)
    customer_reference = models.CharField(max_length=120, blank=True, editable=False)
    token = models.CharField(max_length=200, blank=True, editable=False)
    brand = models.CharField(_("brand"), max_length=30, blank=True)
    last_four = models.CharField(_("last four digits"), max_length=4, blank=True)
    expires_on = models.DateField(_("no longer valid from"), null=True, blank=True)
    account_number = models.CharField(_("employee number or transfer reference"), max_length=40, blank=True)
    consent_text = models.TextField(_("agreed to"))
    consented_at = models.DateTimeField(_("agreed at"))
    set_up_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("set up by")
    )
    created_at = models.DateTimeField(_("stored"), auto_now_add=True)
    removed_at = models.DateTimeField(_("removed"), null=True, blank=True)
    forgotten_at = models.DateTimeField(_("removed at the gateway"), null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_try_at = models.DateTimeField(null=True, blank=True)
    last_error = models.TextField(_("last error"), blank=True)
    # The owner has been told that the card will not be valid much longer.
    expiry_told_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = StoredMethodQuerySet.as_manager()

    class Meta:
        verbose_name = _("stored payment method")
        verbose_name_plural = _("stored payment methods")
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(person__isnull=False, company__isnull=True) | Q(person__isnull=True, company__isnull=False),
                name="payments_storedmethod_one_owner",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=["card", "payroll", "eft"]), name="payments_storedmethod_kind_known"
            ),
            models.CheckConstraint(
                condition=(Q(kind="card") & ~Q(gateway="") & ~Q(token=""))
                | (~Q(kind="card") & Q(gateway="", token="") & ~Q(account_number="")),
                name="payments_storedmethod_card_has_token",
            ),
            models.CheckConstraint(condition=~Q(consent_text=""), name="payments_storedmethod_has_consent"),
            models.CheckConstraint(
                condition=Q(forgotten_at__isnull=True) | Q(removed_at__isnull=False),
                name="payments_storedmethod_forgotten_was_removed",
            ),
            models.UniqueConstraint(
                fields=["gateway", "token"],
                condition=Q(kind="card", removed_at__isnull=True),
                name="payments_storedmethod_token_once",
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_try_at"],
                condition=Q(kind="card", removed_at__isnull=False, forgotten_at__isnull=True),
                name="payments_storedmethod_forget",
            ),
            models.Index(
                fields=["expires_on"],
                condition=Q(kind="card", removed_at__isnull=True, expiry_told_at__isnull=True),
                name="payments_storedmethod_expiring",
            ),
        ]

    def __str__(self) -> str:
        return self.label

    @property
    def label(self) -> str:
        """What its owner recognises it by."""
        if self.kind == MethodKind.CARD:
            return f"{self.brand} ···· {self.last_four}".strip()
        return f"{self.method} {self.account_number}"

    @property
    def is_expired(self) -> bool:
        return self.expires_on is not None and self.expires_on <= local_date()

    @property
    def last_day(self) -> dt.date | None:
        """The last day on which the card is valid."""
        return self.expires_on - dt.timedelta(days=1) if self.expires_on else None


class Subscription(models.Model):
    """Which stored method pays for one use; a person has one for each."""

    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="subscriptions", verbose_name=_("person")
    )
    use = models.CharField(_("pays for"), max_length=20, choices=SubscriptionUse.choices)
    stored_method = models.ForeignKey(
        StoredMethod, models.CASCADE, related_name="subscriptions", verbose_name=_("stored method")
    )
    since = models.DateTimeField(_("since"), auto_now=True)

    class Meta:
        verbose_name = _("payment subscription")
        verbose_name_plural = _("payment subscriptions")
        ordering = ["use"]
        constraints = [
            models.CheckConstraint(condition=Q(use__in=SubscriptionUse.values), name="payments_subscription_use_known"),
            models.UniqueConstraint(fields=["person", "use"], name="payments_subscription_once_per_use"),
        ]

    def __str__(self) -> str:
        return str(self.get_use_display())


class CardSaveStatus(models.TextChoices):
    CREATED = "created", _("Written, gateway not yet asked")
    STARTED = "started", _("Person at the gateway")
    STORED = "stored", _("Stored")
    DECLINED = "declined", _("Declined")
    EXPIRED = "expired", _("Not done in time")
    FAILED = "failed", _("Could not be started")


C = CardSaveStatus
CARD_SAVE_MOVES = {
    C.CREATED: frozenset({C.STARTED, C.STORED, C.DECLINED, C.EXPIRED, C.FAILED}),
    C.STARTED: frozenset({C.STORED, C.DECLINED, C.EXPIRED}),
    C.DECLINED: frozenset({C.STORED}),
    C.EXPIRED: frozenset({C.STORED}),
    C.FAILED: frozenset({C.STARTED, C.STORED}),
    C.STORED: frozenset(),
}


def make_card_save_reference() -> str:
    """Return a fresh reference for one try."""
    return make_code(20)


class CardSaveQuerySet(models.QuerySet["CardSave"]):
    """Tries that a person may see are their own."""

    def visible_to(self, user: Any) -> "CardSaveQuerySet":
        return self.filter(actor=user) if user.is_authenticated else self.none()


class CardSave(models.Model):
    """One try to store a card on a gateway's page. The row, with what was agreed to, stands before the gateway is called."""

    reference = models.CharField(_("our reference"), max_length=30, unique=True, default=make_card_save_reference)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    company = models.ForeignKey("accounts.Company", models.PROTECT, null=True, blank=True, related_name="+")
    # Who was at the page: the person, or who set a company's card up.
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="card_saves")
    method = models.ForeignKey(PaymentMethod, models.PROTECT, related_name="+")
    gateway = models.CharField(_("gateway"), max_length=30)
    gateway_reference = models.CharField(_("gateway's reference"), max_length=120, blank=True)
    customer_reference = models.CharField(max_length=120, blank=True)
    uses = models.JSONField(default=list, blank=True)
    language = models.CharField(max_length=10)
    consent_text = models.TextField()
    status = models.CharField(_("status"), max_length=10, choices=CardSaveStatus.choices, default=C.CREATED)
    message = models.CharField(_("gateway's words"), max_length=200, blank=True)
    # Many tries for one method: some gateways know a card again and give it the same token.
    stored_method = models.ForeignKey(StoredMethod, models.PROTECT, null=True, blank=True, related_name="card_saves")
    created_at = models.DateTimeField(_("begun"), auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    next_check_at = models.DateTimeField(null=True, blank=True)
    checks = models.PositiveSmallIntegerField(default=0)

    objects = CardSaveQuerySet.as_manager()

    class Meta:
        verbose_name = _("try to store a card")
        verbose_name_plural = _("tries to store a card")
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=CardSaveStatus.values), name="payments_cardsave_status_known"
            ),
            models.CheckConstraint(
                condition=Q(person__isnull=False, company__isnull=True) | Q(person__isnull=True, company__isnull=False),
                name="payments_cardsave_one_owner",
            ),
            models.CheckConstraint(
                condition=(Q(status="stored") & Q(stored_method__isnull=False))
                | (~Q(status="stored") & Q(stored_method__isnull=True)),
                name="payments_cardsave_stored_has_method",
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_check_at"], condition=Q(next_check_at__isnull=False), name="payments_cardsave_to_check"
            )
        ]

    def __str__(self) -> str:
        return self.reference
