from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ViolationsConfig(AppConfig):
    name = "violations"
    verbose_name = _("Tickets and appeals")

    def ready(self) -> None:
        from accounts import person_parts
        from payments import purchasables
        from vehicles import entitlements
        from violations.entitlement import TicketEntitlements
        from violations.person_part import ViolationsPart
        from violations.purchasable import TicketPurchase

        purchasables.register(TicketPurchase())
        entitlements.register(TicketEntitlements())
        person_parts.register(ViolationsPart())
