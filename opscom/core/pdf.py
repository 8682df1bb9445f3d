"""Paper: HTML of ours becomes a PDF."""


def write_pdf(html: str) -> bytes:
    """Turn HTML into a PDF; anything that is not inline is refused, so a document can never fetch an address.

    For workers only: it takes seconds, and a second more for its first call.
    """
    from weasyprint import HTML  # noqa: PLC0415 - slow to import, and only the worker needs it
    from weasyprint.urls import URLFetcher  # noqa: PLC0415 - the same

    inline_only = URLFetcher(allowed_protocols=["data"], allow_redirects=False)
    pdf: bytes = HTML(string=html, url_fetcher=inline_only).write_pdf()
    return pdf
