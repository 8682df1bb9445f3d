"""Refuse to start with settings under which no message would leave."""

from typing import Any

from django.conf import settings
from django.core.checks import Error, Tags, Warning, register
from django.utils.module_loading import import_string


@register(Tags.compatibility)
def sms_backend_exists(app_configs: Any, **kwargs: Any) -> list[Error]:
    """A misspelt SMS_BACKEND would be noticed only when the first text fails."""
    if not settings.SMS_BACKEND:
        return []
    try:
        import_string(settings.SMS_BACKEND)
    except ImportError as error:
        return [Error(f"SMS_BACKEND cannot be imported: {error}", id="messaging.E001")]
    return []


@register(Tags.security, deploy=True)
def mail_leaves_the_house(app_configs: Any, **kwargs: Any) -> list[Warning]:
    """Without EMAIL_URL, mail is printed to the log, secrets included."""
    if settings.EMAIL_BACKEND != "django.core.mail.backends.console.EmailBackend":
        return []
    return [Warning("EMAIL_URL is not set: e-mail is printed instead of sent.", id="messaging.W001")]
