"""`oidc-provider-mock` on a free port, and what its visitors do there."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import requests
from django.test import Client
from django.urls import reverse


@dataclass(frozen=True)
class OidcServer:
    """The provider and its people."""

    url: str

    def make_person(self, sub: str, **claims: Any) -> str:
        """Enter somebody, or change what is said of them."""
        answer = requests.put(f"{self.url}/users/{sub}", json=claims, timeout=5)
        answer.raise_for_status()
        return sub

    def authorize(self, url: str, sub: str | None) -> str:
        """Do what the browser does there, and return the address to which it is sent back; None: press `Deny`."""
        data = {"sub": sub} if sub else {"action": "deny"}
        answer = requests.post(url, data=data, allow_redirects=False, timeout=5)
        assert answer.status_code in (302, 303), answer.text
        back = urlsplit(answer.headers["Location"])
        return f"{back.path}?{back.query}"


def free_port() -> int:
    """Return a port on which nobody listens."""
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        return int(door.getsockname()[1])


@contextmanager
def running_oidc() -> Iterator[OidcServer]:
    """Run the provider until the block ends."""
    port = free_port()
    command = [sys.executable, "-m", "oidc_provider_mock", "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        url = f"http://127.0.0.1:{port}"
        wait_for(process, f"{url}/.well-known/openid-configuration")
        yield OidcServer(url)
    finally:
        process.terminate()
        process.wait(10)


def wait_for(process: subprocess.Popen[bytes], url: str) -> None:
    """Wait until the process answers there."""
    deadline = time.monotonic() + 30
    while True:
        assert process.poll() is None, "the identity provider ended"
        try:
            requests.get(url, timeout=2).raise_for_status()
            return
        except requests.RequestException:
            assert time.monotonic() < deadline, "the identity provider does not answer"
            time.sleep(0.1)


def begin(client: Client, code: str = "campus", **more: str) -> str:
    """Press the button on the sign-in page, and return the address to which our page leads."""
    response = client.post(reverse("sso_start", args=[code]), more)
    assert response.status_code == 200, response
    return str(response.context["url"])


def sign_in(client: Client, server: OidcServer, sub: str | None, **more: str):
    """Go all the way; return our answer to the browser that comes back."""
    return client.get(server.authorize(begin(client, **more), sub))
