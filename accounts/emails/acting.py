"""What we write to people in whose accounts others act."""

from accounts.emails.sending import make_link, send
from accounts.models import User
from opscom.provider.selectors import local_date


def acting_began(person: User, *, actor: User, company: str) -> None:
    """Tell the owner who is in their account (empty company: the office); once a day for each who acts there."""
    if not person.email:
        return
    context = {
        "who": str(actor),
        "company": company,
        "link": make_link("accounts:history", person.language),
    }
    key = f"{person.code}:{actor.code}:{local_date().isoformat()}"
    send("acting_began", person.email, person.language, context=context, key=key)
