from typing import Any

from django.apps import AppConfig
from django.contrib.auth.signals import user_logged_in
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = _("People")

    def ready(self) -> None:
        from accounts import person_parts
        from accounts.mfa.receivers import connect
        from accounts.person_part import AccountsPart
        from accounts.roles import make_groups

        post_migrate.connect(make_profile_fields, sender=self, dispatch_uid="accounts.profile_fields")
        post_migrate.connect(make_groups, dispatch_uid="accounts.roles")
        person_parts.register(AccountsPart())
        connect()
        user_logged_in.disconnect(dispatch_uid="update_last_login")
        user_logged_in.connect(remember_sign_in, dispatch_uid="accounts.last_login")


def remember_sign_in(sender: type[Any], request: Any, user: Any, **kwargs: Any) -> None:
    """Write down when people signed in, but not when somebody else was let into their account.

    In place of Django's receiver: hijack takes that one away for the moment of a switch, for all threads at once, and for
    good when the switch fails.
    """
    from django.contrib.auth.models import update_last_login

    if not getattr(request, "is_switching", False):
        update_last_login(sender, user)


def make_profile_fields(**kwargs: Any) -> None:
    """Add the rows of built-in fields that are not there yet; what the office decided about the others stays."""
    from accounts.models import ProfileField
    from accounts.profile import BUILT_IN

    rows = [
        ProfileField(
            name=field.name,
            group=field.group,
            state=field.state,
            is_asked_at_registration=field.at_registration,
            position=position,
        )
        for position, field in enumerate(BUILT_IN)
    ]
    ProfileField.objects.bulk_create(rows, ignore_conflicts=True)
