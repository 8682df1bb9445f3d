from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class MessagingConfig(AppConfig):
    name = "opscom.messaging"
    label = "messaging"
    verbose_name = _("Messages")

    def ready(self) -> None:
        from opscom.messaging import checks  # noqa: F401

        post_migrate.connect(make_categories, sender=self, dispatch_uid="messaging.categories")


def make_categories(**kwargs: Any) -> None:
    """Add the four categories that are not there yet; what the office wrote about the others stays."""
    from opscom.messaging.categories import BUILT_IN
    from opscom.messaging.models import EmailCategory

    rows = [EmailCategory(position=position, **words) for position, words in enumerate(BUILT_IN)]
    EmailCategory.objects.bulk_create(rows, ignore_conflicts=True)
