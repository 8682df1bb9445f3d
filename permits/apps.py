from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PermitsConfig(AppConfig):
    name = "permits"
    verbose_name = _("Lots and permits")

    def ready(self) -> None:
        from accounts import person_parts
        from payments import purchasables
        from permits.entitlement import PermitEntitlements
        from permits.person_part import PermitsPart
        from permits.purchasable import PermitPurchase
        from vehicles import entitlements

        purchasables.register(PermitPurchase())
        entitlements.register(PermitEntitlements())
        person_parts.register(PermitsPart())
