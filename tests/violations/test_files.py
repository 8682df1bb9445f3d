"""Evidence and photos: twenty at most, all or none, removable only before they are sent, and swept when they belong to nothing."""

import datetime as dt
import os
from pathlib import Path

import pytest
from django.conf import settings
from django.core.files.storage import default_storage
from django.utils import timezone

from accounts.forms.documents import read_document
from accounts.services.documents import NewDocument
from opscom.core.errors import NotAllowed
from opscom.core.models import AuditEntry
from opscom.core.sweeping import stored_files
from opscom.provider.selectors import local_date
from tests.factories.documents import photo, sent_file
from tests.factories.violations import make_appeal, make_ticket
from violations.models import Evidence, Ticket, TicketPhoto
from violations.services.appealing import answer_question
from violations.services.deciding import PaperAppeal, ask_appellant, enter_appeal
from violations.services.files import keep_photos, note_opening, remove_evidence, stage_evidence, staged, sweep_files

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def own_folder(settings, tmp_path):
    storage = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(tmp_path)}}
    settings.STORAGES = settings.STORAGES | {"default": storage}
    settings.MEDIA_ROOT = str(tmp_path)


@pytest.fixture
def ticket(resident) -> Ticket:
    return make_ticket(resident)


def files(count: int = 1, *, is_picture: bool = False) -> list[NewDocument]:
    if is_picture:
        content = photo(size=(900, 600))
        return [read_document(sent_file(f"sign-{n}.jpg", content, "image/jpeg")) for n in range(count)]
    return [read_document(sent_file(f"letter-{n}.pdf")) for n in range(count)]


def on_disk() -> set[str]:
    return {*stored_files("evidence"), *stored_files("ticket-photos")}


def test_they_wait_beside_the_form_and_go_with_the_appeal(ticket, resident, other_resident):
    rows = stage_evidence(ticket=ticket, person=resident, files=files(2))
    assert staged(ticket, resident) == rows
    assert staged(ticket, other_resident) == []
    appeal = make_appeal(ticket)
    assert list(appeal.evidence.all()) == rows
    assert staged(ticket, resident) == []
    assert AuditEntry.objects.get(action="appeal.sent").facts["files"] == 2


def test_somebody_elses_files_do_not_go_with_it(ticket, resident, other_resident):
    stage_evidence(ticket=ticket, person=other_resident, files=files())
    other_ticket = make_ticket(resident)
    stage_evidence(ticket=other_ticket, person=resident, files=files())
    assert not make_appeal(ticket).evidence.exists()


def test_a_picture_has_a_thumbnail_and_stored_names_are_random(ticket, resident):
    [pdf], [picture] = (
        stage_evidence(ticket=ticket, person=resident, files=files()),
        stage_evidence(ticket=ticket, person=resident, files=files(is_picture=True)),
    )
    assert (pdf.is_picture, bool(pdf.thumbnail)) == (False, False)
    assert (picture.is_picture, picture.thumbnail.size < picture.file.size) == (True, True)
    assert not any("letter" in name or "sign" in name for name in on_disk())
    with default_storage.open(picture.file.name) as stored:
        assert b"Secret" not in stored.read()
    assert (picture.name, pdf.name) == ("sign-0.jpg", "letter-0.pdf")


def test_twenty_at_most_all_or_none_and_nothing_stays_on_disk(ticket, resident):
    most = settings.EVIDENCE_PER_APPEAL
    assert most == 20
    stage_evidence(ticket=ticket, person=resident, files=files(19))
    before = on_disk()
    with pytest.raises(NotAllowed, match="At most 20 files"):
        stage_evidence(ticket=ticket, person=resident, files=files(2, is_picture=True))
    assert (Evidence.objects.count(), on_disk()) == (19, before)
    stage_evidence(ticket=ticket, person=resident, files=files(1))
    with pytest.raises(NotAllowed):
        stage_evidence(ticket=ticket, person=resident, files=files(1))


