"""A small strict Stripe, for what the stand-in written by others cannot do: hosted pages, idempotency keys, 402s.

It is built from the vendor's pages (hosted page, off-session charge, refunds, idempotency, test cards) and from the typed
parameters of the vendor's library, and refuses what the real one refuses. What it shows is that we keep to the vendor's
word, not that the vendor does: every test by it says so in its name.
"""

import threading
import time
from collections.abc import Callable
from itertools import count
from typing import Any

from stripe import params as typed_params
from stripe.params import checkout

from tests.gateways.typed import Params, check

# A card's number says what it does, as the vendor's test cards do; the last one is not from the fact sheet.
GOOD, DECLINED, NO_MONEY, ASKS_ALWAYS, FAILS_LATER, REFUND_FAILS = (
    "4242424242424242",
    "4000000000000002",
    "4000000000009995",
    "4000002760003184",
    "4000000000000341",
    "4000000000005126",
)
BRANDS = {"4": "visa", "5": "mastercard", "3": "amex"}
# The vendor's typed page: "The minimum amount is $0.50".
SMALLEST = 50
MINUTES = 60

Thing = dict[str, Any]


class Refusal(Exception):
    """An answer that is an error."""

    def __init__(self, status: int, code: str, message: str = "", *, kind: str = "invalid_request_error", **more: Any):
        super().__init__(code)
        self.status = status
        self.body = {"error": {"type": kind, "code": code, "message": message or code, **more}}


class Books:
    """What this Stripe knows."""

    def __init__(self) -> None:
        self.things: dict[str, Thing] = {}
        self.kept: dict[str, tuple[Any, int, Thing]] = {}
        self.numbers = count(1)
        self.lock = threading.RLock()
        self.pages_at = "https://checkout.stripe.com"

    def make(self, kind: str, prefix: str, **fields: Any) -> Thing:
        """Write something new down."""
        thing = {"id": f"{prefix}_{next(self.numbers)}", "object": kind, "created": int(time.time()), **fields}
        self.things[thing["id"]] = thing
        return thing

    def get(self, reference: str, kind: str) -> Thing:
        """Return what is known by its id."""
        thing = self.things.get(reference)
        if thing is None or thing["object"] != kind:
            raise Refusal(404, "resource_missing", f"No such {kind}: '{reference}'", param="id")
        return thing

    def all(self, kind: str, **fields: Any) -> list[Thing]:
        """Return everything of a kind with these fields, newest first."""
        rows = [row for row in self.things.values() if row["object"] == kind]
        return [row for row in reversed(rows) if all(row.get(name) == value for name, value in fields.items())]


# Objects


def make_card(books: Books, number: str, customer: str | None, year: int = 2031, month: int = 12) -> Thing:
    """Make a card, attached when it has a customer."""
    card = {"brand": BRANDS[number[0]], "last4": number[-4:], "exp_month": month, "exp_year": year}
    return books.make("payment_method", "pm", type="card", customer=customer, card=card, number=number)


def take_money(books: Books, intent: Thing, method: Thing, *, is_asked: bool) -> Thing | None:
    """Charge the card for the intent, and return the error of a card that refuses; `is_asked`: its holder is there."""
    number = method["number"]
    if number == ASKS_ALWAYS and not is_asked:
        error = {"code": "authentication_required", "decline_code": "authentication_required"}
    elif number in (DECLINED, FAILS_LATER):
        error = {"code": "card_declined", "decline_code": "generic_decline"}
    elif number == NO_MONEY:
        error = {"code": "card_declined", "decline_code": "insufficient_funds"}
    else:
        charge = books.make(
            "charge",
            "ch",
            payment_intent=intent["id"],
            amount=intent["amount"],
            metadata=dict(intent["metadata"]),
            payment_method_details={"type": "card", "card": dict(method["card"])},
            number=number,
        )
        intent.update(status="succeeded", amount_received=intent["amount"], latest_charge=charge["id"])
        return None
    said = {"type": "card_error", "message": "Your card was declined.", **error}
    intent.update(status="requires_payment_method", last_payment_error=said, payment_method=None)
    return said


# What is asked


