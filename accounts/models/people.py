"""People and their types."""

from typing import Any

import pghistory
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from phonenumber_field.modelfields import PhoneNumberField

from opscom.core.codes import make_code
from opscom.core.fields import TranslatedField
from opscom.provider.models import MfaRule


class UserType(models.Model):
    """A category of people (full-time staff, resident student): decides lots, prices and how many vehicles."""

    code = models.SlugField(_("code"), unique=True)
    name = TranslatedField(_("name"))
    max_active_vehicles = models.PositiveSmallIntegerField(_("active vehicles at most"), default=2)
    mfa = models.CharField(
        _("multi-factor authentication"),
        max_length=10,
        choices=MfaRule.choices,
        blank=True,
        help_text=_("Empty: as the provider's settings say."),
    )
    waitlist_priority = models.PositiveSmallIntegerField(
        _("class on waitlists"),
        default=5,
        help_text=_("A smaller number goes first; within a class, who joined first."),
    )
    is_default = models.BooleanField(_("given to new people"), default=False)

    class Meta:
        verbose_name = _("user type")
        verbose_name_plural = _("user types")
        ordering = ["code"]
        constraints = [
            models.UniqueConstraint(
                fields=["is_default"], condition=Q(is_default=True), name="accounts_usertype_one_default"
            ),
            models.CheckConstraint(condition=Q(mfa__in=["", *MfaRule.values]), name="accounts_usertype_mfa_known"),
        ]

    def __str__(self) -> str:
        return str(self.name) or self.code


class UserTypeDomain(models.Model):
    """E-mail domains that give a user type, once the address is proved."""

    domain = models.CharField(_("e-mail domain"), max_length=120, unique=True)
    user_type = models.ForeignKey(UserType, models.CASCADE, related_name="domains", verbose_name=_("user type"))

    class Meta:
        verbose_name = _("e-mail domain")
        verbose_name_plural = _("e-mail domains")

    def __str__(self) -> str:
        return self.domain


class LoginSource(models.TextChoices):
    LOCAL = "local", _("E-mail and password")
    SSO = "sso", _("Single sign-on")


class MfaMethod(models.TextChoices):
    """What a person has chosen to show at sign-in beside the password; empty is nothing."""

    EMAIL = "email", _("One-time passwords by e-mail")
    APP = "app", _("Authenticator app")


class UserQuerySet(models.QuerySet["User"]):
    """People, narrowed to those whom somebody may see."""

    def visible_to(self, user: Any) -> "UserQuerySet":
        """The office sees everybody whom its role lets it see; anybody else sees only themselves."""
        if user.is_authenticated and user.is_staff and user.has_perm("accounts.view_user"):
            return self
        return self.filter(pk=user.pk)

    def proved(self) -> "UserQuerySet":
        return self.filter(email_proved_at__isnull=False)

    def outside_office(self) -> "UserQuerySet":
        """Living accounts without any right at the office: the only ones that somebody else may be let into."""
        living = self.filter(is_active=True, merged_into__isnull=True, is_staff=False, is_superuser=False)
        return living.filter(groups__isnull=True, user_permissions__isnull=True)

    def open_to_managers(self) -> "UserQuerySet":
        """Whose accounts a manager of their company may be let into: nobody's who manages people, too."""
        return self.outside_office().filter(managed_companies__isnull=True)

    def yielding(self) -> "UserQuerySet":
        """Those who typed an address at registration and never proved it: whoever proves it first takes it over."""
        return self.filter(email_proved_at__isnull=True, registered_at__isnull=False)

    def keeping(self) -> "UserQuerySet":
        """The others: who holds an address by a proof, or because the office entered it, keeps it."""
        return self.exclude(email_proved_at__isnull=True, registered_at__isnull=False)


class UserManager(BaseUserManager["User"]):
    """Makes people; e-mail is stored in lower case, and may be missing for those whom the office enters."""

    def create_user(self, email: str | None = None, password: str | None = None, **fields: Any) -> "User":
        user = self.model(email=email.strip().lower() if email else None, **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email=(username or "").strip().lower())


