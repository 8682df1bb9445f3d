"""`Account Uploads`: what is taken and what is not, who gets it again, and what the office asks for."""

import datetime as dt
import io
import re
import zipfile

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.urls import reverse
from django.utils import timezone
from PIL import Image

from accounts.invariants import check_documents
from accounts.models import AccountDocument, DocumentRequest, RequestStatus
from accounts.services import documents as services
from accounts.services.document_requests import approve_request, ask_for_document, decline_request, withdraw_request
from accounts.tasks import sweep_documents
from opscom.core import sweeping
from opscom.core.errors import NotAllowed, Stale
from opscom.core.models import AuditEntry
from opscom.core.uploads import MAX_DOCUMENT_BYTES
from tests.accounts.helpers import mails
from tests.factories.accounts import set_field
from tests.factories.companies import log_in_as
from tests.factories.documents import make_document, make_request, pdf, photo, sent_file
from tests.factories.provider import set_provider
from tests.provider.pictures import bomb

pytestmark = pytest.mark.django_db
PAGE = "/uploads"


@pytest.fixture
def upload(client_of, resident):
    """Return a function that sends files as the resident."""
    client = client_of(resident)

    def send(*files, **fields):
        return client.post(PAGE, {"chosen": list(files), **fields})

    send.client = client
    return send


def errors_of(response) -> str:
    return " ".join(" ".join(each) for each in response.context["form"].errors.values())


def stored() -> set[str]:
    try:
        return set(default_storage.listdir("documents")[1])
    except FileNotFoundError:
        return set()


@pytest.fixture(autouse=True)
def empty_storage():
    for name in stored():
        default_storage.delete(f"documents/{name}")


# Uploading


def test_several_files_are_kept_under_random_names_and_listed(upload):
    response = upload(sent_file("Hydro bill.pdf"), sent_file("../../etc/Licence.JPEG", photo(), "image/jpeg"))
    assert (response.status_code, response.url) == (302, PAGE)
    page = upload.client.get(PAGE).content.decode()
    for part in ("Uploaded Documents", "Hydro bill.pdf", "Licence.jpg", "Select Files to Upload", "Upload File"):
        assert part in page
    assert "2 files are uploaded." in page
    for document in AccountDocument.objects.all():
        assert re.fullmatch(r"documents/[0-9a-f]{32}\.(pdf|jpg)", document.file.name)


def test_camera_of_a_telephone_sends_its_own_input(client_of, resident):
    client = client_of(resident)
    assert client.post(PAGE, {"photo": sent_file("image.jpg", photo())}).status_code == 302
    assert 'capture="environment"' in client.get(PAGE).content.decode()
    assert AccountDocument.objects.get().name == "image.jpg"


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("setup.exe", b"MZ\x90\0" + b"\0" * 300, "Files of this kind are not taken."),
        ("scan.pdf", b"MZ\x90\0" + b"\0" * 300, "This is not a PDF, PNG or JPEG file."),
        ("bill.pdf.exe", pdf(), "Files of this kind are not taken."),
        ("list.xlsx", b"PK\x03\x04" + b"\0" * 300, "Files of this kind are not taken."),
        ("page.png", b"<html><script>alert(1)</script>", "This is not a PDF, PNG or JPEG file."),
        ("drawing.png", b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "This is not a PDF"),
        ("drawing.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>", "Files of this kind are not taken."),
        ("bill.pdf", b"", "The file is empty."),
        ("huge.png", bomb(50_000, 50_000), "at most 52 million pixels"),
        ("large.png", bomb(8_000, 7_000), "at most 52 million pixels"),
        ("cut.png", photo("PNG", (300, 300))[:-200], "damaged or not complete"),
        ("cut.jpg", photo(size=(300, 300))[:-200], "damaged or not complete"),
        ("cut.pdf", pdf()[:-20], "damaged or not complete"),
        ("big.pdf", pdf(b"x" * (12 * 1024 * 1024)), "at most 12 MB"),
    ],
)
def test_what_is_refused_is_named_with_why_and_what_is_taken(upload, name, content, why):
    response = upload(sent_file("good.pdf"), sent_file(name, content, "image/png"))
    assert response.status_code == 422
    said = errors_of(response)
    assert f"“{name}”: " in said
    assert why in said
    assert "Allowed are .pdf, .png, .jpg, .jpeg files of up to 12 MB each. Nothing was uploaded." in said
    assert "good.pdf" not in said
    assert not AccountDocument.objects.exists()
    assert stored() == set()


