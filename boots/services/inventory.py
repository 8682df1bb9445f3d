"""The inventory as the office keeps it: boots that are added, and what is known of them."""

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from accounts.models import User
from boots.locking import lock_boot
from boots.models import Boot
from boots.services.codes import write_code
from opscom.core import audit
from opscom.core.errors import DomainError


@transaction.atomic
def add_boot(*, serial: str, code: str, note: str, actor: User) -> Boot:
    """Add a boot with its release code. Raises DomainError for a serial number that there is, and for what is no code."""
    try:
        with transaction.atomic():
            boot = Boot.objects.create(serial=serial.strip(), note=note)
    except IntegrityError as error:
        if "boots_boot_serial_once" not in str(error):
            raise
        raise DomainError(_("There is a boot with this serial number already.")) from error
    write_code(boot, code)
    audit.record("boot.added", boot, actor=actor)
    return boot


@transaction.atomic
def describe_boot(*, boot: Boot, is_out_of_service: bool, note: str, actor: User) -> None:
    """Write what is known of the boot, and whether it may go on a car."""
    boot = lock_boot(boot.pk)
    boot.is_out_of_service, boot.note = is_out_of_service, note
    boot.save(update_fields=["is_out_of_service", "note"])
    audit.record("boot.described", boot, actor=actor, is_out_of_service=is_out_of_service)
