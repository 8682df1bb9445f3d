"""Puts our site in the place of Unfold's own; named in INSTALLED_APPS."""

from django.apps import AppConfig


class OfficeSiteConfig(AppConfig):
    """The app "unfold", with another site than `unfold.apps.DefaultAppConfig` makes."""

    name = "unfold"

    def ready(self) -> None:
        from django.contrib import admin  # noqa: PLC0415 - apps are being loaded
        from django.contrib.admin import sites  # noqa: PLC0415

        from accounts.mfa.site import OfficeSite  # noqa: PLC0415

        admin.site = sites.site = OfficeSite()
