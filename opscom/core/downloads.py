"""Files that people sent us, handed out again: to be saved, never shown by the browser as part of this site."""

from typing import IO, Any

from django.http import FileResponse


def send_attachment(file: IO[bytes] | Any, *, name: str, content_type: str) -> FileResponse:
    """Return the open file for saving under `name`, which is clean already (`uploads.clean_file_name`).

    Whatever is in it runs nowhere: it is no page of ours, its kind is not guessed, and it is kept by no cache.
    """
    response = FileResponse(file, as_attachment=True, filename=name, content_type=content_type)
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    response["Cache-Control"] = "private, no-store"
    return response
