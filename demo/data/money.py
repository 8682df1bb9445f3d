"""How the demo's people may pay."""

from payments.models import MethodKind, PaymentMethod, SubscriptionUse


def make_payment_methods() -> None:
    """Offer cards at the demo bank to everybody, for everything."""
    PaymentMethod.objects.update_or_create(
        code="demo-bank",
        defaults={
            "kind": MethodKind.CARD,
            "gateway": "demo-bank",
            "name": {"en": "Credit Card", "fr-ca": "Carte de crédit"},
            "is_on": True,
            "is_for_guests": True,
            "uses": SubscriptionUse.values,
            "position": 1,
        },
    )
