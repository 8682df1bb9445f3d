"""Files from outside: judged by their content, never by their name, and stored under a name that nobody can guess."""

import warnings
from pathlib import PurePosixPath
from typing import IO, Any
from uuid import uuid4

from django.core.exceptions import ValidationError
from django.template.defaultfilters import filesizeformat
from django.utils.deconstruct import deconstructible
from django.utils.translation import gettext as _
from PIL import Image, ImageFile

IMAGE_TYPES = {"PNG": "image/png", "JPEG": "image/jpeg"}
ENDINGS = {"image/png": ".png", "image/jpeg": ".jpg", "application/pdf": ".pdf"}
MAX_IMAGE_BYTES = 2 * 1024 * 1024
MAX_IMAGE_PIXELS = 16_000_000


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


def check_image(file: IO[bytes], *, max_bytes: int = MAX_IMAGE_BYTES, max_pixels: int = MAX_IMAGE_PIXELS) -> str:
    """Return the content type of a whole PNG or JPEG; raises ValidationError for anything else.

    The pixels are counted from the header before any is decoded: a small file can unfold to gigabytes.
    """
    size = file.seek(0, 2)
    if size > max_bytes:
        raise ValidationError(
            _("The file is too big: at the most %(size)s, please.") % {"size": filesizeformat(max_bytes)},
            code="too_big",
        )
    file.seek(0)
    try:
        kind = _decode(file, max_pixels)
    except ValidationError:
        raise
    except Image.DecompressionBombError as error:
        raise too_many_pixels(max_pixels) from error
    except Exception as error:
        # Pillow raises many kinds of errors on broken files; each of them means the same to the sender.
        raise ValidationError(_("Please choose a PNG or JPEG picture."), code="not_an_image") from error
    finally:
        file.seek(0)
    return IMAGE_TYPES[kind]


def too_many_pixels(limit: int) -> ValidationError:
    """Return the refusal of a picture that is larger than the limit."""
    text = _("The picture is too large: at the most %(count)s million pixels, please.")
    return ValidationError(text % {"count": limit // 1_000_000}, code="too_many_pixels")


def _decode(file: IO[bytes], max_pixels: int) -> str:
    with warnings.catch_warnings():
        # Our own limit stands below; Pillow's warning at its own would only make noise.
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        # WeasyPrint, once imported, tells Pillow for the whole process to accept files that are cut short.
        ImageFile.LOAD_TRUNCATED_IMAGES = False
        with Image.open(file, formats=list(IMAGE_TYPES)) as image:
            if image.width * image.height > max_pixels:
                raise too_many_pixels(max_pixels)
            image.load()
            return str(image.format)
