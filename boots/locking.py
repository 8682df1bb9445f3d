"""The lock that every deed about a boot takes: after orders, before deposits and tickets."""

from boots.models import Boot, Booting
from opscom.core.errors import Busy
from opscom.core.locks import lock_row
from payments.models import DepositStatus, OrderLine
from payments.services.deposits import lock_order_of

KIND = "boot"


def lock_boot(pk: int) -> Boot:
    """Lock the boot until the transaction ends: it and its time on a car change only under this lock."""
    return lock_row(Boot.objects.filter(pk=pk), "product", KIND)


def lock_booting(pk: int) -> Booting:
    """Lock the boot of this time on a car, and return that as it stands now."""
    lock_boot(Booting.objects.values_list("boot", flat=True).get(pk=pk))
    return Booting.objects.select_related("boot", "ticket", "deposit", "line__order").get(pk=pk)


def lock_with_deposit(pk: int) -> Booting:
    """Lock the order that paid the deposit, if any, and then as `lock_booting`: for whoever decides about the deposit.

    Raises Busy for a deposit that is paid at this moment: whoever decides now would let it be held for ever.
    """
    before = Booting.objects.select_related("deposit").get(pk=pk).deposit
    if before:
        lock_order_of(before)
    booting = lock_booting(pk)
    deposit = booting.deposit
    if before and deposit and _is_arriving(before.status, deposit.status, deposit.pk):
        raise Busy
    return booting


def _is_arriving(before: str, now: str, deposit_id: int) -> bool:
    """Say whether the deposit was paid, and is not held yet, or was not when its order was to be locked."""
    if now == DepositStatus.DUE:
        return OrderLine.objects.filter(kind="deposit", object_id=deposit_id, settled=True).exists()
    return now == DepositStatus.HELD and before != now
