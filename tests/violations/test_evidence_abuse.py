"""Evidence as somebody with bad intentions sends it, on the page that takes it."""

import io
import zipfile

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from opscom.core.uploads import MAX_DOCUMENT_BYTES
from tests.factories.documents import pdf, photo, sent_file
from tests.factories.permits import make_buyer
from tests.factories.violations import make_ticket
from violations.models import Appeal, Evidence

pytestmark = pytest.mark.django_db
SCRIPT = b"<< /OpenAction << /S /JavaScript /JS (app.alert\\(document.cookie\\)) >> >>"


@pytest.fixture
def driver(db):
    return make_buyer()[0]


@pytest.fixture
def send(client_of, driver):
    """Send files with an appeal of the driver's ticket."""
    ticket = make_ticket(driver)
    address = reverse("violations:appeal", args=[ticket.code])

    def post(*files: SimpleUploadedFile, **more: object):
        return client_of(driver).post(address, {"text": "Reasons", "chosen": list(files), **more})

    return post


def archive_and_pdf() -> bytes:
    """A PDF that also opens as an archive."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("evil.html", "<script>alert(1)</script>")
    return pdf(content.getvalue())


def picture_and_page() -> bytes:
    """A picture with a page of script behind its end."""
    return photo() + b"<html><script>alert(document.cookie)</script></html>"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("page.jpg", b"<html><script>alert(1)</script></html>"),
        ("drawing.png", b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'),
        ("program.pdf", b"MZ\x90\x00 This program cannot be run"),
        ("script.html", b"<script>alert(1)</script>"),
        ("photo.jpg.exe", photo()),
        ("both.pdf", archive_and_pdf()),
        ("empty.pdf", b""),
        ("half.jpg", photo()[:200]),
        ("cut.pdf", pdf()[:-20]),
        ("macro.docm", b"PK\x03\x04 word"),
        ("animation.gif", b"GIF89a" + b"\x00" * 40),
    ],
)
def test_what_is_no_evidence_is_named_and_nothing_is_kept(send, name, content):
    response = send(SimpleUploadedFile(name, content, "image/jpeg"))
    assert response.status_code == 422
    assert name.split("/")[-1][:8] in response.content.decode()
    assert not Evidence.objects.exists()
    assert not Appeal.objects.exists()


def test_twelve_megabytes_pass_and_one_byte_more_does_not(send):
    room = MAX_DOCUMENT_BYTES - len(pdf(b""))
    # The length of the number that says where the table stands grows with the file.
    fits = next(one for less in range(20) if len(one := pdf(b"x" * (room - less))) == MAX_DOCUMENT_BYTES)
    too_big = SimpleUploadedFile("big.pdf", fits + b"\n", "application/pdf")
    refused = send(too_big)
    assert refused.status_code == 422
    assert "at most 12 MB" in refused.content.decode()
    assert send(SimpleUploadedFile("just.pdf", fits, "application/pdf")).status_code == 302
    assert Evidence.objects.get().size == MAX_DOCUMENT_BYTES


def test_forty_files_are_too_many_in_one_go_and_in_all(send, settings):
    at_once = send(*[sent_file(f"{number}.pdf") for number in range(40)])
    assert at_once.status_code == 422
    assert "At most 6 files at one time" in at_once.content.decode()
    assert not Evidence.objects.exists()
    for _turn in range(3):
        send(*[sent_file(f"{number}.pdf") for number in range(6)], upload="1")
    last = send(*[sent_file(f"{number}.pdf") for number in range(6)], upload="1")
    assert "At most 20 files with an appeal" in last.content.decode()
    assert Evidence.objects.count() == 18


def test_a_picture_with_a_page_behind_it_loses_the_page(send):
    assert send(SimpleUploadedFile("car.jpg", picture_and_page(), "image/jpeg")).status_code == 302
    with Evidence.objects.get().file.open() as file:
        kept = file.read()
    assert b"<script>" not in kept
    assert b"SecretCamera" not in kept


def test_a_pdf_with_a_script_runs_nowhere(send, client_of, driver):
    """It is stored as it came, and handed out so that no browser opens it as part of this site."""
    send(sent_file("form.pdf", pdf(SCRIPT)))
    file = Evidence.objects.get()
    response = client_of(driver).get(reverse("violations:evidence", args=[file.ticket.code, file.code]))
    assert response["Content-Disposition"].startswith("attachment")
    assert response["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Type"] == "application/pdf"
    assert not file.thumbnail


@pytest.mark.parametrize(
    "name", ["../../etc/passwd.pdf", "a\u202efdp.exe.pdf", "<img src=x onerror=alert(1)>.pdf", "x" * 300 + ".pdf"]
)
def test_names_are_kept_without_their_teeth(send, client_of, driver, name):
    assert send(sent_file(name)).status_code == 302
    file = Evidence.objects.get()
    assert "/" not in file.name
    assert "\u202e" not in file.name
    assert len(file.name) <= 110
    assert name not in file.file.name
    page = client_of(driver).get(reverse("violations:ticket", args=[file.ticket.code])).content.decode()
    assert "<img src=x" not in page


def test_a_request_that_is_too_long_is_refused_unread(client_of, driver):
    ticket = make_ticket(driver)
    response = client_of(driver).post(
        reverse("violations:appeal", args=[ticket.code]), {"text": "x"}, CONTENT_LENGTH=str(80 * 1024 * 1024)
    )
    assert response.status_code == 413


def test_other_pages_of_appeals_take_no_long_requests(client_of, driver):
    ticket = make_ticket(driver)
    response = client_of(driver).post(
        reverse("violations:withdraw", args=[ticket.code]), {}, CONTENT_LENGTH=str(8 * 1024 * 1024)
    )
    assert response.status_code == 413
