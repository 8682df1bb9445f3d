"""Photos of tickets, and evidence. A file is stored before its row is written; `sweep_files` deletes what has no row."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.files.base import ContentFile, File
from django.core.files.storage import default_storage
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import User
from accounts.services.documents import NewDocument
from opscom.core import audit
from opscom.core.errors import DomainError, NotAllowed
from opscom.core.hooks import after_commit
from opscom.core.sweeping import sweep_folder
from opscom.core.uploads import make_thumbnail
from violations.models import Appeal, Evidence, Ticket, TicketPhoto
from violations.services.locking import lock_ticket

THUMBNAIL = (320, 320)
# Files that wait beside a form which nobody sent.
STAGED_FOR = dt.timedelta(days=7)


def keep_photos(*, ticket: Ticket, photos: Sequence[NewDocument], actor: User | None) -> list[TicketPhoto]:
    """Keep the officer's photos, inside the caller's transaction."""
    kept = [store_file(TicketPhoto(ticket=ticket, taken_by=actor), photo) for photo in photos]
    for photo in kept:
        photo.save()
    return kept


def staged(ticket: Ticket, person: User) -> list[Evidence]:
    """Return what the person has uploaded for an appeal, or an answer, that is not sent yet."""
    return list(Evidence.objects.filter(ticket=ticket, person=person, appeal=None))


def stage_evidence(*, ticket: Ticket, person: User, files: Sequence[NewDocument]) -> list[Evidence]:
    """Keep files beside the form until it is sent, all or none. Raises NotAllowed beyond the number of files."""
    rows = [store_file(Evidence(ticket=ticket, person=person), file) for file in files]
    try:
        return _write_staged(ticket, person, rows)
    except DomainError:
        for row in rows:
            _delete_stored([row.file.name, row.thumbnail.name])
        raise


@transaction.atomic
def _write_staged(ticket: Ticket, person: User, rows: list[Evidence]) -> list[Evidence]:
    ticket = lock_ticket(ticket.pk)
    most = settings.EVIDENCE_PER_APPEAL
    if Evidence.objects.filter(ticket=ticket, person=person).count() + len(rows) > most:
        text = ngettext("At most %(most)d file with an appeal.", "At most %(most)d files with an appeal.", most)
        raise NotAllowed(text % {"most": most})
    for row in rows:
        row.save()
    return rows


@transaction.atomic
def remove_evidence(*, evidence: Evidence, actor: User) -> None:
    """Remove a file that is not sent yet; a second time nothing happens. Raises NotAllowed once it is sent."""
    lock_ticket(evidence.ticket_id)
    row = Evidence.objects.filter(pk=evidence.pk, person=actor).first()
    if row is None:
        return
    if row.appeal_id:
        raise NotAllowed(_("This file is sent already, and stays with the appeal."))
    names = [row.file.name, row.thumbnail.name]
    row.delete()
    after_commit(_delete_stored, names)


def attach_staged(*, appeal: Appeal, person: User | None) -> int:
    """Send what waits beside the form with the appeal; the caller holds the ticket's lock. Returns how many."""
    waiting = Evidence.objects.filter(ticket=appeal.ticket_id, person=person, appeal=None) if person else None
    return waiting.update(appeal=appeal) if waiting is not None else 0


def attach_new(*, appeal: Appeal, files: Sequence[NewDocument], actor: User) -> None:
    """Keep what came with an appeal on paper, inside the caller's transaction."""
    for file in files:
        store_file(Evidence(ticket=appeal.ticket, person=actor, appeal=appeal), file).save()


def note_opening(*, evidence: Evidence, actor: User) -> None:
    """Write down that somebody of the office fetched the file."""
    audit.record("evidence.opened", evidence.ticket, actor=actor, file=evidence.name)


def sweep_files(now: dt.datetime | None = None) -> int:
    """Forget what nobody sent within a week, then delete the files that no row names. Returns how many files."""
    Evidence.objects.filter(appeal=None, uploaded_at__lt=(now or timezone.now()) - STAGED_FOR).delete()
    return sum(sweep_folder(folder, model_names(model), now=now) for folder, model in FOLDERS.items())


FOLDERS: dict[str, Any] = {"evidence": Evidence, "ticket-photos": TicketPhoto}


def model_names(model: Any) -> Any:
    """Return a function that keeps, of some names of files, those that rows of the model name."""

    def kept(names: Sequence[str]) -> set[str]:
        files = model.objects.filter(file__in=names).values_list("file", flat=True)
        return {*files, *model.objects.filter(thumbnail__in=names).values_list("thumbnail", flat=True)}

    return kept


def store_file(row: Any, file: NewDocument) -> Any:
    """Store the file, and its thumbnail, under random names into the row, which is not saved yet; returns the row."""
    row.name, row.content_type, row.size = file.name, file.checked.content_type, file.checked.size
    if row.is_picture:
        row.thumbnail.save("thumbnail.jpg", ContentFile(make_thumbnail(file.checked.content, THUMBNAIL)), save=False)
    row.file.save(file.name, File(file.checked.content), save=False)
    return row


def _delete_stored(names: Sequence[str | None]) -> None:
    for name in filter(None, names):
        default_storage.delete(name)
