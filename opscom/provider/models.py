"""The one parking provider that this installation serves: its face, its switches, its words, its terms and its lots."""

import pghistory
from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from opscom.core.fields import TranslatedField
from opscom.core.money import MoneyField
from opscom.core.uploads import RandomName


class RegistrationMode(models.TextChoices):
    AUTO_LOGIN = "auto_login", _("Auto login: signed in at once, e-mail proved later")
    EMAIL_VERIFICATION = "email_verification", _("E-mail verification required before the first sign-in")


class MfaRule(models.TextChoices):
    HIDDEN = "hidden", _("Hidden")
    OPTIONAL = "optional", _("Visible: the user's choice")
    REQUIRED = "required", _("Required")


class RefundFrees(models.TextChoices):
    WHOLE = "whole", _("When all of its money goes back")
    ALWAYS = "always", _("Always, in part, too")
    NEVER = "never", _("Never by itself")


WEEKDAYS = [(0, _("Monday")), (6, _("Sunday"))]


@pghistory.track()
class Provider(models.Model):
    """One row, pk 1. What the manual leaves to the parking provider is a field here, with a safe default."""

    name = models.CharField(_("name"), max_length=120, default="Parking")
    short_name = models.CharField(_("short name"), max_length=40, blank=True)
    logo = models.FileField(_("logo"), upload_to=RandomName("provider"), blank=True)
    colour = models.CharField(
        _("colour"), max_length=7, default="#1d4ed8", validators=[RegexValidator(r"^#[0-9a-fA-F]{6}$")]
    )
    phone = models.CharField(_("phone"), max_length=40, blank=True)
    email = models.EmailField(_("e-mail"), blank=True)
    address = models.TextField(_("address"), blank=True)
    opening_hours = TranslatedField(_("opening hours, in words"), blank=True)
    office_opens = models.TimeField(_("office opens"), default="08:30")
    office_closes = models.TimeField(_("office closes"), default="16:30")
    office_weekdays = models.JSONField(_("office days (0 is Monday)"), default=list, blank=True)
    time_zone = models.CharField(_("time zone"), max_length=60, default="America/Toronto")
    currency = models.CharField(_("currency"), max_length=3, default="CAD")
    prices_include_tax = models.BooleanField(_("show prices with tax"), default=True)
    first_weekday = models.PositiveSmallIntegerField(_("first day of the week"), choices=WEEKDAYS, default=6)
    languages = models.JSONField(_("languages offered"), default=list, blank=True)
    home_country = models.CharField(_("home country"), max_length=2, default="CA")
    home_region = models.CharField(_("home province or state"), max_length=3, default="ON", blank=True)

    registration_mode = models.CharField(
        _("registration"),
        max_length=20,
        choices=RegistrationMode.choices,
        default=RegistrationMode.EMAIL_VERIFICATION,
    )
    is_registration_open = models.BooleanField(_("people may create accounts"), default=True)
    password_link_hours = models.PositiveSmallIntegerField(_("hours that a password link lives"), default=48)
    mfa = models.CharField(
        _("multi-factor authentication"), max_length=10, choices=MfaRule.choices, default=MfaRule.OPTIONAL
    )
    is_email_preferences_on = models.BooleanField(_("people may choose which e-mails they get"), default=True)
    is_document_upload_on = models.BooleanField(_("people may upload documents"), default=True)
    is_vehicle_deletion_on = models.BooleanField(_("people may delete vehicles"), default=False)
    vehicle_fields = models.JSONField(_("vehicle details asked"), default=list, blank=True)
    oversell_percent = models.PositiveSmallIntegerField(
        _("permit numbers beyond the stalls, percent"), default=0, validators=[MaxValueValidator(300)]
    )
    reprint_minutes = models.PositiveSmallIntegerField(
        _("minutes in which a printed file can be fetched again"), default=15
    )
    history_months = models.PositiveSmallIntegerField(
        _("months of history shown"), default=24, validators=[MinValueValidator(1)]
    )
    refund_frees = models.CharField(
        _("a refund takes back what was bought"), max_length=10, choices=RefundFrees.choices, default=RefundFrees.WHOLE
    )
    refund_second_person_above = MoneyField(
        _("refunds above this need a second person"),
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
        help_text=_("Of one payment together. Empty: never."),
    )
    card_consent = TranslatedField(
        _("what people agree to when they store a card"),
        long=True,
        blank=True,
        help_text=_("Empty: our own words."),
    )

    is_waitlist_managed = models.BooleanField(
        _("the office picks whom on a waitlist to offer a permit"),
        default=False,
        help_text=_("Else each number that comes free is offered in the order of the list."),
    )
    waitlist_emails = models.CharField(
        _("told about waitlists"),
        max_length=500,
        blank=True,
        help_text=_("E-mail addresses, with commas between them."),
    )
    waitlist_offer_days = models.PositiveSmallIntegerField(
        _("business days to accept an offer"), default=3, validators=[MinValueValidator(1)]
    )
    is_waitlist_rank_shown = models.BooleanField(_("people see their position on a waitlist"), default=True)
    is_waitlist_only_when_full = models.BooleanField(
        _("a waitlist can be joined only when the lot is full"), default=True
    )
    refunds_on_exchange = models.BooleanField(
        _("taking an offer refunds the rest of the permit given back for it"),
        default=True,
        help_text=_("By the rule for permits that end early. Else it is given back without money."),
    )
    ticket_prefix = models.CharField(
        _("ticket numbers begin with"), max_length=4, default="TT", validators=[RegexValidator(r"^[A-Z]{1,4}$")]
    )
    is_guest_payment_on = models.BooleanField(_("tickets can be paid without an account"), default=True)
    is_appeals_on = models.BooleanField(_("tickets can be appealed in the portal"), default=True)
    is_appeal_evidence_on = models.BooleanField(_("files can be sent with an appeal"), default=True)
    removes_discount_on_appeal = models.BooleanField(_("an appeal ends the discount for early payment"), default=False)
    restarts_appeal_on_association = models.BooleanField(
        _("the days to appeal begin anew when somebody else's account is linked"), default=False
    )
    appeal_email = models.EmailField(
        _("who is mailed about appeals"), blank=True, help_text=_("Of the office. Empty: nobody.")
    )
    decision_days = models.PositiveSmallIntegerField(
        _("business days in which appeals are usually decided"), default=10, validators=[MinValueValidator(1)]
    )
    discount_notice_days = models.PositiveSmallIntegerField(
        _("days before its end in which a discount is recalled"), default=3
    )
    bars_payment_in_collections = models.BooleanField(
        _("what is in collections cannot be paid on line"), default=True, help_text=_("A boot's ticket always can.")
    )
    is_boots_on = models.BooleanField(_("boots are put on cars"), default=False)
    is_lockers_on = models.BooleanField(_("lockers are rented"), default=False)
    overdue_hold_above = MoneyField(
        _("overdue tickets above this sum put a hold on the account"),
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
        help_text=_("Empty: never."),
    )

    class Meta:
        verbose_name = verbose_name_plural = _("provider")
        constraints = [
            models.CheckConstraint(condition=Q(pk=1), name="provider_provider_one_row"),
            models.CheckConstraint(condition=Q(mfa__in=MfaRule.values), name="provider_provider_mfa_known"),
            models.CheckConstraint(
                condition=Q(refund_frees__in=RefundFrees.values), name="provider_provider_refund_frees_known"
            ),
            models.CheckConstraint(
                condition=Q(refund_second_person_above__isnull=True) | Q(refund_second_person_above__gte=0),
                name="provider_provider_second_person_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(overdue_hold_above__isnull=True) | Q(overdue_hold_above__gte=0),
                name="provider_provider_overdue_hold_not_negative",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Holiday(models.Model):
    """A day on which the office is closed: deadlines in business days step over it."""

    on = models.DateField(_("date"), unique=True)
    name = TranslatedField(_("name"))

    class Meta:
        verbose_name = _("holiday")
        verbose_name_plural = _("holidays")
        ordering = ["on"]

    def __str__(self) -> str:
        return f"{self.name} ({self.on})"


class DisclaimerKind(models.TextChoices):
    VEHICLE = "vehicle", _("Disclaimer")
    PERMIT = "permit", _("Permit Disclaimer")
    LOCKER = "locker", _("Locker Disclaimer")


@pghistory.track()
class Disclaimer(models.Model):
    """A text that people agree to. A change of the text is a new version, and is asked again."""

    kind = models.CharField(_("kind"), max_length=20, choices=DisclaimerKind.choices, unique=True)
    text = TranslatedField(_("text"), long=True, blank=True)
    version = models.PositiveIntegerField(_("version"), default=1, editable=False)

    class Meta:
        verbose_name = _("disclaimer")
        verbose_name_plural = _("disclaimers")
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=DisclaimerKind.values), name="provider_disclaimer_kind_known")
        ]

    def __str__(self) -> str:
        return str(self.get_kind_display())


