"""What a driver is told, on pages and in mails alike: how the boot comes off, what lateness costs, where their page is."""

from django.urls import reverse
from django.utils.translation import gettext as _

from boots import selectors
from boots.models import Booting, LateRule
from opscom.core.money import format_money
from payments.guests import sign_order
from payments.models import Order


def how_to_remove(language: str) -> str:
    """Return how a boot is taken off: the provider's words in the active language, else our own."""
    own = _(
        "Enter the release code on the boot's keypad and open the lock. Take the boot off the wheel and put it into your "
        "vehicle. Look around the wheel before you drive."
    )
    return str(selectors.get_policy().instructions.get(language) or own)


def describe_late_rule(booting: Booting) -> str:
    """Return what happens when the boot is late, in the active language."""
    if booting.late_rule == LateRule.FINE and booting.late_offence:
        sum_ = format_money(booting.late_offence.fine + booting.late_offence.fee)
        return _("Returned later, a fine of %(sum)s is added.") % {"sum": sum_}
    if booting.late_rule == LateRule.FORFEIT:
        return _("Returned later, you lose your deposit.")
    return ""


def driver_path(booting: Booting, order: Order) -> str:
    """Return the page of the boot for who has paid for it."""
    if order.payer_id is None:
        return reverse("boots:guest", args=[sign_order(order), booting.code])
    return f"{reverse('boots:mine', args=[booting.code])}?lang={order.language}"