@pghistory.track(exclude=["password", "last_login", "mfa_epoch"])
class User(AbstractBaseUser, PermissionsMixin):
    """A person. May exist without e-mail and without sign-in: entered at the counter, imported, or named on a ticket."""

    code = models.CharField(_("code"), max_length=12, unique=True, default=make_code, editable=False)
    email = models.EmailField(_("e-mail"), null=True, blank=True, unique=True)
    email_proved_at = models.DateTimeField(_("e-mail proved"), null=True, blank=True, editable=False)
    # What a person typed at registration while another record holds that address. Nobody is told so: see `register`.
    claimed_email = models.EmailField(_("e-mail claimed"), blank=True, editable=False)
    registered_at = models.DateTimeField(_("registered"), null=True, blank=True, editable=False)
    first_name = models.CharField(_("first name"), max_length=80, blank=True)
    last_name = models.CharField(_("last name"), max_length=80, blank=True)
    mobile_phone = PhoneNumberField(_("mobile phone"), blank=True)
    employee_number = models.CharField(_("employee number"), max_length=30, blank=True)
    student_number = models.CharField(_("student number"), max_length=30, blank=True)
    licence_number = models.CharField(_("driver's licence number"), max_length=30, blank=True)
    street = models.CharField(_("street address"), max_length=160, blank=True)
    unit = models.CharField(_("apartment or unit"), max_length=20, blank=True)
    city = models.CharField(_("city"), max_length=80, blank=True)
    region = models.CharField(_("province or state"), max_length=3, blank=True)
    postal_code = models.CharField(_("postal code"), max_length=12, blank=True)
    country = models.CharField(_("country"), max_length=2, blank=True)
    language = models.CharField(_("language"), max_length=10, default="en")
    user_type = models.ForeignKey(
        UserType, models.PROTECT, null=True, blank=True, related_name="people", verbose_name=_("user type")
    )
    company = models.ForeignKey(
        "accounts.Company", models.SET_NULL, null=True, blank=True, related_name="people", verbose_name=_("company")
    )
    # Who signs in by single sign-on has no local password, by no door.
    login_source = models.CharField(
        _("signs in by"), max_length=5, choices=LoginSource.choices, default=LoginSource.LOCAL, editable=False
    )
    # What the person chose; who must give a code even so is decided in `accounts.mfa.rules`.
    mfa_method = models.CharField(
        _("multi-factor authentication"), max_length=5, choices=MfaMethod.choices, blank=True, editable=False
    )
    # Counts the changes of factors: a session that showed a code before the last of them has shown nothing.
    mfa_epoch = models.PositiveIntegerField(default=0, editable=False)
    # Two records of one person became one: this one is empty, and stays for the links that point at it.
    merged_into = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="merged",
        editable=False,
        verbose_name=_("merged into"),
    )
    user_type_from = models.DateField(_("user type from"), null=True, blank=True)
    user_type_until = models.DateField(_("user type until (not included)"), null=True, blank=True)
    is_active = models.BooleanField(_("may sign in"), default=True)
    is_staff = models.BooleanField(_("may open the office's site"), default=False)
    created_at = models.DateTimeField(_("entered"), auto_now_add=True)

    objects = UserManager.from_queryset(UserQuerySet)()
    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: list[str] = []  # type: ignore[misc]

    class Meta:
        verbose_name = _("person")
        verbose_name_plural = _("people")
        permissions = [
            ("assign_roles", _("Can give roles and open the office's site to people")),
            ("act_as_user", _("Can log in as a user")),
            ("merge_user", _("Can merge two records of one person")),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(email=Lower("email")), name="accounts_user_email_lower_case"),
            models.CheckConstraint(condition=~Q(email=""), name="accounts_user_email_null_not_empty"),
            models.CheckConstraint(
                condition=Q(claimed_email="") | Q(email__isnull=True), name="accounts_user_claim_has_no_email"
            ),
            models.CheckConstraint(
                condition=Q(email_proved_at__isnull=True) | Q(email__isnull=False),
                name="accounts_user_proved_has_email",
            ),
            models.CheckConstraint(
                condition=Q(user_type_from__isnull=True)
                | Q(user_type_until__isnull=True)
                | Q(user_type_until__gt=F("user_type_from")),
                name="accounts_user_type_until_after_from",
            ),
            models.CheckConstraint(
                condition=Q(login_source__in=LoginSource.values), name="accounts_user_login_source_known"
            ),
            # What Django writes in place of a digest where there is no password begins with this mark.
            models.CheckConstraint(
                condition=~Q(login_source=LoginSource.SSO) | Q(password__startswith=UNUSABLE_PASSWORD_PREFIX),
                name="accounts_user_sso_has_no_password",
            ),
            models.CheckConstraint(
                condition=Q(mfa_method__in=["", *MfaMethod.values]), name="accounts_user_mfa_method_known"
            ),
            models.CheckConstraint(
                condition=Q(merged_into__isnull=True) | Q(is_active=False, email__isnull=True),
                name="accounts_user_merged_cannot_sign_in",
            ),
        ]
        indexes = [models.Index(Lower("last_name"), Lower("first_name"), name="accounts_user_name")]

    def __str__(self) -> str:
        name = self.get_full_name() or self.contact_email or self.code
        return gettext("%(name)s (merged)") % {"name": name} if self.merged_into_id else name

    def get_full_name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()

    def get_short_name(self) -> str:
        return self.first_name or self.contact_email.partition("@")[0]

    def holds_rights(self) -> bool:
        """Say whether this is somebody of the office: signs in there, has a role, or any right of their own. Asks the database."""
        is_known = self.is_staff or self.is_superuser
        return is_known or self.groups.exists() or self.user_permissions.exists()

    @property
    def contact_email(self) -> str:
        """Where mail to this person goes: their address, proved or not; empty when there is none."""
        return self.email or self.claimed_email

    @property
    def is_email_proved(self) -> bool:
        return self.email_proved_at is not None
