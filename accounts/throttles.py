"""How often a client, an address or a person may try to get in or make us send mail.

Where several limits stand together, the narrow one is asked first and `and` ends at the first no: what one client is
refused is counted against nobody else.
"""

from django.http import HttpRequest

from opscom.core.addresses import throttle_address
from opscom.core.throttles import allow

MINUTE, HOUR, DAY = 60, 3600, 86400


def may_try_password(request: HttpRequest, email: str) -> bool:
    """Few tries per address from one client; more in all, so that strangers cannot shut the owner out cheaply."""
    client = throttle_address(request)
    return (
        allow("sign-in.client", client, limit=60, seconds=10 * MINUTE)
        and allow("sign-in.client-address", f"{client}|{email}", limit=6, seconds=10 * MINUTE)
        and allow("sign-in.address", email, limit=100, seconds=HOUR)
    )


def may_register(request: HttpRequest) -> bool:
    """A family or a small office behind one address may register; a script may not."""
    return allow("register.client", throttle_address(request), limit=20, seconds=HOUR)


def may_ask_reminder(request: HttpRequest) -> bool:
    """Count one reminder that this client asks for."""
    return allow("reminder.client", throttle_address(request), limit=20, seconds=HOUR)


def may_open_link(request: HttpRequest) -> bool:
    """Count one try to use a password link."""
    return allow("link.client", throttle_address(request), limit=60, seconds=HOUR)


def may_mail(email: str) -> bool:
    """Count one mail to an address that somebody typed. Beyond the limit nothing is sent, and nobody is told so."""
    return allow("mail.hour", email, limit=5, seconds=HOUR) and allow("mail.day", email, limit=15, seconds=DAY)


def may_use_provider(request: HttpRequest) -> bool:
    """Count one step of a single sign-on. Generous: a whole campus may come from one address."""
    return allow("sso.client", throttle_address(request), limit=600, seconds=10 * MINUTE)


def may_check_own_password(person_code: str) -> bool:
    """Count one try of the current password by somebody signed in: the session may be a stolen one."""
    return allow("own-password", person_code, limit=10, seconds=HOUR)


def may_change_address(person_code: str) -> bool:
    """Count one request for another e-mail address: each writes to a mailbox that may be a stranger's."""
    is_few = allow("change-email.hour", person_code, limit=5, seconds=HOUR)
    return is_few and allow("change-email.day", person_code, limit=10, seconds=DAY)


def may_upload(person_code: str) -> bool:
    """Count one upload: each costs the time to read a picture of fifty million pixels, perhaps six of them."""
    return allow("upload", person_code, limit=30, seconds=HOUR)


def may_send_office_link(person_code: str) -> bool:
    """Count one password link from the office. Apart from `may_mail`, which strangers can use up."""
    return allow("office.link", person_code, limit=5, seconds=HOUR)


def may_ask_document(person_code: str) -> bool:
    """Count one document that the office asks somebody for: each is an e-mail."""
    is_few = allow("office.document.hour", person_code, limit=10, seconds=HOUR)
    return is_few and allow("office.document.day", person_code, limit=30, seconds=DAY)


def may_send_code(person_code: str) -> bool:
    """Count one e-mailed code. Apart from `may_mail`: strangers who use that up must not keep the owner from signing in."""
    is_few = allow("code.mail.hour", person_code, limit=10, seconds=HOUR)
    return is_few and allow("code.mail.day", person_code, limit=40, seconds=DAY)


def may_try_code(request: HttpRequest, person_code: str) -> bool:
    """Count one typed code, whatever session and address it comes from: a million codes are not many."""
    return (
        allow("code.client", throttle_address(request), limit=60, seconds=10 * MINUTE)
        and allow("code.person.hour", person_code, limit=20, seconds=HOUR)
        and allow("code.person.day", person_code, limit=60, seconds=DAY)
    )
