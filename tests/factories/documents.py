"""Files as people send them, and what hangs on them."""

import io
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import ExifTags, Image

from accounts.forms.documents import read_document
from accounts.models import AccountDocument, DocumentRequest, User
from accounts.services.document_requests import ask_for_document
from accounts.services.documents import upload_documents

PLACE = {1: "N", 2: (45.0, 24.0, 41.0), 3: "W", 4: (75.0, 41.0, 53.0)}


def pdf(text: bytes = b"Hydro bill") -> bytes:
    """Return a small whole PDF."""
    body = b"%PDF-1.4\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n"
    body += b"2 0 obj\n<< /Type /Pages /Kids [] /Count 0 >>\nendobj\n% " + text + b"\n"
    table = b"xref\n0 1\n0000000000 65535 f \ntrailer\n<< /Size 3 /Root 1 0 R >>\n"
    return body + table + b"startxref\n%d\n%%%%EOF\n" % len(body)


def photo(
    kind: str = "JPEG", size: tuple[int, int] = (40, 20), *, orientation: int = 6, mode: str = "RGB", **options: Any
) -> bytes:
    """Return a picture as a telephone makes it: it says where, with what and by whom it was taken, and which side is up."""
    image = Image.new(mode, size, 60 if mode == "L" else None)
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    exif[ExifTags.Base.Make] = "SecretCamera"
    exif[ExifTags.Base.Artist] = "Secret Owner"
    exif.get_ifd(ExifTags.IFD.GPSInfo).update(PLACE)
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = "2026:01:02 03:04:05"
    content = io.BytesIO()
    image.save(content, kind, exif=exif, **options)
    return content.getvalue()


def sent_file(
    name: str = "bill.pdf", content: bytes | None = None, kind: str = "application/pdf"
) -> SimpleUploadedFile:
    """Return a file as a browser sends it."""
    return SimpleUploadedFile(name, pdf() if content is None else content, kind)


def make_document(person: User, *, name: str = "bill.pdf", request: DocumentRequest | None = None) -> AccountDocument:
    """Return a document that the person has uploaded."""
    files = [read_document(sent_file(name))]
    return upload_documents(person=person, files=files, request=request)[0]


def make_request(person: User, office: User, what: str = "Proof of address") -> DocumentRequest:
    """Return what the office asks of the person."""
    return ask_for_document(person=person, what=what, actor=office)
