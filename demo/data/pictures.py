"""Pictures that people and officers send, drawn here: nobody's real car or card."""

import io

from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image, ImageDraw

from accounts.forms.documents import read_document
from accounts.services.documents import NewDocument

INK, PAPER = "#0f172a", "#e8efff"


def draw_card(title: str, words: str) -> bytes:
    """Return a card with a title and some lines, as PNG."""
    image = Image.new("RGB", (640, 400), PAPER)
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, 640, 90), fill="#1d4ed8")
    draw.text((30, 25), title, fill="white", font_size=36)
    draw.multiline_text((30, 150), words, fill=INK, font_size=44)
    return as_png(image)


def draw_car(plate: str, colour: str = "#64748b") -> bytes:
    """Return a car seen from behind with its plate, as PNG."""
    image = Image.new("RGB", (800, 600), "#cbd5e1")
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 430, 800, 600), fill="#475569")
    draw.rounded_rectangle((230, 130, 570, 330), 60, fill=colour)
    draw.rounded_rectangle((270, 160, 530, 260), 30, fill="#bfdbfe")
    draw.rounded_rectangle((180, 260, 620, 450), 40, fill=colour)
    for left in (200, 510):
        draw.rounded_rectangle((left, 290, left + 90, 330), 15, fill="#dc2626")
        draw.rounded_rectangle((left, 430, left + 90, 510), 20, fill=INK)
    draw.rounded_rectangle((290, 350, 510, 420), 8, fill="white", outline=INK, width=3)
    draw.text((400, 385), plate, fill=INK, font_size=42, anchor="mm")
    return as_png(image)


def as_png(image: Image.Image) -> bytes:
    """Return the picture's file."""
    content = io.BytesIO()
    image.save(content, "PNG")
    return content.getvalue()


def as_sent(name: str, content: bytes) -> NewDocument:
    """Return the picture as an upload that has passed its checks."""
    return read_document(SimpleUploadedFile(name, content, "image/png"))
