"""The pages about tickets in each of their states: where each is, who looks at it, and what is done on it first."""

from collections.abc import Callable
from typing import Any

from django.urls import reverse
from playwright.sync_api import Page, expect

from accounts.models import User
from demo.data.money import pay_at_bank
from payments.services.orders import place_order
from tests.browser import cast
from tests.browser.steps import button, field, link
from tests.factories.violations import age, make_appeal, picture_file
from violations.models import Appeal, AppealStatus, Ticket
from violations.services.appealing import withdraw_appeal
from violations.services.deciding import ask_appellant, decide_appeal
from violations.services.files import stage_evidence

Where = Callable[[User], str]
LONG = "The sign at the entrance was covered by snow, as the photo shows. " * 6


def officer() -> User:
    return User.objects.get(email="appeals@lakeshore.example")


def of(view: str, ticket: Ticket) -> str:
    return reverse(f"violations:{view}", args=[ticket.code])


def appealed(ticket: Ticket) -> Appeal:
    """An appeal with a picture and a long reason."""
    assert ticket.person is not None
    stage_evidence(ticket=ticket, person=ticket.person, files=[picture_file("A very long name " * 5 + ".jpg")])
    return make_appeal(ticket, reason=LONG)


def asked(ticket: Ticket) -> Appeal:
    appeal = appealed(ticket)
    ask_appellant(appeal=appeal, text="Which of the signs? " * 8, actor=officer())
    return appeal


def page_of(view: str, prepare: Callable[[Ticket], Any] = lambda ticket: None, **data: Any) -> Where:
    """The page of a new ticket of whoever looks at it, once this has been done with it."""

    def address(person: User) -> str:
        ticket = cast.fine(person, **data)
        prepare(ticket)
        return of(view, ticket)

    return address


def decided(ticket: Ticket) -> None:
    decide_appeal(appeal=asked(ticket), decision=AppealStatus.UPHELD, response=LONG, actor=officer())


def withdrawn(ticket: Ticket) -> None:
    appeal = make_appeal(ticket)
    assert appeal.person is not None
    withdraw_appeal(appeal=appeal, person=appeal.person)


def paid(ticket: Ticket) -> None:
    payer = ticket.person
    assert payer is not None
    pay_at_bank(place_order(payer=payer, selection={"ticket": [ticket.pk]}, email=payer.email or "", language="en"))


def overdue(ticket: Ticket) -> None:
    age(ticket, 40)


def list_of_all_kinds(person: User) -> str:
    """Open, under review, overdue, paid, and a warning."""
    for prepare in (appealed, overdue, paid, withdrawn):
        prepare(cast.fine(person))
    cast.fine(person, is_warning=True)
    return reverse("violations:list")


def staged(ticket: Ticket) -> None:
    assert ticket.person is not None
    stage_evidence(ticket=ticket, person=ticket.person, files=[picture_file("A very long name " * 5 + ".jpg")])


def of_a_stranger(name: str) -> Where:
    return lambda person: reverse(name, args=[cast.fine().pay_code])


def guest_page_under_review(person: User) -> str:
    ticket = cast.fine(cast.make_driver())
    appealed(ticket)
    return reverse("guest:ticket", args=[ticket.pay_code])


def at(name: str) -> Where:
    return lambda person: reverse(name)


def refused(name: str) -> Callable[[Page], None]:
    """Send the form as it is, and wait until the page says what is wrong."""

    def send(page: Page) -> None:
        button(page.get_by_role("main"), name).click()  # type: ignore[arg-type]
        expect(page.get_by_role("alert").first).to_be_visible()

    return send


def search(label: str, text: str, then: str) -> Callable[[Page], None]:
    def fill(page: Page) -> None:
        field(page, label).fill(text)
        button(page, "Search").click()
        expect(page.get_by_text(then).first).to_be_visible()

    return fill


def search_a_plate(page: Page) -> None:
    search("Search Plate or Ticket", cast.fine().plate, "This ticket can be appealed.")(page)


def unfold(page: Page) -> None:
    # From below, because a row that is open is no longer among the closed ones.
    for row in reversed(page.get_by_role("main").locator("details:not([open]) > summary").all()):
        row.click()


def ask_to_associate(page: Page) -> None:
    link(page, "Request Appeal").click()
    expect(button(page, "Associate")).to_be_visible()


def unproved() -> User:
    return cast.make_driver(is_proved=False)


# Name -> address, who looks at it (None: nobody signed in), what is done first.
PAGES: dict[str, tuple[Any, ...]] = {
    "tickets": (list_of_all_kinds, cast.make_driver, unfold),
    "tickets-empty": (at("violations:list"),),
    "tickets-not-found": (at("violations:list"), cast.make_driver, search("Search my Tickets", "XX-1", "No ticket found")),
    "ticket": (page_of("ticket"),),
    "ticket-unproved": (page_of("ticket"), unproved),
    "ticket-overdue": (page_of("ticket", overdue),),
    "ticket-warning": (page_of("ticket", is_warning=True),),
    "ticket-paid": (page_of("ticket", paid),),
    "ticket-under-review": (page_of("ticket", appealed), cast.make_driver, unfold),
    "ticket-asked": (page_of("ticket", asked),),
    "ticket-decided": (page_of("ticket", decided),),
    "ticket-withdrawn": (page_of("ticket", withdrawn),),
    "appeal": (page_of("appeal"),),
    "appeal-with-files": (page_of("appeal", staged),),
    "appeal-wrong": (page_of("appeal"), cast.make_driver, refused("Submit Appeal")),
    "appeal-too-late": (page_of("appeal", overdue),),
    "appeal-unproved": (page_of("appeal"), unproved),
    "appeal-answer": (page_of("answer", asked),),
    "appeal-withdraw": (page_of("withdraw", appealed),),
    "appeal-confirmation": (page_of("confirmation", appealed),),
    "ticket-lookup": (at("violations:lookup"),),
    "ticket-lookup-wrong": (at("violations:lookup"), cast.make_driver, refused("Search")),
    "ticket-lookup-plate": (at("violations:lookup"), cast.make_driver, search_a_plate),
    "ticket-found": (of_a_stranger("violations:found"), cast.make_driver, ask_to_associate),
    "quick-pay": (at("guest:quick-pay"), None),
    "quick-pay-wrong": (at("guest:quick-pay"), None, refused("Search")),
    "guest-ticket": (of_a_stranger("guest:ticket"), None),
    "guest-ticket-under-review": (guest_page_under_review, None),
    "guest-pay": (of_a_stranger("guest:pay"), None),
    "guest-pay-wrong": (of_a_stranger("guest:pay"), None, refused("Submit Payment")),
}  # fmt: skip
