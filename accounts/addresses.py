"""E-mail addresses as they are stored and compared."""

from django.utils.encoding import punycode


def clean_email(text: str) -> str:
    """Return the address in lower case, its domain in ASCII, so that one mailbox has one spelling here."""
    local, _at, domain = text.strip().lower().rpartition("@")
    return f"{local}@{punycode(domain)}" if local else domain


def email_domain(address: str) -> str:
    """Return what stands after the @."""
    return address.rpartition("@")[2]
