"""Who takes an offer gives the old permit back."""

import logging

from django.db.models import F
from django.utils.translation import gettext as _
from django.utils.translation import override

from opscom.core.errors import DomainError
from opscom.provider.selectors import get_provider
from permits.models import PermitStatus, WaitlistOffer
from permits.services.ending import end_early

log = logging.getLogger(__name__)


def give_back_exchanged(offer_id: int) -> bool:
    """End the permit that was given back for a paid offer, with its money by the provider's rule; twice does no harm."""
    offer = WaitlistOffer.objects.select_related("gives_back", "permit", "entry__person").get(pk=offer_id)
    old = offer.gives_back
    if old is None or offer.permit.status != PermitStatus.ACTIVE or old.status != PermitStatus.ACTIVE:
        return False
    if old.holder_id != offer.entry.person_id:
        # The office handed it to somebody else meanwhile.
        return False
    if offer.permit.promised_until is not None:
        # Valid before its money is in: until then both are theirs.
        return False
    with override(old.language):
        reason = _("Given back for %(number)s.") % {"number": offer.permit.number}
    end_early(permit=old, actor=offer.entry.person, reason=reason, refunds=get_provider().refunds_on_exchange)
    return True


def give_back_missed() -> int:
    """Give back what a crash left: both permits are active. One that fails is logged and stops no other."""
    missed = WaitlistOffer.objects.filter(
        gives_back__status=PermitStatus.ACTIVE, permit__status=PermitStatus.ACTIVE, permit__promised_until=None
    ).filter(gives_back__holder=F("entry__person"))
    count = 0
    for offer_id in missed.order_by("pk").values_list("pk", flat=True)[:500]:
        try:
            count += give_back_exchanged(offer_id)
        except DomainError:
            log.exception("what offer %s gives back could not be ended", offer_id)
    return count
