"""What the office asks people for, and how it judges what came."""

from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.emails import documents as emails
from accounts.models import REQUEST_MOVES, DocumentRequest, RequestStatus, User
from accounts.services.people import lock_person
from accounts.throttles import may_ask_document
from opscom.core import audit
from opscom.core.errors import NotAllowed, Stale
from opscom.core.locks import lock_row
from opscom.core.transitions import advance
from opscom.provider.selectors import get_provider

# Why a request in this state cannot be moved on.
WHY_NOT: dict[str, Any] = {
    RequestStatus.ASKED: gettext_lazy("Nothing has been sent for “%(what)s” yet."),
    RequestStatus.APPROVED: gettext_lazy("“%(what)s” has been approved already."),
    RequestStatus.DECLINED: gettext_lazy("“%(what)s” has been declined already, and nothing new has been sent for it."),
    RequestStatus.WITHDRAWN: gettext_lazy("“%(what)s” is no longer needed."),
}


@transaction.atomic
def ask_for_document(*, person: User, what: str, actor: User) -> DocumentRequest:
    """Ask somebody for a document, and tell them by e-mail when they have an address.

    Raises NotAllowed where nothing can be uploaded, for what is asked for already, and for too much at one time.
    """
    if not get_provider().is_document_upload_on:
        raise NotAllowed(_("Uploading documents is switched off in the provider's settings."))
    person = lock_person(person)
    if DocumentRequest.objects.waiting().filter(person=person, what__iexact=what).exists():
        raise NotAllowed(_("“%(what)s” is asked for already.") % {"what": what})
    if not may_ask_document(person.code):
        raise NotAllowed(_("This person was asked for many documents today. Please wait before you ask for more."))
    request = DocumentRequest.objects.create(person=person, what=what, asked_by=actor)
    audit.record("document_request.asked", request, actor=actor)
    emails.document_asked(request)
    return request


@transaction.atomic
def approve_request(*, request: DocumentRequest, actor: User, seen: int | None = None) -> None:
    """Find good what came. `seen`: see `_decide`."""
    _decide(request, RequestStatus.APPROVED, actor, "", seen)
    audit.record("document_request.approved", request, actor=actor)
    emails.document_approved(request)


@transaction.atomic
def decline_request(*, request: DocumentRequest, reason: str, actor: User, seen: int | None = None) -> None:
    """Refuse what came, with the reason; the person may send it anew. `seen`: see `_decide`."""
    _decide(request, RequestStatus.DECLINED, actor, reason, seen)
    audit.record("document_request.declined", request, actor=actor, reason=reason)
    emails.document_declined(request)


@transaction.atomic
def withdraw_request(*, request: DocumentRequest, actor: User) -> None:
    """Nothing need be sent any more; raises NotAllowed for what is settled."""
    _move(request, RequestStatus.WITHDRAWN)
    audit.record("document_request.withdrawn", request, actor=actor)
    emails.document_withdrawn(request)


def newest_document(request: DocumentRequest) -> int:
    """Return the number of the newest file of the request, the mark of what somebody was shown; 0 without any."""
    documents = request.documents.living().order_by("-pk")
    return documents.values_list("pk", flat=True).first() or 0


def _decide(request: DocumentRequest, to: RequestStatus, actor: User, reason: str, seen: int | None) -> None:
    """Move the request; `seen` is the newest file that the clerk was shown: nobody approves what they have not seen.

    Of two clerks who decide at once, one hears that the record changed.
    """
    if actor.pk == request.person_id:
        raise NotAllowed(_("This is your own document: somebody else must decide about it."))
    lock_row(DocumentRequest.objects.filter(pk=request.pk), "product", "document_request")
    if seen is not None and seen != newest_document(request):
        raise Stale(_("Another file came while you were looking at it. Please look again."))
    _move(request, to, decided_by=actor, decided_at=timezone.now(), reason=reason)


def _move(request: DocumentRequest, to: RequestStatus, **changes: Any) -> None:
    if to not in REQUEST_MOVES[request.status]:
        raise NotAllowed(WHY_NOT[request.status] % {"what": request})
    advance(request, to, table=REQUEST_MOVES, **changes)
