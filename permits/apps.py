from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PermitsConfig(AppConfig):
    name = "permits"
    verbose_name = _("Lots and permits")

    def ready(self) -> None:
        from accounts import person_parts
        from payments import purchasables, switches
        from payments.models import SubscriptionUse
        from permits.entitlement import PermitEntitlements
        from permits.person_part import PermitsPart
        from permits.purchasable import PermitPurchase
        from permits.rollover_panel import list_switches
        from permits.waitlist_person_part import WaitlistsPart
        from vehicles import entitlements

        purchasables.register(PermitPurchase())
        entitlements.register(PermitEntitlements())
        switches.register(SubscriptionUse.PERMIT_ROLLOVER, list_switches)
        person_parts.register(PermitsPart())
        person_parts.register(WaitlistsPart())
