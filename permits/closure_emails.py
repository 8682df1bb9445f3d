"""What holders read about a closure of their lot; who has no address gets none, and reads it on the pages."""

from django.conf import settings
from django.urls import reverse
from django.utils.translation import override

from opscom.messaging.models import Lane
from opscom.messaging.services import queue_email
from permits.closures import describe_elsewhere, describe_times
from permits.models import Closure, Permit


def tell_holder(closure: Closure, permit: Permit) -> None:
    """Say what is closed, or that it is changed or called off: once for each person and edition, however many permits."""
    holder = permit.holder
    address = holder.contact_email if holder else permit.guest_email
    if not address:
        return
    with override(permit.language):
        queue_email(
            template="permits/closure",
            to=address,
            language=permit.language,
            dedupe_key=f"closure:{closure.code}:{closure.edition}:{holder.pk if holder else address}",
            context={
                "first_name": holder.get_short_name() if holder else "",
                "lot": str(closure.lot),
                "number": permit.number,
                "times": describe_times(closure),
                "elsewhere": describe_elsewhere(closure),
                "words": str(closure.words),
                "is_called_off": closure.cancelled_at is not None,
                "is_changed": closure.edition > 1,
                "is_temporary": permit.is_temporary,
                "permit_link": settings.SITE_URL + _page(permit),
            },
            lane=Lane.URGENT,
        )


def _page(permit: Permit) -> str:
    # A guest has no account: the page behind the QR code is theirs.
    if permit.holder_id:
        return reverse("permits:detail", args=[permit.code])
    return reverse("permits:status", args=[permit.public_code])
