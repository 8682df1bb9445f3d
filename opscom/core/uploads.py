"""Files from outside: judged by their content, never by their name, and stored under a name that nobody can guess."""

import io
import re
import unicodedata
import warnings
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePosixPath
from threading import BoundedSemaphore
from typing import IO, Any, TypeVar
from uuid import uuid4

from django.core.exceptions import ValidationError
from django.utils.deconstruct import deconstructible
from django.utils.translation import gettext as _
from PIL import ExifTags, Image, ImageFile, ImageOps

T = TypeVar("T")
PDF = "application/pdf"
IMAGE_TYPES = {"PNG": "image/png", "JPEG": "image/jpeg"}
ENDINGS = {"image/png": ".png", "image/jpeg": ".jpg", PDF: ".pdf"}
# What a document's name may end with, as the page and its errors say it.
DOCUMENT_ENDINGS = (".pdf", ".png", ".jpg", ".jpeg")
MEGABYTE = 1024 * 1024
MAX_IMAGE_BYTES = 2 * MEGABYTE
MAX_IMAGE_PIXELS = 16_000_000
MAX_DOCUMENT_BYTES = 12 * MEGABYTE
# The cameras of telephones make pictures of 50 million pixels: decoded, three bytes each.
MAX_DOCUMENT_PIXELS = 52_000_000
# Each pass over a progressive JPEG costs as much as the whole picture; cameras write about ten.
MAX_JPEG_SCANS = 100
PDF_TAIL = 2048
LONGEST_STEM = 100
# However many threads a process has, so many pictures at once lie unfolded in its memory.
_decoding = BoundedSemaphore(2)


@deconstructible
class RandomName:
    """An `upload_to`: keeps nothing of the sender's file name but an ending that we know."""

    def __init__(self, folder: str) -> None:
        self.folder = folder

    def __call__(self, instance: Any, filename: str) -> str:
        ending = PurePosixPath(filename).suffix.lower()
        ending = {".jpeg": ".jpg"}.get(ending, ending)
        return f"{self.folder}/{uuid4().hex}{ending if ending in ENDINGS.values() else ''}"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RandomName) and other.folder == self.folder

    def __hash__(self) -> int:
        return hash(self.folder)


@dataclass(frozen=True, slots=True)
class CheckedDocument:
    """A file that may be stored: what is to be stored, what it is, and its size in bytes."""

    content: IO[bytes]
    content_type: str
    size: int


def check_image(file: IO[bytes], *, max_bytes: int = MAX_IMAGE_BYTES, max_pixels: int = MAX_IMAGE_PIXELS) -> str:
    """Return the content type of a whole PNG or JPEG; raises ValidationError for anything else.

    The pixels are counted from the header before any is decoded: a small file can unfold to gigabytes.
    """
    _check_size(file, max_bytes)
    try:
        return IMAGE_TYPES[_decode(file, max_pixels, _kind_of)]
    except ValidationError:
        raise
    except Exception as error:
        # Pillow raises many kinds of errors on broken files; each of them means the same to the sender.
        raise ValidationError(_("Please choose a PNG or JPEG picture."), code="not_an_image") from error
    finally:
        file.seek(0)