def create_session(books: Books, params: Params) -> Thing:
    """`POST /v1/checkout/sessions`."""
    now = int(time.time())
    expires_at = int(params.get("expires_at", now + 24 * 60 * MINUTES))
    if not now + 30 * MINUTES <= expires_at <= now + 24 * 60 * MINUTES:
        raise Refusal(400, "parameter_invalid", "30 minutes to 24 hours from now.", param="expires_at")
    mode = params.get("mode")
    if mode not in ("payment", "setup") or not params.get("success_url"):
        raise Refusal(400, "parameter_missing", param="mode" if mode not in ("payment", "setup") else "success_url")
    if mode == "setup" and not ({"currency", "allowed_payment_method_types"} & set(params)):
        raise Refusal(400, "parameter_missing", param="currency")
    if params.get("customer"):
        books.get(params["customer"], "customer")
    session = books.make(
        "checkout.session",
        "cs_test",
        mode=mode,
        status="open",
        payment_status="no_payment_required" if mode == "setup" else "unpaid",
        client_reference_id=params.get("client_reference_id"),
        metadata=params.get("metadata", {}),
        customer=params.get("customer"),
        customer_email=params.get("customer_email"),
        locale=params.get("locale"),
        success_url=params["success_url"],
        cancel_url=params.get("cancel_url"),
        expires_at=expires_at,
        payment_intent=None,
        setup_intent=None,
        data=params.get("payment_intent_data") or params.get("setup_intent_data") or {},
    )
    if mode == "payment":
        session.update(zip(("amount_total", "currency"), _sum_up(params), strict=True))
    session["url"] = f"{books.pages_at}/c/pay/{session['id']}"
    return session


def _sum_up(params: Params) -> tuple[int, str]:
    rows = list(params.get("line_items", {}).values())
    if not rows:
        raise Refusal(400, "parameter_missing", param="line_items")
    prices = [row["price_data"] for row in rows]
    if any(not price["product_data"]["name"].strip() for price in prices):
        raise Refusal(400, "parameter_invalid_empty", param="line_items[0][price_data][product_data][name]")
    total = sum(_amount(price["unit_amount"]) * int(row["quantity"]) for price, row in zip(prices, rows, strict=True))
    return total, _currency(prices[0]["currency"])


def _amount(text: str, smallest: int = SMALLEST) -> int:
    if not text.isdecimal() or int(text) < smallest:
        raise Refusal(400, "amount_too_small" if text.isdecimal() else "parameter_invalid_integer", param="amount")
    return int(text)


def _currency(text: str) -> str:
    if text != text.lower() or len(text) != 3:
        raise Refusal(400, "parameter_invalid", "Three letters, in lower case.", param="currency")
    return text


def expire_session(books: Books, reference: str) -> Thing:
    """`POST /v1/checkout/sessions/{id}/expire`."""
    session = books.get(reference, "checkout.session")
    if session["status"] != "open":
        raise Refusal(400, "", 'Only Checkout Sessions with a status in ["open"] can be expired.')
    session.update(status="expired", url=None)
    return session


def create_customer(books: Books, params: Params) -> Thing:
    """`POST /v1/customers`."""
    fields = {name: params.get(name) for name in ("name", "email")}
    return books.make("customer", "cus", metadata=params.get("metadata", {}), **fields)


def create_intent(books: Books, params: Params) -> Thing:
    """`POST /v1/payment_intents`, off-session and confirmed at once."""
    amount, currency = _amount(params["amount"]), _currency(params["currency"])
    if params.get("off_session") and params.get("confirm") != "true":
        raise Refusal(400, "parameter_missing", "off_session needs confirm=true.", param="confirm")
    books.get(params["customer"], "customer")
    method = books.get(params["payment_method"], "payment_method")
    if method["customer"] != params["customer"]:
        raise Refusal(400, "", "The PaymentMethod does not belong to the Customer.", param="payment_method")
    intent = books.make(
        "payment_intent",
        "pi",
        amount=amount,
        amount_received=0,
        currency=currency,
        customer=params["customer"],
        payment_method=method["id"],
        metadata=params.get("metadata", {}),
        status="requires_confirmation",
        latest_charge=None,
        last_payment_error=None,
    )
    error = take_money(books, intent, method, is_asked=False)
    if error:
        raise Refusal(402, error["code"], kind="card_error", **{
            "decline_code": error["decline_code"], "payment_intent": public(intent)
        })  # fmt: skip
    return intent


def cancel_intent(books: Books, reference: str) -> Thing:
    """`POST /v1/payment_intents/{id}/cancel`."""
    intent = books.get(reference, "payment_intent")
    if intent["status"] in ("succeeded", "canceled"):
        raise Refusal(400, "payment_intent_unexpected_state")
    intent["status"] = "canceled"
    return intent


def detach(books: Books, reference: str) -> Thing:
    """`POST /v1/payment_methods/{id}/detach`."""
    method = books.get(reference, "payment_method")
    if method["customer"] is None:
        raise Refusal(
            400, "", "The payment method you provided is not attached to a customer so detachment is impossible."
        )
    method["customer"] = None
    return method


