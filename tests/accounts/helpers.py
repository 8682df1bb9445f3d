"""What the e-mails of a test say."""

import re

from django.test import Client
from django.urls import reverse

from opscom.messaging.models import Message
from opscom.messaging.rendering import render

# What a person's page at the office sends of a mailing address that nobody has given.
NO_LETTERS = {"mailing_address-TOTAL_FORMS": 0, "mailing_address-INITIAL_FORMS": 0}


def mails(*names: str) -> list[Message]:
    """Return the outbox, oldest first; with names, only these templates of accounts."""
    rows = Message.objects.order_by("pk")
    return list(rows.filter(template__in=[f"accounts/{name}" for name in names]) if names else rows)


def link_in(message: Message) -> str:
    """Return the path and query of the link in the mail, as its receiver would follow it."""
    letter, _kept = render(message)
    found = re.search(r"https?://[^/\s]+(/(?:password|address)/\S+)", letter.text)
    assert found, letter.text
    return found[1]


def sign_in(client: Client, email: str, password: str, **more: str):
    """Post the sign-in form."""
    return client.post(reverse("account_login"), {"email": email, "password": password, **more})


def register(client: Client, email: str, **more: str):
    """Post the form `Create Account`."""
    fields = {"email": email, "first_name": "Nia", "last_name": "Newcomer", **more}
    return client.post(reverse("accounts:register"), fields)


def is_signed_in(client: Client) -> bool:
    """Say whether the browser's session belongs to somebody."""
    return client.get(reverse("accounts:security")).status_code == 200
