"""Files are judged by what they are."""

import io

import pytest
from django.core.exceptions import ValidationError
from PIL import ImageFile

from opscom.core.uploads import RandomName, check_image
from tests.provider.pictures import bomb, picture


@pytest.mark.parametrize(("kind", "content_type"), [("PNG", "image/png"), ("JPEG", "image/jpeg")])
def test_whole_pictures_pass_and_can_be_read_after(kind, content_type):
    file = io.BytesIO(picture(kind))
    assert check_image(file) == content_type
    assert file.read() == picture(kind)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", "not_an_image"),
        (b"<html>GIF89a", "not_an_image"),
        (picture("GIF"), "not_an_image"),
        (picture("PNG", (200, 200))[:80], "not_an_image"),
        (bomb(), "too_many_pixels"),
        (bomb(5000, 5000), "too_many_pixels"),
        (picture("PNG") + b"\0" * 3_000_000, "too_big"),
    ],
)
def test_everything_else_is_refused(content, code):
    with pytest.raises(ValidationError) as caught:
        check_image(io.BytesIO(content))
    assert caught.value.code == code


def test_a_cut_picture_is_refused_where_papers_are_made_too(monkeypatch):
    """WeasyPrint switches this on for its whole process."""
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    with pytest.raises(ValidationError):
        check_image(io.BytesIO(picture("PNG", (200, 200))[:80]))


def test_names_are_random_with_endings_that_we_know():
    name = RandomName("provider")
    assert name(None, "../../My Logo.PNG").startswith("provider/")
    assert name(None, "../../My Logo.PNG").endswith(".png")
    assert name(None, "a.jpeg").endswith(".jpg")
    assert "." not in name(None, "logo.php")
    assert name(None, "a.png") != name(None, "a.png")
