from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class LockersConfig(AppConfig):
    name = "lockers"
    verbose_name = _("Lockers")

    def ready(self) -> None:
        from accounts import person_parts
        from lockers.person_part import LockersPart
        from lockers.purchasable import LockerPurchase
        from payments import purchasables

        purchasables.register(LockerPurchase())
        person_parts.register(LockersPart())