def test_the_summary_names_a_field_once(upload):
    page = upload(sent_file("good.pdf"), sent_file("setup.exe")).content.decode()
    summary = page.split("data-error-summary", 1)[1].split("</div>", 1)[0]
    assert summary.count("Select Files to Upload") == 1
    assert "Files of this kind are not taken." in summary
    assert "Nothing was uploaded." in summary


def test_one_limit_stands_everywhere(upload):
    page = upload.client.get(PAGE).content.decode()
    assert f'data-most="{MAX_DOCUMENT_BYTES}"' in page
    assert 'data-too-big="“{name}” is bigger than 12 MB."' in page
    assert "files of up to 12 MB each." in page


def test_a_wrong_content_type_changes_nothing(upload):
    upload(sent_file("bill.pdf", pdf(), "text/html"))
    upload(sent_file("bill.png", photo("JPEG"), "application/x-msdownload"))
    kinds = set(AccountDocument.objects.values_list("name", "content_type"))
    assert kinds == {("bill.pdf", "application/pdf"), ("bill.jpg", "image/jpeg")}


def test_nothing_chosen_and_too_many_are_said(upload, settings):
    assert "Choose the files first." in errors_of(upload())
    settings.DOCUMENTS_PER_UPLOAD = 2
    assert "At most 2 files at one time." in errors_of(upload(sent_file(), sent_file(), sent_file()))


def test_how_many_and_how_much_one_may_keep(upload, settings, resident):
    settings.DOCUMENTS_PER_PERSON = 2
    assert upload(sent_file()).status_code == 302
    said = upload(sent_file(), sent_file())
    assert "You can keep 2 documents here." in said.content.decode()
    settings.DOCUMENT_BYTES_PER_PERSON = 2 * len(pdf()) - 1
    assert "may have" in upload(sent_file()).content.decode()
    services.remove_document(document=AccountDocument.objects.get(), actor=resident)
    assert upload(sent_file()).status_code == 302
    assert len(stored()) == 2  # the removed one goes after the commit, which a test does not reach


def test_uploading_is_throttled(upload, monkeypatch):
    answers = [upload(sent_file()).status_code for _try in range(31)]
    assert answers[-1] == 429
    assert answers[:-1] == [302] * 30


def test_unproved_people_are_told_why_not(client_of, unproved_resident):
    client = client_of(unproved_resident)
    page = client.get(PAGE).content.decode()
    assert "Before you can upload documents, confirm your e-mail address" in page
    assert "Send the link again" in page
    assert "Upload File" not in page
    assert client.post(PAGE, {"chosen": [sent_file()]}).status_code == 403
    assert not AccountDocument.objects.exists()


def test_switched_off_there_is_no_page_and_no_entry(client_of, resident, clerk):
    document = make_document(resident)
    set_provider(is_document_upload_on=False)
    client = client_of(resident)
    assert client.get(PAGE).status_code == 404
    assert client.post(PAGE, {"chosen": [sent_file()]}).status_code == 404
    assert client.post(reverse("accounts:remove_document", args=[document.code])).status_code == 404
    assert "Upload Documents" not in client.get("/").content.decode()
    with pytest.raises(NotAllowed, match="switched off"):
        make_request(resident, clerk)


def test_entry_stands_in_the_name_menu(client_of, resident):
    assert 'href="/uploads"' in client_of(resident).get("/").content.decode()


