"""localstripe, a stand-in for Stripe written by others: a process of its own, on a free port, from scratch."""

import json
import os
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

from tests.factories.messaging import free_port

SECRET_KEY = "sk_test_of_localstripe"
# Its own command listens on every network of the machine; its application does as it is told.
START = "from aiohttp import web; from localstripe.server import app; web.run_app(app, host='127.0.0.1', port={})"
PATIENCE = 20.0


class LocalStripe:
    """The running stand-in. It keeps its state in the temporary folder: it gets one of its own."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._log = (folder / "log").open("wb")
        command = [sys.executable, "-c", START.format(self.port)]
        environment = {**os.environ, "TMPDIR": str(folder), "PYTHONWARNINGS": "ignore"}
        self._process = subprocess.Popen(command, env=environment, stdout=self._log, stderr=self._log)
        self._wait()

    def _wait(self) -> None:
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            try:
                self.get("customers")
            except OSError:
                assert self._process.poll() is None, Path(self._log.name).read_text()
                time.sleep(0.1)
            else:
                return
        raise TimeoutError("localstripe did not start.")

    def stop(self) -> None:
        """End the process."""
        self._process.terminate()
        self._process.wait(PATIENCE)
        self._log.close()

    def get(self, path: str) -> Any:
        """Ask it, as the vendor's library would."""
        return self._ask(urllib.request.Request(f"{self.url}/v1/{path}"))

    def post(self, path: str, **fields: str) -> Any:
        """Have it make something."""
        body = urllib.parse.urlencode(fields).encode()
        return self._ask(urllib.request.Request(f"{self.url}/v1/{path}", body))

    def _ask(self, request: urllib.request.Request) -> Any:
        request.add_header("Authorization", f"Bearer {SECRET_KEY}")
        with urllib.request.urlopen(request, timeout=5) as answer:
            return json.load(answer)

    def store_card(self, number: str) -> tuple[str, str]:
        """Return the ids of a new customer and of a card attached to it."""
        customer = self.post("customers", name="Robin Marsh")["id"]
        card = {"card[number]": number, "card[exp_month]": "12", "card[exp_year]": "2031", "card[cvc]": "123"}
        method = self.post("payment_methods", type="card", **card)["id"]
        self.post(f"payment_methods/{method}/attach", customer=customer)
        return customer, method

    def report_to(self, url: str, secret: str) -> None:
        """Have it report to an address from now on, signed with the secret."""
        body = json.dumps({"url": url, "secret": secret}).encode()
        request = urllib.request.Request(f"{self.url}/_config/webhooks/portal", body)
        urllib.request.urlopen(request, timeout=5).close()

    def catch_report(self, reference: str, secret: str) -> tuple[bytes, dict[str, str]]:
        """Have it charge a card for our reference, and return what it reports about that, byte for byte."""
        caught: list[tuple[bytes, dict[str, str]]] = []

        class Catcher(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                caught.append((body, dict(self.headers)))
                self.send_response(200)
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                """Say nothing."""

        with HTTPServer(("127.0.0.1", 0), Catcher) as server:
            thread = threading.Thread(target=server.serve_forever, daemon=True)
            thread.start()
            customer, method = self.store_card("4242424242424242")
            self.report_to(f"http://127.0.0.1:{server.server_port}/", secret)
            intent = {"customer": customer, "payment_method": method, "metadata[reference]": reference}
            self.post("payment_intents", amount="500", currency="cad", off_session="true", confirm="true", **intent)
            end = time.monotonic() + PATIENCE
            while time.monotonic() < end and not self._about(caught, reference):
                time.sleep(0.1)
            server.shutdown()
            thread.join()
        return self._about(caught, reference)[0]

    @staticmethod
    def _about(caught: list[tuple[bytes, dict[str, str]]], reference: str) -> list[tuple[bytes, dict[str, str]]]:
        return [(body, headers) for body, headers in caught if reference.encode() in body]
