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
            .select_related("sale__lot", "sale__permit_type__account_code")
            .prefetch_related("vehicle_links__vehicle")
        )


def _quote(permit: Permit) -> Quote:
    zone = get_time_zone()
    last_day = (permit.valid_until - dt.timedelta(microseconds=1)).astimezone(zone)
    is_promised = permit.promised_until is not None
    plates = ", ".join(link.vehicle.label for link in permit.vehicle_links.all())
    return Quote(
        kind=PermitPurchase.kind,
        object_id=permit.pk,
        label=_("Permit %(number)s · %(lot)s, %(type)s")
        % {"number": permit.number, "lot": permit.lot, "type": permit.permit_type},
        detail=_("%(first)s to %(last)s · %(plates)s")
        % {
            "first": date_format(permit.valid_from.astimezone(zone), "DATE_FORMAT"),
            "last": date_format(last_day, "DATE_FORMAT"),
            "plates": plates,
        },
        net=permit.net,
        taxes=[TaxPart(t["name"], t["number"], Decimal(t["percent"]), Decimal(t["amount"])) for t in permit.taxes],
        account_code=code_of(permit),
        exemption_number=permit.exemption_number,
        url=reverse("permits:detail", args=[permit.code]),
        held_until=permit.promised_until or permit.held_until,
        give_back_url="" if is_promised else reverse("permits:give-back", args=[permit.code]),
        extend_url="" if permit.was_extended or is_promised else reverse("permits:extend", args=[permit.code]),
        promise_note=explain_promise(permit.permit_type),
        promise_before=permit.valid_until,
    )


def explain_promise(kind: PermitType) -> str:
    """Return what a permit of the type is while its money is promised."""
    if kind.is_valid_when_promised:
        return _("Valid at once, until the last day to pay.")
    return _("Held for you, and not valid until the money is in.")


def code_of(permit: Permit) -> str:
    """Return the account in the books that the permit's type names."""
    account = permit.permit_type.account_code
    return account.code if account else ""
