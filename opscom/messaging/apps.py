from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MessagingConfig(AppConfig):
    name = "opscom.messaging"
    label = "messaging"
    verbose_name = _("Messages")

    def ready(self) -> None:
        from opscom.messaging import checks  # noqa: F401