class Agreement(models.Model):
    """Who agreed to which version of a disclaimer, and when. `text` is what stood on the screen."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="agreements")
    kind = models.CharField(max_length=20, choices=DisclaimerKind.choices)
    version = models.PositiveIntegerField()
    text = models.TextField()
    agreed_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("agreement")
        verbose_name_plural = _("agreements")
        constraints = [
            models.UniqueConstraint(fields=["user", "kind", "version"], name="provider_agreement_once_per_version")
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.version}"


class Term(models.Model):
    """Dates that sales, lists and lockers point at: Fall, Winter, Summer, the year. Half-open: [starts_on, ends_on)."""

    name = TranslatedField(_("name"))
    starts_on = models.DateField(_("first day"))
    ends_on = models.DateField(_("day after the last"))

    class Meta:
        verbose_name = _("term")
        verbose_name_plural = _("terms")
        ordering = ["starts_on"]
        constraints = [
            models.CheckConstraint(condition=Q(ends_on__gt=F("starts_on")), name="provider_term_ends_after_start")
        ]

    def __str__(self) -> str:
        return str(self.name)


class LotQuerySet(models.QuerySet["Lot"]):
    """Lots are public; `visible` are those that the portal shows."""

    def visible(self) -> "LotQuerySet":
        return self.filter(is_visible=True)


@pghistory.track()
class Lot(models.Model):
    """A place to park. `code` is the number on its sign. `stalls` is how many vehicles fit."""

    code = models.CharField(_("code on the sign"), max_length=12, unique=True)
    name = TranslatedField(_("name"))
    place = TranslatedField(_("where, in words"), blank=True)
    description = TranslatedField(_("description"), long=True, blank=True)
    stalls = models.PositiveIntegerField(_("stalls"), default=0)
    temporary_spaces = models.PositiveIntegerField(
        _("spaces for temporary permits"),
        default=0,
        help_text=_("So many may be valid at one instant. They are not allotted to sales."),
    )
    is_visible = models.BooleanField(_("visible in the portal"), default=True)
    is_waitlist_on = models.BooleanField(_("has waitlists"), default=True)
    position = models.PositiveSmallIntegerField(pgettext_lazy("place in a list", "order"), default=0)

    objects = LotQuerySet.as_manager()

    class Meta:
        verbose_name = _("lot")
        verbose_name_plural = _("lots")
        ordering = ["position", "code"]

    def __str__(self) -> str:
        return str(self.name) or self.code


class FreeHours(models.Model):
    """Hours in which nobody needs a permit in this lot: on these weekdays, half-open; on holidays all day if so marked."""

    lot = models.ForeignKey(Lot, models.CASCADE, related_name="free_hours")
    weekdays = models.JSONField(_("weekdays (0 is Monday)"), default=list)
    from_time = models.TimeField(_("from"))
    until_time = models.TimeField(_("until"), help_text=_("00:00 means midnight at the end of the day."))
    also_holidays = models.BooleanField(_("and all day on holidays"), default=False)

    class Meta:
        verbose_name = _("free hours")
        verbose_name_plural = _("free hours")

    def __str__(self) -> str:
        return f"{self.from_time}-{self.until_time}"