def create_refund(books: Books, params: Params) -> Thing:
    """`POST /v1/refunds`: never more than is left; one card's refund is under way and fails later."""
    intent = books.get(params["payment_intent"], "payment_intent")
    if intent["status"] != "succeeded":
        raise Refusal(400, "", "This PaymentIntent does not have a successful charge to refund.")
    given = sum(row["amount"] for row in books.all("refund", payment_intent=intent["id"]) if row["status"] != "failed")
    left = intent["amount_received"] - given
    if left == 0:
        raise Refusal(400, "charge_already_refunded")
    amount = _amount(params["amount"], 1) if "amount" in params else left
    if amount > left:
        raise Refusal(400, "", f"Refund amount is greater than unrefunded amount on charge ({left}).", param="amount")
    charge = books.get(intent["latest_charge"], "charge")
    return books.make(
        "refund",
        "re",
        amount=amount,
        currency=intent["currency"],
        payment_intent=intent["id"],
        charge=charge["id"],
        metadata=params.get("metadata", {}),
        status="pending" if charge["number"] == REFUND_FAILS else "succeeded",
    )


def list_of(kind: str, *filters: str) -> Callable[[Books, Params], Thing]:
    """Return what answers `GET` of a list: newest first, in pages."""

    def answer(books: Books, params: Params) -> Thing:
        rows = books.all(kind, **{name: params[name] for name in filters if name in params})
        created = params.get("created", {})
        rows = [row for row in rows if int(created.get("gte", 0)) <= row["created"] <= int(created.get("lte", 1e12))]
        ids = [row["id"] for row in rows]
        first = ids.index(params["starting_after"]) + 1 if "starting_after" in params else 0
        limit = int(params.get("limit", 10))
        page = rows[first : first + limit]
        return {"object": "list", "data": page, "has_more": len(rows) > first + limit, "url": ""}

    return answer


def public(thing: Thing) -> Thing:
    """Return what is shown to the outside: not what the card's number does."""
    return {name: value for name, value in thing.items() if name not in ("number", "data") or thing["object"] == "list"}


def expand(books: Books, thing: Thing, paths: list[str]) -> Thing:
    """Return the thing with the ids on these paths replaced by what they name."""
    shown = public(thing)
    for path in paths:
        name, _dot, rest = path.partition(".")
        if name not in shown:
            raise Refusal(400, "", f"This property cannot be expanded ({name}).", param="expand")
        inner = shown[name]
        if isinstance(inner, str):
            inner = books.things[inner]
        if isinstance(inner, dict):
            shown[name] = expand(books, inner, [rest] if rest else [])
    return shown


# GET and POST, by the parts of the address; `{}` stands for an id.
MADE = {
    "checkout/sessions": (create_session, checkout.SessionCreateParams),
    "customers": (create_customer, typed_params.CustomerCreateParams),
    "payment_intents": (create_intent, typed_params.PaymentIntentCreateParams),
    "refunds": (create_refund, typed_params.RefundCreateParams),
}
DONE_TO = {
    ("checkout/sessions", "expire"): (expire_session, checkout.SessionExpireParams),
    ("payment_intents", "cancel"): (cancel_intent, typed_params.PaymentIntentCancelParams),
    ("payment_methods", "detach"): (detach, typed_params.PaymentMethodDetachParams),
}
SHOWN = {
    "refunds": ("refund", typed_params.RefundRetrieveParams),
    "customers": ("customer", typed_params.CustomerRetrieveParams),
    "checkout/sessions": ("checkout.session", checkout.SessionRetrieveParams),
    "payment_intents": ("payment_intent", typed_params.PaymentIntentRetrieveParams),
    "payment_methods": ("payment_method", typed_params.PaymentMethodRetrieveParams),
}
LISTED = {
    "checkout/sessions": (list_of("checkout.session", "status"), checkout.SessionListParams),
    "payment_intents": (list_of("payment_intent", "customer"), typed_params.PaymentIntentListParams),
    "refunds": (list_of("refund", "payment_intent"), typed_params.RefundListParams),
}


def route(books: Books, method: str, path: str, params: Params) -> Thing:
    """Do what is asked; raises Refusal or Unknown."""
    paths = list(params.get("expand", {}).values())
    for names in (path, *path.rsplit("/", 1)[:1], *path.rsplit("/", 2)[:1]):
        rest = path[len(names) + 1 :].split("/") if path != names else []
        if method == "POST" and not rest and names in MADE:
            act, of = MADE[names]
            check(params, of)
            return expand(books, act(books, params), paths)
        if method == "POST" and len(rest) == 2 and (names, rest[1]) in DONE_TO:
            act_on, of = DONE_TO[names, rest[1]]
            check(params, of)
            return expand(books, act_on(books, rest[0]), paths)
        if method == "GET" and not rest and names in LISTED:
            show_all, of = LISTED[names]
            check(params, of)
            listed = show_all(books, params)
            return {**listed, "data": [public(row) for row in listed["data"]], "url": f"/v1/{path}"}
        if method == "GET" and len(rest) == 1 and names in SHOWN:
            kind, of = SHOWN[names]
            check(params, of)
            return expand(books, books.get(rest[0], kind), paths)
    raise Refusal(404, "", f"Unrecognized request URL ({method}: /v1/{path}).")
