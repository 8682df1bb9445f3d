"""What the office has asked people for, and an account on hold."""

from decimal import Decimal

from accounts.models import DocumentRequest, User
from accounts.services.document_requests import ask_for_document, decline_request
from accounts.services.documents import upload_documents
from accounts.services.holds import place_hold
from demo.data.pictures import as_sent, draw_card

ASKED, SENT, DECLINED, ON_HOLD = "maya.chen", "liam.oconnor", "emma.lindqvist", "lucas.moreau"


def make_documents(office: User) -> None:
    """One document is asked for, one is to be looked at, one was not good enough; one account is on hold."""
    ask_for_document(person=_person(ASKED), what="Proof of address, not older than three months", actor=office)
    _send(_person(SENT), "Student card", "Liam O'Connor\nStudent 2026/27", office)
    declined = _send(_person(DECLINED), "Student card", "Emma Lind", office)
    decline_request(request=declined, reason="The card's number is cut off. Please take the photo again.", actor=office)
    place_hold(
        person=_person(ON_HOLD), reason="Your cheque of last term was returned", amount=Decimal("38.00"), actor=office
    )


def _send(person: User, what: str, words: str, office: User) -> DocumentRequest:
    request = ask_for_document(person=person, what=what, actor=office)
    file = as_sent("Student card.png", draw_card("Lakeshore University", words))
    upload_documents(person=person, files=[file], request=request)
    request.refresh_from_db()
    return request


def _person(name: str) -> User:
    return User.objects.get(email=f"{name}@lakeshore.example")
