"""Release codes: encrypted at rest, looked at by name, void once somebody outside has known them.

No code is ever handed to `audit.record`, to a log, or to a message's plain context.
"""

import re

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from boots import emails
from boots.locking import lock_boot
from boots.models import Boot, Booting
from opscom.core import audit
from opscom.core.errors import DomainError, NotAllowed
from opscom.core.secrets import open_short, seal_short
from violations.services.lowering import refuse_own

CODE = re.compile(r"[A-Za-z0-9*#-]{3,20}")


@transaction.atomic
def set_code(*, boot: Boot, code: str, actor: User) -> None:
    """Keep the boot's new code. While it is released, this corrects a wrong one, and the driver is mailed the right one.

    Raises DomainError for what is no code, and for the one that it has.
    """
    boot = lock_boot(boot.pk)
    write_code(boot, code)
    audit.record("boot.code_set", boot, actor=actor)
    booting = Booting.objects.running().filter(boot=boot, released_at__isnull=False).first()
    if booting:
        Booting.objects.filter(pk=booting.pk).update(code_edition=booting.code_edition + 1, problem_at=None)
        booting.refresh_from_db()
        emails.withdraw_codes(booting)
        emails.code(booting, code=code.strip(), key=f"corrected-{booting.code_edition}", is_corrected=True)


def write_code(boot: Boot, code: str) -> None:
    """Seal the code into the locked boot. Raises DomainError for what is no code, and for the one that it has."""
    code = code.strip()
    if not CODE.fullmatch(code):
        raise DomainError(_("A release code has 3 to 20 letters, digits, * # or -."))
    if boot.has_code and read_code(boot) == code:
        raise DomainError(_("The boot has this very code. Set another one."))
    boot.sealed_code, boot.code_set_at = seal_short(code.encode()), timezone.now()
    boot.save(update_fields=["sealed_code", "code_set_at"])


def change_code(boot: Boot, new_code: str) -> None:
    """Let the old code of the locked boot be void: the new one takes its place, or none until the office sets one."""
    if new_code:
        write_code(boot, new_code)
    else:
        void_code(boot)


def void_code(boot: Boot) -> None:
    """Forget the code of the locked boot: somebody outside knows it, or it opens nothing any more."""
    boot.sealed_code, boot.code_set_at = "", None
    boot.save(update_fields=["sealed_code", "code_set_at"])


class Code(str):
    """A release code that whatever prints its surroundings, as logs and reports of errors do, does not print."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "[secret]"


def read_code(boot: Boot) -> Code:
    """Return the code as it is set on the boot; for those only who have paid, and for `look_at_code`."""
    return Code(open_short(boot.sealed_code).decode())


@transaction.atomic
def look_at_code(*, boot: Boot, actor: User) -> str:
    """Return the code to somebody of the office, and write down who looked.

    Raises NotAllowed when there is none, and while the boot is on the looker's own car.
    """
    boot = lock_boot(boot.pk)
    booting = Booting.objects.running().select_related("ticket").filter(boot=boot).first()
    if booting:
        refuse_own(booting.ticket, actor)
    if not boot.has_code:
        raise NotAllowed(_("Boot %(serial)s has no release code.") % {"serial": boot})
    audit.record("boot.code_seen", boot, actor=actor)
    return read_code(boot)
