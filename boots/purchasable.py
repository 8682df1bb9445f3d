"""The release of a boot in the cart: what payments asks of every product.

It costs nothing itself. What it must be paid with is what the driver pays: the ticket, perhaps all others, and the deposit.
"""

import datetime as dt
from collections.abc import Collection
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from boots import selectors
from boots.locking import KIND
from boots.models import Boot, Booting
from boots.services.releasing import release_boot
from opscom.core.errors import Refused
from opscom.core.locks import lock_rows
from opscom.core.money import ZERO
from payments.models import Order
from payments.purchasables import Done, Quote


class BootPurchase:
    """The release of one boot from one car; `object_id` is that booting's row."""

    kind = KIND
    is_held = False
    label = gettext_lazy("Boots")

    def list_due(self, payer: Any) -> list[Quote]:
        """Return only those whose ticket is not in the list, because it is not to be paid any more."""
        return quote_releases(list(selectors.unclaimed(payer).order_by("put_on_at", "pk")), payer)

    def quote(self, object_ids: Collection[int], *, payer: Any, lock: bool) -> list[Quote]:
        """Return quotes of those that this payer may have released; `lock` locks their boots first."""
        if lock:
            lock_rows(Boot.objects.filter(bootings__in=list(object_ids)), "product", KIND)
        return quote_releases(list(selectors.releasable(object_ids, payer).order_by("pk")), payer)

    def hold(self, object_ids: Collection[int], *, until: dt.datetime) -> None:
        """A boot does not run away."""

    def promise(self, object_ids: Collection[int], *, order: Order, until: dt.datetime) -> None:
        """Never asked: a promise releases no boot."""

    def end_promise(self, object_ids: Collection[int], *, order: Order) -> None:
        """Never asked: a promise releases no boot."""

    def fulfil(self, object_id: int, *, order: Order) -> Done | Refused:
        """Let the code go out."""
        return release_boot(booting_id=object_id, order=order)

    def release(self, object_id: int, *, order: Order) -> None:
        """What was told cannot be taken back: the boot is off the car, and is to be returned as before."""


def quote_releases(bootings: list[Booting], payer: Any) -> list[Quote]:
    """Return each release as a line of its own, with what it must be paid with."""
    things = selectors.must_pay_with(bootings, payer)
    return [_quote(booting, things[booting.pk]) for booting in bootings]


def _quote(booting: Booting, things: list[tuple[str, int]]) -> Quote:
    return Quote(
        kind=KIND,
        object_id=booting.pk,
        label=_("Release of the boot, ticket %(number)s") % {"number": booting.ticket.number},
        detail=_("The release code, and how the boot is taken off. %(plate)s")
        % {"plate": booting.ticket.vehicle_label},
        net=ZERO,
        url=reverse("boots:pay", args=[booting.pay_code]),
        must_pay_with=things,
        seal=_("A boot is on the vehicle. It is released when this is paid."),
        is_payable_by_promise=False,
    )
