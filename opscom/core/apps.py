from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CoreConfig(AppConfig):
    name = "opscom.core"
    label = "core"
    verbose_name = _("Core")

    def ready(self) -> None:
        from django.conf import settings

        from opscom.core.checks import refuse_public_demo

        refuse_public_demo(
            is_demo=settings.OPSCOM_DEMO, site_url=settings.SITE_URL, allowed_hosts=settings.ALLOWED_HOSTS
        )
