"""One function for each message about waitlists. Times are written out here, in the receiver's language."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils.translation import override

from accounts.emails.sending import make_link, write_to
from accounts.selectors import offered_languages
from opscom.core.codes import make_code
from opscom.core.money import format_money
from opscom.messaging.services import queue_email
from opscom.provider.selectors import get_provider
from opscom.provider.templatetags.portal import local_datetime
from permits.models import Slot, Waitlist, WaitlistEntry, WaitlistOffer


def joined(entry: WaitlistEntry) -> None:
    """The confirmation that somebody waits, and what follows."""
    _to_person(entry, "waitlist_joined", key=f"waitlist-joined:{entry.pk}")


def offered(offer: WaitlistOffer) -> None:
    """A permit is theirs until the deadline, what it costs, and what happens when nobody pays."""
    _about_offer(offer, "waitlist_offered", key=f"waitlist-offered:{offer.pk}")


def extended(offer: WaitlistOffer) -> None:
    """More time to take the offer."""
    _about_offer(offer, "waitlist_extended", key=f"waitlist-extended:{offer.pk}:{offer.deadline.isoformat()}")


def released(offer: WaitlistOffer, reason: str) -> None:
    """The office took the offer back; the place is kept."""
    _about_offer(offer, "waitlist_released", key=f"waitlist-released:{offer.pk}", reason=reason)


def lapsed(offer: WaitlistOffer, *, is_out: bool) -> None:
    """Nobody paid in time: to the end of the line, or off the list."""
    _about_offer(offer, "waitlist_lapsed", key=f"waitlist-lapsed:{offer.pk}", is_out=is_out)


def removed(entry: WaitlistEntry, reason: str) -> None:
    """The office took somebody off the list."""
    _to_person(entry, "waitlist_removed", key=f"waitlist-removed:{entry.pk}", reason=reason)


def lapsed_to_office(offer: WaitlistOffer) -> None:
    """Tell the office that picks: an offer lapsed, the number waits again."""
    entry = offer.entry
    _to_office(
        entry.waitlist,
        "waitlist_office_lapsed",
        f"waitlist-office-lapsed:{offer.pk}",
        who=str(entry.person),
        number=offer.permit.number,
    )


def numbers_to_pick(waitlist: Waitlist, slots: Sequence[Slot]) -> None:
    """Tell the office that picks: these numbers came free, and people wait."""
    key = f"waitlist-kept:{waitlist.pk}:{make_code(12)}"
    numbers = ", ".join(slot.number for slot in slots[:20])
    _to_office(waitlist, "waitlist_office_numbers", key, numbers=numbers, count=len(slots))


def _to_office(waitlist: Waitlist, template: str, key: str, **more: Any) -> None:
    language = offered_languages()[0][0]
    addresses = [address.strip() for address in get_provider().waitlist_emails.split(",") if address.strip()]
    with override(language):
        context = {"waitlist": str(waitlist), **more}
        context["office_link"] = settings.SITE_URL + reverse("admin:permits_waitlist_change", args=[waitlist.pk])
        for address in addresses:
            queue_email(
                template=f"permits/{template}",
                to=address,
                language=language,
                dedupe_key=f"{key}:{address}",
                context=context,
            )


def _about_offer(offer: WaitlistOffer, template: str, *, key: str, **more: Any) -> None:
    permit, person = offer.permit, offer.entry.person

    def about() -> dict[str, Any]:
        return {
            **_about(offer.entry),
            "number": permit.number,
            "deadline": local_datetime(offer.deadline),
            "price": format_money(permit.net),
            "gives_back": offer.gives_back.number if offer.gives_back else "",
            "offer_link": make_link("permits:offer", person.language, permit.code),
            **more,
        }

    write_to(person, f"permits/{template}", key=key, about=about)


def _to_person(entry: WaitlistEntry, template: str, *, key: str, **more: Any) -> None:
    write_to(entry.person, f"permits/{template}", key=key, about=lambda: {**_about(entry), **more})


def _about(entry: WaitlistEntry) -> dict[str, str]:
    return {
        "lot": str(entry.waitlist.lot),
        "permit_type": str(entry.waitlist.permit_type),
        "permits_link": make_link("permits:list", entry.person.language),
    }
