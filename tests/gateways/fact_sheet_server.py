"""The strict Stripe of the fact sheet, over HTTP: keys, idempotency, and faults on the line."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.gateways.fact_sheet import DECLINED, GOOD, Books, Refusal, Thing, make_card, route, take_money
from tests.gateways.typed import Params, Unknown, unflatten

SECRET_KEY = "sk_test_of_the_fact_sheet"
PAGE = "/c/pay/"
HOSTED_PAGE = """<!doctype html><html lang="en"><title>Checkout</title><link rel="icon" href="data:,">
<form method="post"><label>Card number <input name="number"></label><button>Pay</button></form>
<a href="{cancel_url}">Back</a></html>"""


class FactSheet:
    """The server, on a free port of this machine, in threads of its own.

    `faults` are used up by the next requests that make something, one each: "break" answers 500 and does nothing, "break
    after" does it first, "cut" does it and closes the line, "slow" does it and does not answer for `slow_for` seconds.
    """

    def __init__(self) -> None:
        self.books = Books()
        self.faults: list[str] = []
        self.slow_for = 3.0
        self.requests: list[tuple[str, str, dict[str, str]]] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def stop(self) -> None:
        """Close the door."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, method: str, path: str, params: Params, headers: Any) -> tuple[int, Thing]:
        """Answer one request, as told by its key when it was made before."""
        if headers.get("Authorization") != f"Bearer {SECRET_KEY}":
            return 401, {"error": {"type": "invalid_request_error", "message": "Invalid API Key provided"}}
        key, asked = headers.get("Idempotency-Key"), (path, params)
        with self.books.lock:
            if key and key in self.books.kept:
                known, status, body = self.books.kept[key]
                if known != asked:
                    words = "Keys for idempotent requests can only be used with the same parameters."
                    return 400, {"error": {"type": "idempotency_error", "message": words}}
                return status, body
            try:
                status, body = 200, route(self.books, method, path, params)
            except Unknown as error:
                return 400, Refusal(400, error.code, f"Received {error}", param=error.param).body
            except Refusal as error:
                status, body = error.status, error.body
            # A result is kept once execution began: a decline is, what was refused before is not.
            if key and method == "POST" and status in (200, 402):
                self.books.kept[key] = (asked, status, json.loads(json.dumps(body)))
            return status, body

    def keep_error(self, key: str | None, body: Thing) -> None:
        """Keep an error of Stripe's own with the key: it is told again as well."""
        if key in self.books.kept:
            self.books.kept[key] = (self.books.kept[key][0], 500, body)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        sheet = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            # One packet for an answer: else each waits for the other side's patience.
            wbufsize = 65536

            def do_GET(self) -> None:
                address = urlsplit(self.path)
                if address.path.startswith(PAGE):
                    self._show_page(sheet.books.things[address.path.removeprefix(PAGE)])
                else:
                    self._respond("GET", address.path, parse_qsl(address.query))

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
                if self.path.startswith(PAGE):
                    self._use_page(sheet.books.things[self.path.removeprefix(PAGE)], dict(parse_qsl(body)))
                else:
                    self._respond("POST", self.path, parse_qsl(body, keep_blank_values=True))

            def _show_page(self, session: Thing) -> None:
                """Show the hosted page to a browser."""
                content = HOSTED_PAGE.format(**session).encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def _use_page(self, session: Thing, typed: dict[str, str]) -> None:
                """Pay or store, and lead the browser back; a refused card leaves it here."""
                (sheet.store if session["mode"] == "setup" else sheet.pay)(session["id"], typed["number"])
                self.send_response(303)
                is_over = session["status"] == "complete"
                self.send_header("Location", session["success_url"] if is_over else self.path)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def _respond(self, method: str, path: str, pairs: list[tuple[str, str]]) -> None:
                sheet.requests.append((method, path, dict(self.headers)))
                fault = sheet.faults.pop(0) if method == "POST" and sheet.faults else ""
                status, body = 500, {"error": {"type": "api_error", "message": "An error on Stripe's side"}}
                if fault != "break":
                    done = sheet.answer(method, path.removeprefix("/v1/"), unflatten(pairs), self.headers)
                    if fault == "break after":
                        sheet.keep_error(self.headers.get("Idempotency-Key"), body)
                    else:
                        status, body = done
                if fault == "slow":
                    time.sleep(sheet.slow_for)
                if fault in ("cut", "slow"):
                    self.close_connection = True
                    return
                content = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *args: Any) -> None:
                """Say nothing."""

        return Handler

    # What a person does on the hosted page.

    def pay(self, reference: str, number: str) -> None:
        """Type a card on an open page. A card that is declined leaves the page open, as the real one does."""
        books = self.books
        with books.lock:
            session = books.get(reference, "checkout.session")
            assert session["status"] == "open", "the page is closed"
            intent = books.make(
                "payment_intent",
                "pi",
                amount=session["amount_total"],
                amount_received=0,
                currency=session["currency"],
                customer=session["customer"],
                metadata=session["data"].get("metadata", {}),
                status="requires_payment_method",
                latest_charge=None,
                last_payment_error=None,
            )
            session["payment_intent"] = intent["id"]
            if take_money(books, intent, make_card(books, number, None), is_asked=True) is None:
                session.update(status="complete", payment_status="paid", url=None)

    def finish_unpaid(self, reference: str, status: str) -> None:
        """Finish the page with a method that takes days: `processing`, or one that has failed."""
        with self.books.lock:
            self.pay(reference, GOOD)
            session = self.books.get(reference, "checkout.session")
            session["payment_status"] = "unpaid"
            self.books.things[session["payment_intent"]].update(status=status, amount_received=0)

    def store(self, reference: str, number: str) -> None:
        """Type a card on an open page that stores one; one that is declined leaves the page open."""
        books = self.books
        with books.lock:
            session = books.get(reference, "checkout.session")
            assert session["status"] == "open", "the page is closed"
            if number == DECLINED:
                return
            method = make_card(books, number, session["customer"])
            setup = books.make(
                "setup_intent",
                "seti",
                status="succeeded",
                payment_method=method["id"],
                metadata=session["data"].get("metadata", {}),
            )
            session.update(status="complete", setup_intent=setup["id"], url=None)
