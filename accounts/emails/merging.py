"""What we write when two records of one person were put together."""

from accounts.emails.sending import make_link, send
from accounts.models import User


def records_merged(person: User) -> None:
    """Tell the person, at the address of the record that stays, that everything is there now, and how to sign in."""
    link = make_link("accounts:forgot", person.language)
    send("records_merged", person.contact_email, person.language, context={"link": link})


def address_retired(address: str, language: str) -> None:
    """Tell the address of the record that is gone. The other address is not named: its mailbox may be somebody else's."""
    send("address_retired", address, language)
