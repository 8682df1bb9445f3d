from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class OfficeConfig(AppConfig):
    name = "office"
    verbose_name = _("Office")

    def ready(self) -> None:
        from office.deeds import DEEDS
        from opscom.core.deeds import add_words

        add_words(DEEDS)
