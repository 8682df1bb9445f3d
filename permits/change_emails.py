"""One function for each message about a change of a permit; who has no address gets none."""

from typing import Any

from django.utils.translation import override

from accounts.emails.sending import make_link, write_to
from accounts.models import User
from opscom.core.codes import make_code
from opscom.core.money import format_money
from opscom.provider.templatetags.portal import until
from payments.models import Debt, Refund, RefundStatus
from permits.models import Permit, ReplacementCar


def ended_early(permit: Permit, refund: Refund | None, *, reason: str) -> None:
    """The permit is over before its last day; what goes back, and whether somebody in the office must agree first."""
    _to_holder(
        permit,
        "ended_early",
        reason=reason,
        amount=format_money(refund.amount) if refund else "",
        is_proposed=bool(refund and refund.status == RefundStatus.PROPOSED),
    )


def vehicles_changed(permit: Permit) -> None:
    """Which vehicles the permit is for now: it was not necessarily its holder who changed them."""
    _to_holder(permit, "vehicles_changed", plates=_plates(permit))


def replacement_car(car: ReplacementCar) -> None:
    """From when until when another car parks in place of which."""
    with override(car.permit.language):
        _to_holder(
            car.permit,
            "replacement_car",
            plate=car.vehicle.label,
            instead_of=car.stands_in_for.label,
            until=until(car.ends_at),
        )


def number_changed(permit: Permit, *, old_number: str, reason: str, debt: Debt | None = None) -> None:
    """Another number (lost, stolen, switched, moved): the old paper is not valid any more."""
    _to_holder(
        permit, "number_changed", old_number=old_number, reason=reason, fee=format_money(debt.amount) if debt else ""
    )


def handed_over(permit: Permit, *, to: User, former: User, reason: str) -> None:
    """The permit has another holder: both read it."""
    _to_person(permit, former, "handed_over", is_new=False, reason=reason)
    _to_person(permit, to, "handed_over", is_new=True, reason=reason)


def suspended(permit: Permit) -> None:
    """Not valid until the office lifts it."""
    _to_holder(permit, "suspended", is_lifted=False, reason=permit.suspension_reason)


def lifted(permit: Permit) -> None:
    """Valid again."""
    _to_holder(permit, "suspended", is_lifted=True, reason="")


def revoked(permit: Permit, *, reason: str) -> None:
    """Taken away by the office; nothing goes back."""
    _to_holder(permit, "revoked", reason=reason)


def _plates(permit: Permit) -> str:
    return ", ".join(link.vehicle.label for link in permit.vehicle_links.select_related("vehicle"))


def _to_holder(permit: Permit, template: str, **more: Any) -> None:
    if permit.holder:
        _to_person(permit, permit.holder, template, **more)


def _to_person(permit: Permit, person: User, template: str, **more: Any) -> None:
    def about() -> dict[str, Any]:
        return {
            "number": permit.number,
            "lot": str(permit.lot),
            "until": until(permit.valid_until),
            "permit_link": make_link("permits:detail", person.language, permit.code),
            **more,
        }

    # Each change is one deed in one transaction under the permit's lock: it is written once, however often it is alike.
    write_to(person, f"permits/{template}", key=f"permit-{template}:{permit.pk}:{make_code(12)}", about=about)