def check_document(file: IO[bytes]) -> CheckedDocument:
    """Return what is to be stored of a PDF, PNG or JPEG; raises ValidationError, which says why, for anything else.

    A PDF is stored as it came. A picture is written anew, so that nothing is left of it but its pixels and which side
    is up: positions, times, camera, names, comments, embedded small pictures, colour profile, further pictures in the
    file and whatever hung behind its end are gone.
    """
    size = _check_size(file, MAX_DOCUMENT_BYTES)
    beginning = file.read(8)
    file.seek(0)
    if beginning.startswith(b"%PDF-"):
        _check_pdf(file, size)
        return CheckedDocument(file, PDF, size)
    if not beginning.startswith((b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")):
        raise ValidationError(_("This is not a PDF, PNG or JPEG file."), code="wrong_kind")
    return _clean_picture(file)


def too_many_pixels(limit: int) -> ValidationError:
    """Return the refusal of a picture that is larger than the limit."""
    text = _("The picture is too large: at most %(count)s million pixels, please.")
    return ValidationError(text % {"count": limit // 1_000_000}, code="too_many_pixels")


def write_limit(limit: int) -> str:
    """Return a limit in bytes as people say it: whole megabytes."""
    return _("%(count)d MB") % {"count": limit // MEGABYTE}


def has_document_ending(name: str) -> bool:
    """Say whether a name ends as documents do. One without any ending passes: some cameras give none."""
    return PurePosixPath(name).suffix.lower() in ("", *DOCUMENT_ENDINGS)


def clean_file_name(name: str, content_type: str) -> str:
    """Return the sender's name for a file as it may be shown and offered for saving, with the ending of its content.

    No folders, no control characters, nothing that turns the direction of writing, at most a hundred characters.
    """
    name = plain_name(name)
    stem = name[: -len(ending)] if (ending := PurePosixPath(name).suffix).lower() in DOCUMENT_ENDINGS else name
    stem = " ".join(stem.split())[:LONGEST_STEM].strip(" .")
    return f"{stem or _('document')}{ENDINGS[content_type]}"


def plain_name(name: str) -> str:
    """Return the sender's name for a file without folders, and without what cannot be seen or turns the writing."""
    name = unicodedata.normalize("NFC", re.split(r"[/\\]", name)[-1])
    return "".join(letter for letter in name if unicodedata.category(letter) not in ("Cc", "Cf", "Cs", "Zl", "Zp"))


def _check_size(file: IO[bytes], max_bytes: int) -> int:
    size = file.seek(0, 2)
    file.seek(0)
    if size == 0:
        raise ValidationError(_("The file is empty."), code="empty")
    if size > max_bytes:
        text = _("The file is too big: at most %(size)s, please.")
        raise ValidationError(text % {"size": write_limit(max_bytes)}, code="too_big")
    return size


def _damaged() -> ValidationError:
    return ValidationError(_("The file is damaged or not complete."), code="damaged")


# Pictures


def _clean_picture(file: IO[bytes]) -> CheckedDocument:
    content = io.BytesIO()
    if file.read(2) == b"\xff\xd8" and file.read().count(b"\xff\xda") > MAX_JPEG_SCANS:
        raise _damaged()
    try:
        kind = _decode(file, MAX_DOCUMENT_PIXELS, lambda image: _write_anew(image, content))
    except ValidationError:
        raise
    except Exception as error:
        # Pillow raises many kinds of errors on broken files; each of them means the same to the sender.
        raise _damaged() from error
    size = content.tell()
    content.seek(0)
    return CheckedDocument(content, IMAGE_TYPES[kind], size)


def _decode(file: IO[bytes], max_pixels: int, deed: Callable[[Image.Image], T]) -> T:
    """Return what `deed` makes of the decoded picture."""
    file.seek(0)
    with _decoding, warnings.catch_warnings():
        # Our own limit stands below; Pillow's warning at its own would only make noise.
        warnings.simplefilter("ignore")
        # WeasyPrint, once imported, tells Pillow for the whole process to accept files that are cut short.
        ImageFile.LOAD_TRUNCATED_IMAGES = False
        try:
            with Image.open(file, formats=list(IMAGE_TYPES)) as image:
                if image.width * image.height > max_pixels:
                    raise too_many_pixels(max_pixels)
                image.load()
                return deed(image)
        except Image.DecompressionBombError as error:
            raise too_many_pixels(max_pixels) from error


def make_thumbnail(content: IO[bytes], most: tuple[int, int]) -> bytes:
    """Return a small JPEG, at most that wide and high and the right way up, of a picture that was checked before."""
    into = io.BytesIO()
    content.seek(0)
    with _decoding, Image.open(content, formats=list(IMAGE_TYPES)) as image:
        # A JPEG is unfolded only as far as is needed.
        image.draft("RGB", (most[0] * 2, most[1] * 2))
        small = ImageOps.exif_transpose(image) or image
        small.thumbnail(most)
        small.convert("RGB").save(into, "JPEG", quality=80)
    content.seek(0)
    return into.getvalue()


def _kind_of(image: Image.Image) -> str:
    # Telephones write several pictures into one JPEG: Pillow calls that MPO, and shows the first.
    return "JPEG" if image.format == "MPO" else str(image.format)


def _write_anew(image: Image.Image, into: IO[bytes]) -> str:
    kind = _kind_of(image)
    exif, turned = Image.Exif(), image.getexif().get(ExifTags.Base.Orientation)
    if turned in range(2, 9):
        exif[ExifTags.Base.Orientation] = turned
    kept = image.info.get("transparency")
    image.info = {} if kept is None else {"transparency": kept}
    if kind == "JPEG":
        # With the tables of the file itself, so that it loses next to nothing.
        image.format = "JPEG"
        image.save(into, "JPEG", quality="keep", exif=exif)
    else:
        image.save(into, "PNG", exif=exif)
    return kind


# PDF


def _check_pdf(file: IO[bytes], size: int) -> None:
    """Raise unless the file begins and ends as a PDF does, and as nothing else.

    Its last line but one says where its table of contents stands: a file that was cut, or that hangs behind something
    else, has none there. What is inside is not judged: it is never shown by us, only handed out to be saved.
    """
    head = file.read(16)
    file.seek(-min(size, PDF_TAIL), 2)
    end = re.search(rb"startxref\s+(\d{1,10})\s+%%EOF[\s\x00]*\Z", file.read())
    if not re.match(rb"%PDF-[12]\.\d", head) or end is None:
        raise _damaged()
    file.seek(min(int(end[1]), size))
    if not re.match(rb"\s*(xref|\d+\s+\d+\s+obj)\b", file.read(64)):
        raise _damaged()
    if zipfile.is_zipfile(file):
        # A program in Java, or an archive, that also opens as a PDF.
        raise ValidationError(_("This file is a PDF and an archive at once."), code="wrong_kind")
    file.seek(0)
