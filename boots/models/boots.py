"""The inventory: each boot with the code that opens it."""

import pghistory
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Upper
from django.utils.translation import gettext_lazy as _

from opscom.core.codes import make_code

TAG_LENGTH = 24


def make_tag() -> str:
    """Return the long code of the sticker on a boot: whoever holds the boot may see the ticket that it is on."""
    return make_code(TAG_LENGTH)


class BootStatus(models.TextChoices):
    """Where a boot is."""

    AVAILABLE = "available", _("Available")
    ISSUED = "issued", _("Issued")
    RELEASED = "released", _("Released")
    OVERDUE = "overdue", _("Overdue")
    LOST = "lost", _("Lost")


B = BootStatus
BOOT_MOVES = {
    B.AVAILABLE: frozenset({B.ISSUED, B.LOST}),
    # Back at once: an officer took it off by hand.
    B.ISSUED: frozenset({B.RELEASED, B.AVAILABLE, B.LOST}),
    B.RELEASED: frozenset({B.OVERDUE, B.AVAILABLE, B.LOST}),
    # Released again: the office gave more time.
    B.OVERDUE: frozenset({B.RELEASED, B.AVAILABLE, B.LOST}),
    B.LOST: frozenset({B.AVAILABLE}),
}
OUT = (B.ISSUED, B.RELEASED, B.OVERDUE)


@pghistory.track(exclude=["sealed_code", "tag"])
class Boot(models.Model):
    """One boot. Its code stands here encrypted and nowhere else: see `boots.services.codes`.

    A boot and its time on a car change only while the boot's row is locked.
    """

    serial = models.CharField(
        _("serial number"),
        max_length=30,
        validators=[RegexValidator(r"^[A-Za-z0-9][A-Za-z0-9 ._-]*$", _("Use letters, digits, dots and dashes."))],
    )
    tag = models.CharField(max_length=TAG_LENGTH, unique=True, default=make_tag, editable=False)
    # Empty: there is none yet, or it was given away with the last release.
    sealed_code = models.CharField(max_length=120, blank=True, editable=False)
    code_set_at = models.DateTimeField(_("release code set"), null=True, blank=True, editable=False)
    status = models.CharField(_("status"), max_length=10, choices=BootStatus.choices, default=B.AVAILABLE)
    is_out_of_service = models.BooleanField(_("out of service"), default=False)
    note = models.CharField(_("note"), max_length=300, blank=True)

    class Meta:
        verbose_name = _("boot")
        verbose_name_plural = _("boots")
        ordering = ["serial"]
        permissions = [
            ("see_code", _("Can look at release codes")),
            ("put_on_boot", _("Can put boots on and take them off")),
        ]
        constraints = [
            models.UniqueConstraint(Upper("serial"), name="boots_boot_serial_once"),
            models.CheckConstraint(condition=Q(status__in=BootStatus.values), name="boots_boot_status_known"),
            models.CheckConstraint(
                condition=~Q(status__in=["issued", "released", "overdue"]) | ~Q(sealed_code=""),
                name="boots_boot_out_has_code",
            ),
        ]

    def __str__(self) -> str:
        return self.serial

    @property
    def has_code(self) -> bool:
        return bool(self.sealed_code)
