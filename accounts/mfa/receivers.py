"""What follows signals of Django and allauth: a code goes out at sign-in, and cached exceptions are dropped."""

from typing import Any

from allauth.account.signals import user_logged_in
from django.contrib.auth.models import Group
from django.db.models.signals import m2m_changed, post_delete, post_save
from django.http import HttpRequest

from accounts.mfa import is_verified
from accounts.mfa.codes import send_code
from accounts.mfa.rules import forget_exceptions, method_of
from accounts.models import MfaMethod, User, UserType
from opscom.core.hooks import after_commit


def connect() -> None:
    """Listen; called once, when the apps are ready."""
    user_logged_in.connect(send_at_sign_in, dispatch_uid="accounts.mfa.code")
    for through in (User.groups.through, User.user_permissions.through, Group.permissions.through):
        m2m_changed.connect(drop_exceptions, sender=through, dispatch_uid=f"accounts.mfa.{through.__name__}")
    for signal in (post_save, post_delete):
        signal.connect(drop_exceptions, sender=UserType, dispatch_uid=f"accounts.mfa.{id(signal)}")


def send_at_sign_in(request: HttpRequest, user: User, **kwargs: Any) -> None:
    """E-mail the code that the next page asks for. One that is on its way already stays the good one: see the cool-down."""
    if not is_verified(request) and method_of(user) == MfaMethod.EMAIL:
        send_code(person=user)


def drop_exceptions(**kwargs: Any) -> None:
    """Drop what is cached now and, for those who read between now and the commit, once more after it."""
    forget_exceptions()
    after_commit(forget_exceptions)