@pytest.mark.parametrize("path", ["/uploads", "/vehicles/", "/login", "/nowhere"])
def test_too_long_a_request_is_refused_unread(anonymous, path):
    class Unreadable(io.BytesIO):
        def read(self, *args):
            raise AssertionError("the body was read")

    length = 80 * 1024 * 1024
    kind = "multipart/form-data; boundary=x"
    response = anonymous.generic(
        "POST", path, b"", CONTENT_TYPE=kind, CONTENT_LENGTH=str(length), **{"wsgi.input": Unreadable()}
    )
    assert response.status_code == 413
    assert "Too much at once" in response.content.decode()


# The list


@pytest.mark.parametrize("rows", [1, 3])
def test_page_is_flat(client_of, resident, clerk, rows, django_assert_num_queries):
    for row in range(rows):
        make_document(resident, request=make_request(resident, clerk, what=f"Paper {row}"))
        make_request(resident, clerk, what=f"Other paper {row}")
    client = client_of(resident)
    client.get(PAGE)
    with django_assert_num_queries(7):
        client.get(PAGE)


def test_nobody_elses_documents_or_requests_are_listed(client_of, resident, other_resident, administrator):
    make_document(other_resident, name="theirs.pdf", request=make_request(other_resident, administrator, "Their paper"))
    for person in (resident, administrator):
        page = client_of(person).get(PAGE).content.decode()
        assert "theirs.pdf" not in page
        assert "Their paper" not in page


# Getting it again


def fetch(client, document, method="get", **headers):
    return getattr(client, method)(reverse("accounts:document_file", args=[document.code]), **headers)


@pytest.mark.parametrize(
    ("name", "content", "kind"), [("a.pdf", None, "application/pdf"), ("a.png", photo("PNG"), "image/png")]
)
def test_file_comes_as_an_attachment_that_runs_nowhere(upload, client_of, resident, name, content, kind):
    upload(sent_file(name, content))
    for extra in ({}, {"HTTP_RANGE": "bytes=0-10"}, {"HTTP_ACCEPT": "text/html"}):
        response = fetch(client_of(resident), AccountDocument.objects.get(), **extra)
        assert response["Content-Disposition"] == f'attachment; filename="{name}"'
        assert response["Content-Type"] == kind
        assert response["X-Content-Type-Options"] == "nosniff"
        assert response["Content-Security-Policy"] == "default-src 'none'; sandbox"
        assert response["Cache-Control"] == "private, no-store"
    assert fetch(client_of(resident), AccountDocument.objects.get(), "head")["Content-Disposition"].startswith(
        "attachment"
    )


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("../../etc/passwd.pdf", "passwd.pdf"),
        ("C:\\Users\\me\\bill.pdf", "bill.pdf"),
        ('a"; filename="evil.html".pdf', "a; filename=evil.html.pdf"),
        ("\u202efdp.exe.pdf", "fdp.exe.pdf"),
        ("nul\0byte\r\nSet-Cookie: a=b.pdf", "nulbyteSet-Cookie: a=b.pdf"),
        ("é" * 300 + ".pdf", "é" * 100 + ".pdf"),
        ("Fähre 🚢.PDF", "Fähre 🚢.pdf"),
        ("   ...   .pdf", "document.pdf"),
        ("noending", "noending.pdf"),
    ],
)
def test_names_are_kept_without_their_teeth(client_of, resident, sent, kept):
    # As the view gets it: Django's own cleaning of a multipart's names is not relied upon.
    file = sent_file("x.pdf")
    file._name = sent
    from accounts.forms.documents import read_document

    document = services.upload_documents(person=resident, files=[read_document(file)])[0]
    assert document.name.replace('"', "") == kept.replace('"', "")
    header = fetch(client_of(resident), document)["Content-Disposition"]
    assert header.startswith("attachment; filename")
    assert not re.search(r"[\r\n\0]", header)
    assert header.isascii()
    # One name and no second parameter, whatever quotes the name holds.
    assert len(re.findall(r'(?<!\\)"', header)) in (0, 2)


