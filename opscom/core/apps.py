from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CoreConfig(AppConfig):
    name = "opscom.core"
    label = "core"
    verbose_name = _("Core")

    def ready(self) -> None:
        from opscom.core import checks  # noqa: F401
