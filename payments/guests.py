"""Orders of nobody's account: whoever holds the signed address may see how they stand, and their receipt."""

from django.core import signing
from django.urls import reverse

from payments.models import Order

SALT = "payments.guest-order"


def guest_path(order: Order, name: str = "guest") -> str:
    """Return the address of a guest's order, or with `guest-pdf` of its receipt as a PDF."""
    return reverse(f"payments:{name}", args=[sign_order(order)])


def sign_order(order: Order) -> str:
    """Return the token by which a guest is known as the payer of the order: see `read_token`."""
    return signing.Signer(salt=SALT).sign_object(order.pk)


def order_path(order: Order) -> str:
    """Return where the payer of the order finds its receipt."""
    return guest_path(order) if order.payer_id is None else reverse("payments:receipt", args=[order.code])


def read_token(token: str) -> int | None:
    """Return the order behind a guest's address, by its row; None for one that we did not sign."""
    try:
        return int(signing.Signer(salt=SALT).unsign_object(token))
    except signing.BadSignature:
        return None