def test_what_is_sent_counts_when_more_is_sent_with_an_answer(ticket, resident, clerk):
    stage_evidence(ticket=ticket, person=resident, files=files(19))
    appeal = make_appeal(ticket)
    ask_appellant(appeal=appeal, text="Which sign?", actor=clerk)
    with pytest.raises(NotAllowed):
        stage_evidence(ticket=ticket, person=resident, files=files(2))
    stage_evidence(ticket=ticket, person=resident, files=files(1))
    answer_question(appeal=appeal, person=resident, text="This one.")
    assert appeal.evidence.count() == 20
    assert AuditEntry.objects.get(action="appeal.answered").facts["files"] == 1


def test_removed_before_it_is_sent_the_file_is_gone(ticket, resident, django_capture_on_commit_callbacks):
    [row] = stage_evidence(ticket=ticket, person=resident, files=files(is_picture=True))
    assert len(on_disk()) == 2
    for _time in range(2):
        with django_capture_on_commit_callbacks(execute=True):
            remove_evidence(evidence=row, actor=resident)
    assert (Evidence.objects.count(), on_disk()) == (0, set())


def test_removed_by_its_sender_alone_and_never_once_sent(ticket, resident, other_resident):
    [row] = stage_evidence(ticket=ticket, person=resident, files=files())
    pk = row.pk
    remove_evidence(evidence=row, actor=other_resident)
    assert Evidence.objects.filter(pk=pk).exists()
    make_appeal(ticket)
    with pytest.raises(NotAllowed, match="sent already"):
        remove_evidence(evidence=Evidence.objects.get(pk=pk), actor=resident)
    assert Evidence.objects.filter(pk=pk).exists()
    assert len(on_disk()) == 1


def test_on_paper_with_files(ticket, clerk):
    paper = PaperAppeal(appellant="", reason="By letter.", received_on=local_date())
    appeal = enter_appeal(ticket=ticket, paper=paper, actor=clerk, files=files(2))
    assert appeal.evidence.count() == 2
    assert staged(ticket, clerk) == []


def test_photos_of_the_officer(ticket, officer):
    keep_photos(ticket=ticket, photos=files(2, is_picture=True), actor=officer)
    assert TicketPhoto.objects.filter(ticket=ticket, taken_by=officer).count() == 2


def test_who_of_the_office_opened_a_file_is_written_down(ticket, resident, clerk):
    [row] = stage_evidence(ticket=ticket, person=resident, files=files())
    note_opening(evidence=row, actor=clerk)
    entry = AuditEntry.objects.get(action="evidence.opened")
    assert (entry.actor, entry.object_id, entry.facts["file"]) == (clerk, ticket.pk, "letter-0.pdf")


def test_the_sweep_takes_what_nobody_sent_and_what_has_no_row_and_nothing_else(ticket, resident, officer):
    sent_rows = stage_evidence(ticket=ticket, person=resident, files=files(1, is_picture=True))
    make_appeal(ticket)
    other = make_ticket(resident)
    old, new = stage_evidence(ticket=other, person=resident, files=files(2))
    photos = keep_photos(ticket=ticket, photos=files(is_picture=True), actor=officer)
    week = dt.timedelta(days=7)
    Evidence.objects.exclude(pk=new.pk).update(uploaded_at=timezone.now() - week - dt.timedelta(minutes=1))
    Evidence.objects.filter(pk=new.pk).update(uploaded_at=timezone.now() - week + dt.timedelta(minutes=1))
    for folder in ("evidence", "ticket-photos"):
        lost = Path(settings.MEDIA_ROOT) / folder / "lost.pdf"
        lost.write_bytes(b"x")
    for name in on_disk():
        os.utime(Path(settings.MEDIA_ROOT) / name, (0, 0))
    young = Path(settings.MEDIA_ROOT) / "evidence" / "young.pdf"
    young.write_bytes(b"x")
    assert sweep_files() == 3
    kept = {row.file.name for row in [*sent_rows, new, *photos]} | {row.thumbnail.name for row in [*sent_rows, *photos]}
    assert on_disk() == kept | {"evidence/young.pdf"}
    assert set(Evidence.objects.values_list("pk", flat=True)) == {sent_rows[0].pk, new.pk}
    assert not Evidence.objects.filter(pk=old.pk).exists()
