from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class BootsConfig(AppConfig):
    name = "boots"
    verbose_name = _("Boots")

    def ready(self) -> None:
        from boots.purchasable import BootPurchase
        from boots.receipts import show_code
        from payments import purchasables, receipt_parts

        purchasables.register(BootPurchase())
        receipt_parts.register(BootPurchase.kind, show_code)