def test_strangers_find_nothing_by_any_way(client_of, resident, other_resident, manager, officer, anonymous):
    document = make_document(resident)
    for person in (other_resident, manager, officer):
        for method in ("get", "head", "post", "delete", "options"):
            assert fetch(client_of(person), document, method).status_code in (404, 405), (person, method)
        assert fetch(client_of(person), document, HTTP_RANGE="bytes=0-3").status_code == 404
    client = client_of(resident)
    for path in (document.file.name, f"media/{document.file.name}", f"static/{document.file.name}"):
        assert client.get(f"/{path}").status_code == 404
    assert fetch(anonymous, document).status_code == 302
    assert client_of(other_resident).post(reverse("accounts:remove_document", args=[document.code])).status_code == 404
    assert AccountDocument.objects.living().exists()


def test_whose_account_a_manager_is_in_decides(client_of, resident, manager):
    document = make_document(resident)
    client = client_of(manager)
    assert fetch(client, document).status_code == 404
    log_in_as(client, resident)
    assert fetch(client, document).status_code == 200
    assert client.post(PAGE, {"chosen": [sent_file("by manager.pdf")]}).status_code == 302
    entry = AuditEntry.objects.filter(action="document.uploaded").latest("pk")
    assert (entry.actor, entry.on_behalf_of) == (manager, resident)


def test_the_office_opens_a_file_and_the_log_says_so(client_of, resident, clerk):
    document = make_document(resident)
    client = client_of(clerk)
    for count, method in enumerate(("get", "head"), start=1):
        assert fetch(client, document, method).status_code == 200
        assert AuditEntry.objects.filter(action="document.opened", actor=clerk).count() == count
    fetch(client_of(resident), document)
    assert AuditEntry.objects.filter(action="document.opened").count() == 2


def test_office_with_an_incomplete_profile_of_its_own_gets_the_file(client_of, resident, clerk):
    set_field("mobile_phone", state="required")
    assert fetch(client_of(clerk), make_document(resident)).status_code == 200
    assert client_of(clerk).get(PAGE).status_code == 302


def test_a_lost_file_is_not_found(client_of, resident):
    document = make_document(resident)
    default_storage.delete(document.file.name)
    assert fetch(client_of(resident), document).status_code == 404


# Removing


def test_owner_removes_a_file_and_the_row_stays(client_of, resident, django_capture_on_commit_callbacks):
    document = make_document(resident)
    client = client_of(resident)
    address = reverse("accounts:remove_document", args=[document.code])
    assert "deleted for good" in client.get(address).content.decode()
    with django_capture_on_commit_callbacks(execute=True):
        assert client.post(address).status_code == 302
    document.refresh_from_db()
    assert document.removed_at
    assert stored() == set()
    assert fetch(client, document).status_code == 404
    assert client.post(address).status_code == 404
    assert AuditEntry.objects.filter(action="document.removed").count() == 1


@pytest.mark.parametrize(
    ("decide", "may"),
    [(None, False), (approve_request, False), (decline_request, True), (withdraw_request, True)],
)
def test_what_the_office_looks_at_or_approved_stays(client_of, resident, clerk, decide, may):
    wanted = make_request(resident, clerk)
    document = make_document(resident, request=wanted)
    wanted.refresh_from_db()
    if decide:
        decide(request=wanted, actor=clerk, **({"reason": "Blurred"} if decide is decline_request else {}))
    client = client_of(resident)
    address = reverse("accounts:remove_document", args=[document.code])
    assert ("so it stays" in client.get(address).content.decode()) is not may
    client.post(address)
    document.refresh_from_db()
    assert (document.removed_at is not None) is may


# Files without rows


def test_what_a_killed_process_left_is_deleted_after_a_day_and_nothing_else(resident, monkeypatch):
    kept, removed = make_document(resident), make_document(resident)
    AccountDocument.objects.filter(pk=removed.pk).update(removed_at=timezone.now())
    orphan = default_storage.save("documents/0123456789abcdef.pdf", ContentFile(pdf()))
    assert sweep_documents() == 0
    later = timezone.now() + dt.timedelta(days=1, minutes=1)
    assert services.sweep_files(later) == 2
    assert default_storage.exists(kept.file.name)
    assert not default_storage.exists(orphan)
    assert not default_storage.exists(removed.file.name)


