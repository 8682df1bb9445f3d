"""The code on the receipt's page, so that a lost e-mail strands nobody; and who may read it."""

from django.utils.translation import get_language

from boots.driver import driver_path, how_to_remove
from boots.models import Booting
from boots.selectors import drop_off_places, pictures
from boots.services.codes import read_code
from opscom.core.context import office_acts
from payments.models import Order, OrderLine
from payments.receipt_parts import ReceiptPart


def show_code(order: Order, line: OrderLine) -> ReceiptPart | None:
    """Return the part with the code, or that it is on its way; nothing once the boot is back."""
    booting = Booting.objects.select_related("boot", "ticket").filter(pk=line.object_id).first()
    if booting is None or booting.ended_at:
        return None
    return ReceiptPart("boots/_code.html", {**describe_code(booting, order), "show_link": True})


def describe_code(booting: Booting, order: Order) -> dict[str, object]:
    """Return what a page shows to who has paid: code, instructions, pictures, places."""
    is_out = booting.line_id is not None and booting.ended_at is None
    return {
        "booting": booting,
        "is_out": is_out,
        "code": read_code(booting.boot) if is_out and not office_acts() else "",
        # The office looks on its own site, by name.
        "may_read": not office_acts(),
        "instructions": how_to_remove(get_language() or "en"),
        "pictures": pictures(),
        "places": drop_off_places(),
        "path": driver_path(booting, order) if is_out else "",
    }
