"""Permits in the cart: what payments asks of every product."""

import datetime as dt
from collections.abc import Collection
from decimal import Decimal
from typing import Any

from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from opscom.core.errors import Refused
from opscom.core.locks import lock_rows
from opscom.provider.selectors import get_time_zone
from opscom.provider.templatetags.portal import local_datetime
from payments.models import Order, PromiseStatus
from payments.purchasables import Done, Quote, TaxPart
from permits.models import Permit, PermitStatus, PermitType
from permits.services.delivering import activate_permit, take_back_permit
from permits.services.holding import hold_for_gateway
from permits.services.promising import end_promised_permits, promise_permits


class PermitPurchase:
    """A permit is owed once, for its one term; `object_id` is the permit's row."""

    kind = "permit"
    is_held = True
    label = gettext_lazy("Permits")

    def list_due(self, payer: Any) -> list[Quote]:
        """Return the payer's reservations that still hold, the one that ends first on top."""
        # What is promised is due in its own order.
        due = self._payable(payer).filter(promised_until=None).order_by("held_until")
        return [_quote(permit) for permit in due]

    def quote(self, object_ids: Collection[int], *, payer: Any, lock: bool) -> list[Quote]:
        """Return quotes of the payer's reservations among these; `lock` locks them first."""
        permits = self._payable(payer).filter(pk__in=object_ids)
        rows = lock_rows(permits, "product", self.kind) if lock else list(permits.order_by("pk"))
        return [_quote(permit) for permit in rows]

    def hold(self, object_ids: Collection[int], *, until: dt.datetime) -> None:
        """Keep the numbers while the payer is at the bank."""
        hold_for_gateway(permit_ids=list(object_ids), until=until)

    def promise(self, object_ids: Collection[int], *, order: Order, until: dt.datetime) -> None:
        """Keep the numbers until the money is brought; valid at once where the type says so."""
        promise_permits(permit_ids=list(object_ids), until=until)

    def end_promise(self, object_ids: Collection[int], *, order: Order) -> None:
        """Free the numbers, also of permits that were valid at once; late money may still get one."""
        has_lapsed = order.promise.status == PromiseStatus.LAPSED
        to = PermitStatus.LAPSED if has_lapsed else PermitStatus.CANCELLED
        end_promised_permits(permit_ids=list(object_ids), to=to)

    def fulfil(self, object_id: int, *, order: Order) -> Done | Refused:
        """Activate the permit."""
        return activate_permit(permit_id=object_id, order=order)

    def release(self, object_id: int, *, order: Order) -> None:
        """Cancel the permit."""
        take_back_permit(permit_id=object_id)

    def _payable(self, payer: Any) -> Any:
        return (
            Permit.objects.filter(holder=payer)
            .filter(
                Q(status=PermitStatus.RESERVED, held_until__gt=timezone.now())
                | Q(status=PermitStatus.ACTIVE, promised_until__gt=timezone.now())
            )
            .select_related("sale__lot", "sale__permit_type__account_code", "offer")
            .prefetch_related("vehicle_links__vehicle")
        )


def _quote(permit: Permit) -> Quote:
    return Quote(
        kind=PermitPurchase.kind,
        object_id=permit.pk,
        label=_("Permit %(number)s · %(lot)s, %(type)s")
        % {"number": permit.number, "lot": permit.lot, "type": permit.permit_type},
        detail=_describe(permit),
        net=permit.net,
        taxes=[TaxPart(t["name"], t["number"], Decimal(t["percent"]), Decimal(t["amount"])) for t in permit.taxes],
        account_code=code_of(permit),
        exemption_number=permit.exemption_number,
        held_until=permit.promised_until or permit.held_until,
        lock_reason="" if permit.vehicle_links.all() else _("It names no vehicle yet: open it, choose one, then pay."),
        is_payable_by_promise=not permit.is_temporary,
        promise_note=explain_promise(permit.permit_type),
        promise_before=permit.valid_until,
        **_addresses(permit),
    )


def _addresses(permit: Permit) -> dict[str, Any]:
    """Return its own page, and what may be done with the hold. An offer is declined, and holds until its deadline."""
    if permit.holder_id is None:
        return {"url": reverse("permits:status", args=[permit.public_code])}
    is_offer = hasattr(permit, "offer")
    urls = {"url": reverse("permits:offer" if is_offer else "permits:detail", args=[permit.code])}
    if permit.promised_until is None:
        urls["give_back_url"] = reverse("permits:decline" if is_offer else "permits:give-back", args=[permit.code])
        if not permit.was_extended and not is_offer:
            urls["extend_url"] = reverse("permits:extend", args=[permit.code])
    return urls


def _describe(permit: Permit) -> str:
    if permit.is_temporary:
        first, last = local_datetime(permit.valid_from), local_datetime(permit.valid_until)
    else:
        zone = get_time_zone()
        first = date_format(permit.valid_from.astimezone(zone), "DATE_FORMAT")
        last = date_format((permit.valid_until - dt.timedelta(microseconds=1)).astimezone(zone), "DATE_FORMAT")
    plates = ", ".join(link.vehicle.label for link in permit.vehicle_links.all())
    return _("%(first)s to %(last)s · %(plates)s") % {"first": first, "last": last, "plates": plates}


def explain_promise(kind: PermitType) -> str:
    """Return what a permit of the type is while its money is promised."""
    if kind.is_valid_when_promised:
        return _("Valid at once, until the last day to pay.")
    return _("Held for you, and not valid until the money is in.")


def code_of(permit: Permit) -> str:
    """Return the account in the books that the permit's type names."""
    account = permit.permit_type.account_code
    return account.code if account else ""
