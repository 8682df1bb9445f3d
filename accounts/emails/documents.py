"""What we write to people about documents that the office asked for."""

from accounts.emails.sending import make_link, send
from accounts.models import DocumentRequest


def document_asked(request: DocumentRequest) -> None:
    """Say what is needed and where to upload it."""
    _tell("document_asked", request)


def document_approved(request: DocumentRequest) -> None:
    """Say that what came is good."""
    _tell("document_approved", request)


def document_declined(request: DocumentRequest) -> None:
    """Say why what came is not good, and where to send it anew."""
    _tell("document_declined", request, reason=request.reason)


def document_withdrawn(request: DocumentRequest) -> None:
    """Say that nothing need be sent any more."""
    _tell("document_withdrawn", request)


def _tell(name: str, request: DocumentRequest, **more: str) -> None:
    person = request.person
    if not person.email:
        return
    context = {"what": request.what, "link": make_link("accounts:documents", person.language), **more}
    send(name, person.email, person.language, context=context)