def test_a_sweep_that_finds_far_too_much_deletes_nothing(resident, monkeypatch):
    """Somebody has put an old backup, or another database, beside these files."""
    monkeypatch.setattr(sweeping, "MOST_ORPHANS", 2)
    for _file in range(3):
        default_storage.save("documents/lost.pdf", ContentFile(pdf()))
    assert services.sweep_files(timezone.now() + dt.timedelta(days=2)) == 0
    assert len(stored()) == 3


def test_a_refused_upload_leaves_no_file(resident, clerk):
    wanted = make_request(resident, clerk)
    withdraw_request(request=wanted, actor=clerk)
    with pytest.raises(NotAllowed, match="not asked for any more"):
        make_document(resident, request=wanted)
    assert stored() == set()


def test_lost_files_and_requests_with_nothing_to_see_are_found(resident, clerk):
    wanted = make_request(resident, clerk)
    document = make_document(resident, request=wanted)
    make_request(resident, clerk, what="Student card")
    assert list(check_documents()) == []
    default_storage.delete(document.file.name)
    assert [document.code in problem for problem in check_documents()] == [True]
    AccountDocument.objects.update(removed_at=timezone.now())
    assert [wanted.code in problem for problem in check_documents()] == [True]


# What the office asks for


def test_from_asking_to_approval(client_of, resident, clerk):
    """Asked by e-mail, sent, declined with a reason, sent again, approved; each step is told and written down."""
    wanted = ask_for_document(person=resident, what="Proof of address", actor=clerk)
    client = client_of(resident)
    assert "The parking office asks you for: Proof of address" in client.get(PAGE).content.decode()
    client.post(PAGE, {"chosen": [sent_file("one.pdf")], "request": wanted.code})
    wanted.refresh_from_db()
    assert wanted.status == RequestStatus.SENT
    decline_request(request=wanted, reason="The page is cut off.", actor=clerk)
    page = client.get(PAGE).content.decode()
    assert "The page is cut off." in page
    client.post(PAGE, {"chosen": [sent_file("two.pdf")], "request": wanted.code})
    wanted.refresh_from_db()
    approve_request(request=wanted, actor=clerk)
    assert (wanted.status, wanted.decided_by) == (RequestStatus.APPROVED, clerk)
    assert "asks you for" not in client.get(PAGE).content.decode()
    names = ["document_asked", "document_declined", "document_approved"]
    assert [mail.template for mail in mails()] == [f"accounts/{name}" for name in names]
    assert mails("document_declined")[0].context["reason"] == "The page is cut off."
    actions = AuditEntry.objects.filter(object_kind="accounts.documentrequest").order_by("pk")
    assert [entry.action.partition(".")[2] for entry in actions] == ["asked", "sent", "declined", "sent", "approved"]


def test_somebody_elses_request_cannot_be_answered(upload, other_resident, clerk):
    wanted = make_request(other_resident, clerk)
    response = upload(sent_file(), request=wanted.code)
    assert response.status_code == 422
    assert "This is not asked for any more." in errors_of(response)
    wanted.refresh_from_db()
    assert wanted.status == RequestStatus.ASKED


def test_the_same_is_asked_once(resident, clerk):
    make_request(resident, clerk)
    with pytest.raises(NotAllowed, match="asked for already"):
        make_request(resident, clerk, what="PROOF of address")


def test_nobody_approves_what_they_have_not_seen(resident, clerk):
    wanted = make_request(resident, clerk)
    seen = make_document(resident, request=wanted).pk
    newer = make_document(resident, request=wanted)
    wanted.refresh_from_db()
    with pytest.raises(Stale, match="Another file came"):
        approve_request(request=wanted, actor=clerk, seen=seen)
    approve_request(request=wanted, actor=clerk, seen=newer.pk)


