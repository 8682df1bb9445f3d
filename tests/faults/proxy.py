"""A proxy between us and a gateway that drops, delays and repeats what goes through it, as networks do."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal
from urllib.parse import urlsplit

Answer = tuple[int, list[tuple[str, str]], bytes]
Fault = Literal["pass", "lose the request", "lose the answer", "answer late", "send twice", "answer 502"]
# What a proxy keeps to itself; the rest goes through as it came.
HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "te", "trailer", "upgrade", "host", "content-length"}


class FaultyProxy(ThreadingHTTPServer):
    """Does to the next requests what `faults` says, one each; then lets everything pass. `only`: how those begin."""

    daemon_threads = True

    def __init__(self, target: str, *, late_by: float) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.target, self.late_by = urlsplit(target), late_by
        self.faults: list[Fault] = []
        self.only = ""
        self.seen: list[str] = []
        # What was lost on the way there.
        self.lost: list[tuple[str, str, dict[str, str], bytes]] = []
        self._lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def next_fault(self, request: str) -> Fault:
        """Note the request and return what becomes of it."""
        with self._lock:
            self.seen.append(request)
            is_meant = self.faults and request.startswith(self.only)
            return self.faults.pop(0) if is_meant else "pass"

    def ask(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
        """Ask the other side and return its answer."""
        connection = HTTPConnection(self.target.hostname or "", self.target.port, timeout=20)
        try:
            connection.request(method, path, body or None, headers)
            response = connection.getresponse()
            return response.status, response.getheaders(), response.read()
        finally:
            connection.close()

    def deliver_lost(self) -> None:
        """What was lost arrives after all, when nobody waits for its answer any more."""
        while self.lost:
            self.ask(*self.lost.pop(0))

    def handle_error(self, request: object, client_address: object) -> None:
        """Whoever hung up on us was told to wait too long: that is the point."""


class Handler(BaseHTTPRequestHandler):
    """One request through the proxy."""

    server: FaultyProxy
    protocol_version = "HTTP/1.1"

    def forward(self) -> None:
        """Pass the request on, but for what the fault does to it."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP_BY_HOP}
        request = (self.command, self.path, headers, body)
        fault = self.server.next_fault(f"{self.command} {self.path}")
        self.close_connection = True
        if fault == "lose the request":
            self.server.lost.append(request)
            return
        if fault == "answer 502":
            self.send_error(502)
            return
        answer = self.server.ask(*request)
        if fault == "send twice":
            answer = self.server.ask(*request)
        if fault == "lose the answer":
            return
        if fault == "answer late":
            time.sleep(self.server.late_by)
        self._give(*answer)

    # The names that the library calls.
    do_GET = do_POST = do_DELETE = forward  # noqa: N815

    def _give(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.send_response_only(status)
        for name, value in headers:
            if name.lower() not in HOP_BY_HOP:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Keep quiet: `seen` says what came through."""


@contextmanager
def faulty_proxy(target: str, *, late_by: float = 3) -> Iterator[FaultyProxy]:
    """Run a proxy before this address for the length of a block; `late_by`: seconds, longer than the caller waits."""
    proxy = FaultyProxy(target, late_by=late_by)
    thread = threading.Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        proxy.shutdown()
        proxy.server_close()
        thread.join()
