"""Refuse to start production with something that belongs to the demo."""

from django.conf import settings
from django.core.checks import Error, Tags, register


@register(Tags.security)
def demo_is_not_production(app_configs, **kwargs):
    """The demo bank gives permits away for made-up cards: with it on, no https address and no real host is served."""
    if not settings.OPSCOM_DEMO:
        return []
    problems = []
    if settings.SITE_URL.startswith("https://"):
        problems.append(
            Error(
                "OPSCOM_DEMO is on while SITE_URL is a public https address.",
                hint="Unset OPSCOM_DEMO: the demo bank accepts made-up cards.",
                id="core.E001",
            )
        )
    return problems
