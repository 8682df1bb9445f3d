from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PaymentsConfig(AppConfig):
    name = "payments"
    verbose_name = _("Payments")

    def ready(self) -> None:
        from accounts import person_parts
        from payments import checks as checks
        from payments import purchasables
        from payments.debt_purchasable import DebtPurchase
        from payments.deposit_purchasable import DepositPurchase
        from payments.person_part import PaymentsPart

        person_parts.register(PaymentsPart())
        purchasables.register(DebtPurchase())
        purchasables.register(DepositPurchase())
