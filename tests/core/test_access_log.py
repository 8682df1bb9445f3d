"""The log of requests holds no secret of an address."""

import datetime as dt
from types import SimpleNamespace

import pytest
from gunicorn.config import Config

from accounts.links import Purpose, make_change_token, make_token
from demo.places import CHECKOUT
from opscom.access_log import AccessLogger
from opscom.messaging.preferences import make_link
from tests.factories.accounts import make_user

pytestmark = pytest.mark.django_db


def line(path: str, query: str = "lang=en", referer: str = "-") -> str:
    """What gunicorn would write of a request."""
    logger = AccessLogger(Config())
    environ = {
        "REQUEST_METHOD": "GET",
        "RAW_URI": f"{path}?{query}",
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_REFERER": referer,
    }
    response = SimpleNamespace(status="200 OK", sent=5, headers=[])
    parts = logger.atoms(response, SimpleNamespace(headers=[]), environ, dt.timedelta(seconds=1))
    return logger.cfg.access_log_format % logger.atoms_wrapper_class(parts) + f" {parts['U']} {parts['q']}"


def test_mailed_links_are_not_in_the_log():
    person = make_user()
    tokens = [make_token(person, purpose) for purpose in Purpose if purpose != Purpose.CHANGE]
    tokens += [make_change_token(person, "new@example.org"), make_link("a@example.org", "news", "en").split("/")[-1]]
    for token in tokens:
        token = token.partition("?")[0]
        for part in (
            line(f"/password/reset/{token}"),
            line("/x", f"code={token}&a=1"),
            line("/x", "", f"https://a.b/{token}"),
        ):
            assert token not in part
            assert token[:39] not in part
            assert "..." in part


def test_what_helps_to_find_a_fault_stays():
    said = line("/password/reset/~0123456789abcdef", "lang=fr-ca&next=/vehicles/", "https://parking.example/login")
    assert '"GET /password/reset/~0123456789abcdef?lang=fr-ca&next=/vehicles/ HTTP/1.1" 200' in said
    assert "https://parking.example/login" in said


@pytest.mark.parametrize("path", ["Dockerfile", "demo/supervisor.py"])
def test_servers_that_log_use_it(path):
    text = (CHECKOUT / path).read_text()
    assert text.count("--access-logfile") == text.count("opscom.access_log.AccessLogger") == 1
