"""What may be done with a boot now, and why not. One function decides and explains."""

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from boots.models import Boot, BootPolicy, BootStatus
from opscom.core.errors import Allowed, Decision, Refused
from opscom.provider.selectors import get_provider
from payments.services.orders import promised_orders
from violations.models import UNPAID, Ticket
from violations.services.locking import KIND, paid_line


def can_be_put_on(boot: Boot) -> Decision:
    """Say whether the boot is fit to go on a car."""
    if not get_provider().is_boots_on:
        return Refused("off", _("Boots are switched off: see the provider's settings."))
    if boot.status != BootStatus.AVAILABLE:
        state = boot.get_status_display()
        return Refused("out", _("Boot %(serial)s is not available: %(state)s.") % {"serial": boot, "state": state})
    if boot.is_out_of_service:
        return Refused("out_of_service", _("Boot %(serial)s is out of service.") % {"serial": boot})
    if not boot.has_code:
        words = _("Boot %(serial)s has no release code. Set one first: whoever had it last knows the old one.")
        return Refused("no_code", words % {"serial": boot})
    return Allowed()


def can_be_booted(ticket: Ticket, policy: BootPolicy) -> Decision:
    """Say whether a boot may be put on for this ticket."""
    if ticket.status not in UNPAID or ticket.is_warning or paid_line(ticket.pk):
        return Refused("nothing_due", _("Nothing has to be paid for ticket %(number)s.") % {"number": ticket})
    if ticket.booted_at:
        return Refused("booted", _("A boot is on for ticket %(number)s already.") % {"number": ticket})
    if promised_orders(KIND, [ticket.pk]).exists():
        return Refused("promised", _("The money for this ticket is promised: a boot would be put on for nothing."))
    return Allowed() if ticket.offence.is_boot_eligible else _can_be_for_unpaid(ticket, policy)


def _can_be_for_unpaid(ticket: Ticket, policy: BootPolicy) -> Decision:
    if policy.unpaid_above is None:
        return Refused("offence", _("For this offence no boot is put on."))
    count = unpaid_of_plate(ticket)
    if count > policy.unpaid_above:
        return Allowed()
    words = ngettext(
        "For this offence no boot is put on, and %(count)d ticket of the plate is unpaid: more than %(most)d are needed.",
        "For this offence no boot is put on, and %(count)d tickets of the plate are unpaid: more than %(most)d are needed.",
        count,
    )
    return Refused("offence", words % {"count": count, "most": policy.unpaid_above})


def unpaid_of_plate(ticket: Ticket) -> int:
    """Return how many tickets of the ticket's vehicle are unpaid, itself among them."""
    if not ticket.plate_key:
        return Ticket.objects.unpaid().filter(vin=ticket.vin).count()
    return Ticket.objects.unpaid().filter(plate_key=ticket.plate_key, region=ticket.region).count()
