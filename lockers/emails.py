"""One function for each message about lockers. None names a combination: it stands on the renter's page."""

from typing import Any

from accounts.emails.sending import make_link, write_to
from lockers.models import Locker, Rental
from lockers.words import describe_dates


def rented(rental: Rental) -> None:
    """The locker is theirs, and where its combination stands."""
    _write(rental, "rented", key="once")


def ends_soon(rental: Rental) -> None:
    """The rental ends soon: empty it, or renew it."""
    _write(rental, "ends_soon", key="once")


def ended(rental: Rental) -> None:
    """The rental is over, and the locker is emptied by the office."""
    _write(rental, "ended", key="once")


def switched(rental: Rental, *, former: Locker, reason: str) -> None:
    """The office gave them another locker."""
    _write(rental, "switched", key=f"{former.pk}:{rental.locker_id}", former=str(former), reason=reason)


def _write(rental: Rental, template: str, *, key: str, **more: Any) -> None:
    renter = rental.renter

    def about() -> dict[str, Any]:
        area = rental.sale.area
        return {
            "number": str(rental.locker),
            "area": str(area),
            "building": str(area.building),
            "address": area.building.address,
            "lock_kind": area.lock_kind,
            "dates": describe_dates(rental),
            "ends_at": rental.ends_at,
            "has_deposit": rental.deposit_id is not None,
            "link": make_link("lockers:detail", renter.language, rental.code),
            **more,
        }

    write_to(renter, f"lockers/{template}", key=f"locker-{template}:{rental.pk}:{key}", about=about)
