"""Which profile fields people are asked for."""

import pghistory
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.models.people import User
from opscom.core.fields import TranslatedField


class FieldKind(models.TextChoices):
    BUILT_IN = "built_in", _("Built in")
    TEXT = "text", _("Text")
    NUMBER = "number", _("Number")
    DATE = "date", _("Date")
    CHOICE = "choice", _("Choice")
    YES_NO = "yes_no", _("Yes or no")


class FieldGroup(models.TextChoices):
    PERSONAL = "personal", _("Personal Information")
    ADDRESS = "address", _("Address")
    EMPLOYEE = "employee", _("Employee")
    STUDENT = "student", _("Student")
    LICENCE = "licence", _("Driver's licence")
    OTHER = "other", _("Other information")
    SETTINGS = "settings", _("Users Settings")


class FieldState(models.TextChoices):
    HIDDEN = "hidden", _("Hidden")
    VISIBLE = "visible", _("Visible")
    REQUIRED = "required", _("Required")


@pghistory.track()
class ProfileField(models.Model):
    """How one field of a person is asked: hidden, visible or required; editable or greyed out; when.

    The built-in ones are columns of `User` and get their labels there; the office's own have label, help and choices.
    """

    name = models.CharField(_("field"), max_length=40, unique=True, editable=False)
    kind = models.CharField(_("kind"), max_length=10, choices=FieldKind.choices, default=FieldKind.BUILT_IN)
    label = TranslatedField(_("label"), blank=True)
    help_text = TranslatedField(_("help"), blank=True)
    # [{"code": "north", "label": {"en": "North campus", "fr-ca": "..."}}, ...], for the kind `choice` only.
    choices = models.JSONField(_("choices"), default=list, blank=True)
    group = models.CharField(_("group"), max_length=20, choices=FieldGroup.choices, default=FieldGroup.OTHER)
    state = models.CharField(_("state"), max_length=10, choices=FieldState.choices, default=FieldState.VISIBLE)
    is_editable = models.BooleanField(_("people may change it"), default=True)
    is_asked_at_registration = models.BooleanField(_("asked at registration"), default=False)
    position = models.PositiveSmallIntegerField(pgettext_lazy("place in a list", "order"), default=0)

    class Meta:
        verbose_name = _("profile field")
        verbose_name_plural = _("profile fields")
        ordering = ["position"]
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=FieldKind.values), name="accounts_profilefield_kind_known"),
            models.CheckConstraint(condition=Q(state__in=FieldState.values), name="accounts_profilefield_state_known"),
        ]

    def __str__(self) -> str:
        if self.kind != FieldKind.BUILT_IN:
            return str(self.label) or self.name
        return str(getattr(User._meta.get_field(self.name), "verbose_name", self.name))


@pghistory.track()
class ProfileAnswer(models.Model):
    """What a person answered to one of the office's own fields, as text: ISO dates, `yes`/`no`, a choice's code."""

    person = models.ForeignKey(User, models.CASCADE, related_name="profile_answers", verbose_name=_("person"))
    field = models.ForeignKey(ProfileField, models.PROTECT, related_name="answers", verbose_name=_("profile field"))
    value = models.CharField(_("answer"), max_length=500, blank=True)

    class Meta:
        verbose_name = _("profile answer")
        verbose_name_plural = _("profile answers")
        constraints = [models.UniqueConstraint(fields=["person", "field"], name="accounts_profileanswer_once")]

    def __str__(self) -> str:
        return f"{self.field}: {self.value}"
