"""Files that people upload to their account.

The file is stored before its row is written, and deleted after its row says that it was removed: a process that is
killed in between leaves a file without a living row, never a row without its file. `sweep_files` deletes such files.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings
from django.core.files.base import File
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import Count, Sum
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import REQUEST_MOVES, AccountDocument, DocumentRequest, RequestStatus, User
from accounts.selectors import require_proved
from accounts.services.people import lock_person
from opscom.core import audit
from opscom.core.errors import Allowed, Decision, DomainError, NotAllowed, Refused
from opscom.core.hooks import after_commit
from opscom.core.locks import lock_row
from opscom.core.sweeping import sweep_folder
from opscom.core.transitions import advance
from opscom.core.uploads import CheckedDocument, write_limit

FOLDER = "documents"


@dataclass(frozen=True, slots=True)
class NewDocument:
    """A file that passed its checks, with the name under which its sender knows it."""

    name: str
    checked: CheckedDocument


def can_upload(person: User, *, count: int = 1, size: int = 0) -> Decision:
    """Say whether the person may keep so many more documents, of `size` bytes in all; removed ones do not count."""
    proved = require_proved(person, "documents")
    if not proved.is_allowed:
        return proved
    most, most_bytes = settings.DOCUMENTS_PER_PERSON, settings.DOCUMENT_BYTES_PER_PERSON
    kept = AccountDocument.objects.living().filter(person=person).aggregate(count=Count("pk"), size=Sum("size"))
    if kept["count"] + count > most:
        text = ngettext(
            "You can keep %(most)d document here. Remove one that is no longer needed.",
            "You can keep %(most)d documents here. Remove some that are no longer needed.",
            most,
        )
        return Refused("too-many-documents", text % {"most": most})
    if (kept["size"] or 0) + size > most_bytes:
        text = _("Your documents may have %(size)s in all. Remove some that are no longer needed.")
        return Refused("documents-too-big", text % {"size": write_limit(most_bytes)})
    return Allowed()


def upload_documents(
    *, person: User, files: Sequence[NewDocument], request: DocumentRequest | None = None
) -> list[AccountDocument]:
    """Keep the files, all or none; those sent for a request of the office make it one to be looked at.

    Raises NotAllowed with the rule that refuses, Stale when the request or the account is gone.
    """
    can_upload(person, count=len(files), size=sum(file.checked.size for file in files)).or_raise()
    documents = [_store(person, file) for file in files]
    try:
        return _write_rows(person, documents, request)
    except DomainError:
        # After any other error the rows may be there all the same, and need their files.
        for document in documents:
            document.file.delete(save=False)
        raise


def _store(person: User, file: NewDocument) -> AccountDocument:
    document = AccountDocument(
        person=person, name=file.name, content_type=file.checked.content_type, size=file.checked.size
    )
    document.file.save(file.name, File(file.checked.content), save=False)
    return document


@transaction.atomic
def _write_rows(
    person: User, documents: list[AccountDocument], request: DocumentRequest | None
) -> list[AccountDocument]:
    # Two uploads of one person come one after the other, and so does a merge of their record.
    person = lock_person(person)
    can_upload(person, count=len(documents), size=sum(document.size for document in documents)).or_raise()
    if request:
        request = lock_row(DocumentRequest.objects.filter(pk=request.pk, person=person), "product", "document_request")
        if request.status not in RequestStatus.waiting():
            raise NotAllowed(_("“%(what)s” is not asked for any more.") % {"what": request.what})
    for document in documents:
        document.request = request
        document.save()
        audit.record("document.uploaded", document, actor=person, size=document.size, kind=document.content_type)
    if request and request.status != RequestStatus.SENT:
        advance(request, RequestStatus.SENT, table=REQUEST_MOVES)
        audit.record("document_request.sent", request, actor=person, files=len(documents))
    return documents


def can_remove(document: AccountDocument) -> Decision:
    """Say whether its owner may remove the file: not while the office looks at it, nor what it approved."""
    status = document.request.status if document.request else ""
    if status == RequestStatus.SENT:
        return Refused("looked-at", _("The parking office is looking at this document, so it stays for now."))
    if status == RequestStatus.APPROVED:
        return Refused("approved", _("The parking office has approved this document, so it stays."))
    return Allowed()


@transaction.atomic
def remove_document(*, document: AccountDocument, actor: User) -> None:
    """Remove the file for good; its row stays and says when. A second time nothing happens."""
    lock_person(document.person)
    document = AccountDocument.objects.select_related("request").get(pk=document.pk)
    can_remove(document).or_raise()
    if not AccountDocument.objects.living().filter(pk=document.pk).update(removed_at=timezone.now()):
        return
    audit.record("document.removed", document, actor=actor)
    after_commit(default_storage.delete, document.file.name)


def note_opening(*, document: AccountDocument, actor: User) -> None:
    """Write down that somebody of the office fetched the file."""
    audit.record("document.opened", document, actor=actor)


def sweep_files(now: dt.datetime | None = None) -> int:
    """Delete the files that no living row names: what killed processes left behind. Returns how many."""
    return sweep_folder(FOLDER, _named, now=now)


def _named(names: Sequence[str]) -> set[str]:
    return set(AccountDocument.objects.living().filter(file__in=names).values_list("file", flat=True))
