"""Where allauth meets the house: our throttles, our addresses, our outbox."""

import uuid
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest
from django.utils.translation import get_language

from accounts.services.passwords import require_local
from accounts.throttles import may_try_password
from opscom.core.addresses import client_address
from opscom.messaging.models import Lane
from opscom.messaging.services import queue_email


class AccountAdapter(DefaultAccountAdapter):
    """allauth signs people in; registration, passwords and texts are ours."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Never by allauth's own page: `accounts.services.registration` is the only door."""
        return False

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Put allauth's mail into the outbox, as a secret: most of what it sends holds a link or a code."""
        mail = self.render_mail(template_prefix, email, {"email": email, **context})
        queue_email(
            template="accounts/sign_in_notice",
            to=email,
            language=get_language() or "en",
            dedupe_key=f"allauth:{uuid.uuid4().hex}",
            secret_context={"subject": mail.subject, "body": str(mail.body)},
            lane=Lane.URGENT,
        )

    def format_email_subject(self, subject: str) -> str:
        return subject

    def get_client_ip(self, request: HttpRequest) -> str:
        return client_address(request)

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Count the try before the password is looked at; raises ValidationError when there were too many."""
        if not may_try_password(request, credentials.get("username", "")):
            raise self.validation_error("too_many_login_attempts")

    def set_password(self, user: Any, password: str) -> None:
        """Set a password the way allauth would; raises NotAllowed for people who sign in by single sign-on."""
        require_local(user)
        super().set_password(user, password)

    def add_message(self, *args: Any, **kwargs: Any) -> None:
        """Stay silent: that one is signed in is plain to see."""
