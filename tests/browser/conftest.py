"""One portal for all browser tests of a worker, a browser for each module, and a fresh device for each page opened."""

import os
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from demo import places
from demo.system import browser as find_browser
from tests.browser.device import Device
from tests.browser.site import Site, running_site

SWITCHES = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
SWITCHES += ["--disable-component-update", "--disable-sync"]
# The machine may be busy with other tests.
expect.set_options(timeout=30_000)
# What the pages looked like when a test failed.
RESULTS = places.CHECKOUT / "test-results"
FAILED = pytest.StashKey[bool]()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what stands in this folder."""
    for item in items:
        if "/tests/browser/" in item.path.as_posix():
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def site(django_db_setup: None, django_db_blocker: pytest.FixtureRequest) -> Iterator[Site]:
    """Run the portal for as long as this worker has browser tests; its rows stay, so each test makes its own people."""
    with django_db_blocker.unblock():
        running = running_site()
        found = running.__enter__()
    try:
        yield found
    finally:
        with django_db_blocker.unblock():
            running.__exit__(None, None, None)


@pytest.fixture(autouse=True)
def the_sites_database(site: Site, django_db_blocker: pytest.FixtureRequest) -> Iterator[None]:
    """Let the test look behind the pages: the office's side of the world, the clock, the bank."""
    with django_db_blocker.unblock(), site.opened():
        yield


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Start the system's Chromium. For one module only: while Playwright's loop runs, Django takes all code for async."""
    before = os.environ.get("DJANGO_ALLOW_ASYNC_UNSAFE")
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_browser(), args=SWITCHES)
        yield browser
        browser.close()
    if before is None:
        del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Let the fixtures know how the test went."""
    report = yield
    item.stash[FAILED] = item.stash.get(FAILED, False) or report.failed
    return report


@pytest.fixture
def device(chromium: Browser, site: Site, request: pytest.FixtureRequest) -> Iterator[Callable[..., Device]]:
    """Return a maker of devices: each a browser of its own. At the end each must have had a quiet console."""
    devices: list[Device] = []

    def make(**options: object) -> Device:
        devices.append(Device(chromium, site.url, **options))
        return devices[-1]

    yield make
    for number, one in enumerate(devices):
        if request.node.stash.get(FAILED, False):
            one.page.screenshot(path=RESULTS / f"{request.node.name}-{number}.png", full_page=True)
        one.context.close()
    for one in devices:
        assert one.noise == []


@pytest.fixture
def page(device: Callable[..., Device]) -> Page:
    """A page of a stranger who has chosen English, on a desk."""
    return device().page
