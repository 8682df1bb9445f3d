"""One person's browser: its width, its colours, its language, who is signed in, and what it complained of."""

from typing import Any

from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, Response

from accounts.models import User
from tests.people import show_code

PHONE, DESK = 390, 1280
HEIGHTS = {PHONE: 844, DESK: 800}
# Refusals that are pages: the browser notes each in its console, which is not a complaint about the page.
PAGES_THAT_REFUSE = {403, 404, 410, 413, 422, 429}


class Device:
    """A fresh browser context with one page."""

    def __init__(
        self,
        chromium: Browser,
        url: str,
        *,
        width: int = DESK,
        scheme: Any = "light",
        language: str = "en",
        javascript: bool = True,
        person: str = "",
    ) -> None:
        self.url = url
        self.noise: list[str] = []
        self.context = chromium.new_context(
            base_url=url,
            viewport={"width": width, "height": HEIGHTS[width]},
            color_scheme=scheme,
            locale={"en": "en-CA", "fr-ca": "fr-CA"}.get(language, "en-CA"),
            java_script_enabled=javascript,
            # Pages move nothing while they are looked at.
            reduced_motion="reduce",
        )
        self.context.set_default_timeout(30_000)
        if language:
            self.context.add_cookies([{"name": settings.LANGUAGE_COOKIE_NAME, "value": language, "url": url}])
        if person:
            self.sign_in(person)
        self.page = self.listen(self.context.new_page())

    def sign_in(self, email: str) -> None:
        """Put a session for this person on the device, without the sign-in page."""
        client = Client()
        person = User.objects.get(email=email)
        client.force_login(person)
        show_code(client, person)
        session = client.cookies[settings.SESSION_COOKIE_NAME].value
        self.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": self.url}])

    def listen(self, page: Page) -> Page:
        """Note whatever the page says to the console, throws, or fails to fetch."""
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.noise.append(f"{page.url}: {error}"))
        page.on("requestfailed", self._failed)
        page.on("response", self._answered)
        return page

    def _heard(self, message: ConsoleMessage) -> None:
        # A refused page is heard of in `_answered`, with its status.
        if not message.text.startswith("Failed to load resource"):
            self.noise.append(f"{message.location.get('url')}: {message.type}: {message.text}")

    def _answered(self, response: Response) -> None:
        is_page = response.request.is_navigation_request() or "hx-request" in response.request.headers
        if response.status >= 400 and not (is_page and response.status in PAGES_THAT_REFUSE):
            self.noise.append(f"{response.url}: {response.status}")

    def _failed(self, request: Request) -> None:
        # Left on purpose: the page went elsewhere meanwhile, or what came is a download.
        if request.failure != "net::ERR_ABORTED":
            self.noise.append(f"{request.url}: {request.failure}")