def test_nobody_decides_about_their_own(clerk, administrator):
    wanted = make_request(clerk, administrator)
    make_document(clerk, request=wanted)
    wanted.refresh_from_db()
    with pytest.raises(NotAllowed, match="somebody else must decide"):
        approve_request(request=wanted, actor=clerk)


def test_a_person_without_address_is_asked_without_mail(resident, clerk):
    resident.email, resident.email_proved_at = None, None
    resident.save()
    make_request(resident, clerk)
    assert mails() == []
    assert DocumentRequest.objects.exists()


# What is left of a picture


def read_back() -> Image.Image:
    document = AccountDocument.objects.get()
    with document.file.open("rb") as file:
        image = Image.open(io.BytesIO(file.read()))
    image.load()
    return image


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_only_the_pixels_and_which_side_is_up_are_left(upload, kind):
    content = photo(kind, orientation=6, **({"comment": b"Secret note"} if kind == "JPEG" else {}))
    assert b"Secret" in content
    upload(sent_file("me.png", content + b"Secret tail <?php"))
    document = AccountDocument.objects.get()
    raw = default_storage.open(document.file.name).read()
    for secret in (b"Secret", b"GPS", b"2026:01", b"<?php"):
        assert secret not in raw
    image = read_back()
    assert dict(image.getexif()) == {274: 6}
    assert image.size == (40, 20)
    assert document.size == len(raw)


@pytest.mark.parametrize(
    ("kind", "mode"),
    [("PNG", "RGBA"), ("PNG", "P"), ("PNG", "L"), ("PNG", "1"), ("PNG", "I;16"), ("JPEG", "L"), ("JPEG", "CMYK")],
)
def test_pictures_of_every_mode_pass_unchanged(upload, kind, mode):
    content = io.BytesIO()
    Image.new(mode, (16, 16)).save(content, kind)
    assert upload(sent_file("a.png", content.getvalue())).status_code == 302
    before, after = Image.open(content), read_back()
    assert (after.mode, after.tobytes()) == (before.mode, before.tobytes())


def test_pictures_of_telephones_with_several_in_one_file_keep_the_first(upload):
    content = io.BytesIO()
    first, second = Image.new("RGB", (64, 32), "red"), Image.new("RGB", (64, 32), "blue")
    first.save(content, "MPO", save_all=True, append_images=[second])
    assert upload(sent_file("a.jpg", content.getvalue())).status_code == 302
    image = read_back()
    assert image.format == "JPEG"
    assert image.getpixel((5, 5))[0] > 200


def test_a_jpeg_of_endless_passes_is_refused_before_it_is_decoded(upload):
    content = io.BytesIO()
    Image.new("RGB", (64, 64)).save(content, "JPEG", progressive=True)
    whole = content.getvalue()
    scan = whole[whole.index(b"\xff\xda") : -2]
    assert "damaged" in errors_of(upload(sent_file("a.jpg", whole[:-2] + scan * 100 + b"\xff\xd9")))


def test_an_archive_that_is_a_pdf_too_is_refused(upload):
    archive = io.BytesIO(pdf())
    with zipfile.ZipFile(archive, "a") as file:
        file.writestr("Evil.class", b"\xca\xfe\xba\xbe")
    assert errors_of(upload(sent_file("a.pdf", archive.getvalue())))
    # Hidden in the middle, with its index before the end.
    start = pdf().index(b"xref")
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as file:
        file.writestr("Evil.class", b"\xca\xfe\xba\xbe")
    body = pdf()[:start] + b"%" + inner.getvalue() + b"\n"
    table = pdf()[start : pdf().index(b"startxref")]
    whole = body + table + b"startxref\n%d\n%%%%EOF\n" % len(body)
    assert "a PDF and an archive at once" in errors_of(upload(sent_file("a.pdf", whole)))


def test_a_real_pdf_passes(upload):
    from opscom.core.pdf import write_pdf

    assert upload(sent_file("real.pdf", write_pdf("<p>Hydro</p>"))).status_code == 302
