"""Every page of the flow: readable for all, in both colours, at both widths, in both languages, by keyboard."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import urljoin

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.urls import reverse
from playwright.sync_api import Page, expect

from accounts.links import Purpose, make_change_token, make_token
from accounts.models import User, UserType
from accounts.services.document_requests import decline_request
from accounts.services.holds import place_hold
from demo.bank import services as bank
from demo.bank.models import BankSession
from demo.data.money import pay_deposit
from demo.data.people import ADMINISTRATOR, MANAGER, RESIDENT
from demo.models import ReceivedMessage
from opscom.messaging.preferences import make_link
from payments.models import DebtReason, DepositKind, MethodKind
from payments.services.debts import owe_again
from payments.services.deposits import ask_deposit, decide_deposit
from payments.services.promising import promise_order
from permits.models import Permit
from tests.accounts.mfa import give_email
from tests.browser import boot_pages, cast, locker_pages, permit_pages, steps, ticket_pages
from tests.browser.device import DESK, PHONE, Device
from tests.browser.steps import button, expect_heading
from tests.factories.accounts import make_registered
from tests.factories.bank_cards import open_card_page
from tests.factories.documents import make_document, make_request
from tests.factories.payments import offer_method, pay_at_bank
from tests.factories.stored import begin_save, store_card

Where = Callable[[User], str]


@dataclass(frozen=True)
class Case:
    """One page as one kind of person sees it. `then` does something on it first."""

    address: Where
    person: Callable[[], User] | None = cast.make_driver
    then: Callable[[Page], Any] = lambda page: None


def at(name: str, *args: Any) -> Where:
    return lambda person: reverse(name, args=args)


def press(name: str) -> Callable[[Page], None]:
    """Send the form as it is, and wait until the page says what is wrong."""

    def send(page: Page) -> None:
        page.get_by_role("main").get_by_role("button", name=name).click()
        expect(page.get_by_role("alert").first).to_be_visible()

    return send


def maya() -> User:
    return User.objects.get(email=RESIDENT)


def owen() -> User:
    return User.objects.get(email=MANAGER)


def act_for_ethan(page: Page, then: str = "") -> None:
    button(page, "Log in as Ethan Blackwood").click()
    expect(page.get_by_role("dialog", name="You are now logged in as Ethan Blackwood")).to_be_visible()
    if then:
        page.goto(then)


def a_link(purpose: Purpose, view: str) -> Where:
    return lambda person: reverse(view, args=[make_token(make_registered(), purpose)])


def change_link(person: User) -> str:
    return reverse("accounts:confirm_email_change", args=[make_change_token(person, steps.new_address())])


def change_link_of_another(person: User) -> str:
    return change_link(cast.make_newcomer())


def uploads(person: User) -> str:
    """The page with everything on it: asked for, looked at, not accepted, and two files."""
    office = User.objects.get(email=ADMINISTRATOR)
    make_request(person, office, "Student card")
    make_document(person, request=make_request(person, office, "Proof of address"))
    declined = make_request(person, office, "Employment letter, not older than three months")
    make_document(person, name="A very long name " * 5 + ".pdf", request=declined)
    declined.refresh_from_db()
    decline_request(request=declined, reason="The second page is missing.", actor=office)
    return reverse("accounts:documents")


def held_document(person: User) -> str:
    wanted = make_request(person, User.objects.get(email=ADMINISTRATOR))
    return reverse("accounts:remove_document", args=[make_document(person, request=wanted).code])


def on_hold(name: str) -> Where:
    def address(person: User) -> str:
        place_hold(person=person, reason="Three unpaid tickets", amount=Decimal("45.50"))
        return reverse(name)

    return address


def owing_a_code(person: User) -> str:
    """The page that follows the password: what this device has shown counts no longer."""
    give_email(person)
    return reverse("accounts:one_time_password")


def of_held_permit(view: str) -> Where:
    return lambda person: reverse(view, args=[cast.hold(person).code])


def of_bought_permit(view: str) -> Where:
    return lambda person: reverse(view, args=[cast.buy(person).code])


def waiting_in_line(view: str, *, of_entry: bool = True) -> Where:
    def where(person: User) -> str:
        entry, _permit = cast.wait_in_line(person)
        return reverse(view, args=[entry.code] if of_entry else [])

    return where


def of_offer(view: str) -> Where:
    return lambda person: reverse(view, args=[cast.offer(person).code])


def permit_that_lapsed(person: User) -> str:
    permit = cast.hold(person)
    cast.let_hold_run_out(permit)
    return reverse("permits:detail", args=[permit.code])


def payments_with_held(person: User) -> str:
    cast.hold(person)
    return reverse("payments:due")


def payments_of_all_kinds(person: User) -> str:
    """Something held, something owed, something promised and so locked, and a history with a refund in it."""
    office = User.objects.get(email=ADMINISTRATOR)
    deposit = ask_deposit(
        person=person, kind=DepositKind.CARD, amount=Decimal("25.00"), label="Gate card 118", actor=office
    )
    pay_deposit(deposit)
    decide_deposit(deposit=deposit, returned=Decimal("10.00"), actor=office, reason="The card came back late")
    owe_again(line=deposit.line, amount=Decimal("1234.50"), reason=DebtReason.ADJUSTED, actor=office)
    promised_checkout(person, cast.hold(person, "west-evening"))
    cast.hold(person)
    return reverse("payments:due")


def promised_checkout(person: User, permit: Permit) -> str:
    """The page of a promise, made with a method that only people of one type are offered."""
    offer_cash(person)
    order = cast.order_of(permit)
    promise_order(order=order, method_code="cash-for-a-few", actor=person)
    return reverse("payments:promised", args=[order.code])


def checkout_with_choice(person: User) -> str:
    offer_cash(person)
    return checkout(person)


def offer_cash(person: User) -> None:
    method = offer_method(kind=MethodKind.PROMISE, code="cash-for-a-few", position=9)
    kind, _made = UserType.objects.get_or_create(
        code="pays-cash", defaults={"name": {"en": "Pays in cash"}, "max_active_vehicles": 2}
    )
    method.user_types.set([kind])
    User.objects.filter(pk=person.pk).update(user_type=kind)
    person.refresh_from_db()


def own_vehicle(view: str) -> Where:
    return lambda person: reverse(view, args=[person.ownerships.get().code])


def checkout(person: User) -> str:
    return reverse("payments:checkout", args=[cast.order_of(cast.hold(person)).code])


def receipt(person: User) -> str:
    return reverse("payments:receipt", args=[cast.order_of(cast.buy(person)).code])


def waiting(person: User) -> str:
    return reverse("payments:return", args=[cast.begin_to_pay(cast.hold(person)).reference])


def stored_cards(person: User) -> str:
    store_card(person)
    return reverse("payments:cards")


def remove_stored_card(person: User) -> str:
    return reverse("payments:card-remove", args=[store_card(person).code])


def waiting_card(person: User) -> str:
    return reverse("payments:card-return", args=[begin_save(person).reference])


def checkout_with_card(person: User) -> str:
    store_card(person)
    return checkout(person)


def bank_page(person: User) -> str:
    return reverse("demo:bank-page", args=[cast.begin_to_pay(cast.hold(person)).gateway_reference])


def bank_question(person: User) -> str:
    session = pay_at_bank(cast.begin_to_pay(cast.hold(person)), bank.CARDS[2].number)
    return reverse("demo:bank-question", args=[session.token])


def bank_card(person: User) -> str:
    return reverse("demo:bank-card", args=[open_card_page(f"SAVE{person.pk}").token])


def bank_done(person: User) -> str:
    return reverse("demo:bank-done", args=[BankSession.objects.latest("pk").token])


def a_letter(person: User) -> str:
    return reverse("demo:message", args=[ReceivedMessage.objects.latest("pk").pk])


def status(bought: bool) -> Where:
    def address(person: User) -> str:
        permit = cast.buy(person) if bought else cast.hold(person)
        return reverse("permits:status", args=[permit.public_code])

    return address


def wrong_mailing_address(page: Page) -> None:
    page.get_by_label("Same as the home address").uncheck()
    press("Save Changes")(page)


def press_continue_with_nothing(page: Page) -> None:
    page.get_by_role("checkbox", checked=True).first.uncheck()
    press("Continue to Checkout")(page)


CASES = {
    "language": Case(at("accounts:language"), None),
    "sign-in": Case(at("account_login"), None),
    "sign-in-wrong": Case(at("account_login"), None, press("Sign in")),
    "create-account": Case(at("accounts:register"), None),
    "create-account-wrong": Case(at("accounts:register"), None, press("Create Account")),
    "forgot": Case(at("accounts:forgot"), None),
    "reminder-sent": Case(at("accounts:reminder_sent"), None),
    "create-password": Case(a_link(Purpose.CREATE, "accounts:create_password"), None),
    "create-password-wrong": Case(a_link(Purpose.CREATE, "accounts:create_password"), None, press("Confirm")),
    "reset-password": Case(a_link(Purpose.RESET, "accounts:reset_password"), None),
    "reset-done": Case(at("accounts:password_reset_done"), None),
    "dead-link": Case(at("accounts:create_password", "used-long-ago"), None),
    "profile": Case(at("accounts:profile")),
    "profile-gate": Case(at("home:home"), lambda: cast.make_newcomer(mobile_phone="")),
    "addresses": Case(at("accounts:addresses"), maya),
    "edit-address": Case(at("accounts:edit_home_address")),
    "mailing-address-wrong": Case(at("accounts:edit_mailing_address"), then=wrong_mailing_address),
    "security": Case(at("accounts:security")),
    "security-unproved": Case(at("accounts:security"), lambda: cast.make_newcomer(is_proved=False)),
    "change-email": Case(at("accounts:change_email")),
    "change-email-wrong": Case(at("accounts:change_email"), then=press("Change E-mail")),
    "confirm-change": Case(change_link, then=lambda page: expect_heading(page, "Change E-mail")),
    "confirm-change-elsewhere": Case(change_link_of_another, None, press("Change E-mail")),
    "sessions": Case(at("accounts:sessions")),
    "one-time-password": Case(owing_a_code, then=press("Submit")),
    "multi-factor": Case(at("accounts:multiauth")),
    "multi-factor-wrong": Case(at("accounts:multiauth"), then=press("Submit")),
    "multi-factor-unproved": Case(at("accounts:multiauth"), lambda: cast.make_newcomer(is_proved=False)),
    "history": Case(at("accounts:history"), maya),
    "history-empty": Case(at("accounts:history")),
    "uploads": Case(uploads),
    "uploads-wrong": Case(at("accounts:documents"), then=press("Upload File")),
    "uploads-unproved": Case(at("accounts:documents"), lambda: cast.make_newcomer(is_proved=False)),
    "upload-remove": Case(lambda person: reverse("accounts:remove_document", args=[make_document(person).code])),
    "upload-stays": Case(held_document),
    "home-on-hold": Case(on_hold("home:home")),
    "permits-on-hold": Case(on_hold("permits:list"), then=lambda page: page.get_by_text("Arena monthly").first.click()),
    "email-preferences": Case(
        at("accounts:email_preferences"), then=lambda page: page.get_by_text("?", exact=True).first.click()
    ),
    "unsubscribe": Case(lambda person: make_link("maya@example.org", "newsletter", "en"), None),
    "change-password": Case(at("accounts:change_password"), then=press("Change Password")),
    "company": Case(at("accounts:company"), owen),
    "acting": Case(at("accounts:company"), owen, act_for_ethan),
    "acting-refused": Case(at("accounts:company"), owen, lambda page: act_for_ethan(page, "/security")),
    "home": Case(at("home:home"), maya),
    "home-empty": Case(at("home:home"), lambda: cast.make_newcomer(is_proved=False)),
    "vehicles": Case(at("vehicles:list"), maya),
    "vehicles-empty": Case(at("vehicles:list"), cast.make_newcomer),
    "disclaimer": Case(at("provider:agree", "vehicle"), cast.make_newcomer),
    "vehicle-add": Case(at("vehicles:add")),
    "vehicle-add-wrong": Case(at("vehicles:add"), then=press("Save Changes")),
    "vehicle-edit": Case(own_vehicle("vehicles:edit")),
    "vehicle-remove": Case(own_vehicle("vehicles:remove")),
    "permits": Case(at("permits:list"), then=lambda page: page.get_by_text("Arena monthly").first.click()),
    "permits-full": Case(at("permits:list"), lambda: cast.make_driver(user_type=maya().user_type)),
    "permit-reserved": Case(of_held_permit("permits:detail")),
    "permit-active": Case(of_bought_permit("permits:detail")),
    "permit-lapsed": Case(permit_that_lapsed),
    "permit-give-back": Case(of_held_permit("permits:give-back")),
    "permits-waiting": Case(waiting_in_line("permits:list", of_entry=False)),
    "waitlist-leave": Case(waiting_in_line("permits:leave")),
    "offer": Case(of_offer("permits:offer")),
    "offer-decline": Case(of_offer("permits:decline")),
    "home-offer": Case(lambda person: reverse("home:home") if cast.offer(person) else ""),
    "payments": Case(payments_with_held),
    "payments-empty": Case(at("payments:due")),
    "payments-history": Case(at("payments:due"), maya),
    "payments-all-kinds": Case(payments_of_all_kinds),
    "payments-nothing-ticked": Case(payments_of_all_kinds, then=press_continue_with_nothing),
    "checkout": Case(checkout),
    "checkout-choice": Case(checkout_with_choice),
    "checkout-nothing-chosen": Case(checkout_with_choice, then=press("Submit Payment")),
    "promised": Case(lambda person: promised_checkout(person, cast.hold(person))),
    "checkout-stored-card": Case(checkout_with_card),
    "cards": Case(stored_cards),
    "cards-empty": Case(at("payments:cards")),
    "cards-unproved": Case(at("payments:cards"), lambda: cast.make_newcomer(is_proved=False)),
    "card-add": Case(at("payments:card-add")),
    "card-add-wrong": Case(at("payments:card-add"), then=press("Add Payment Method")),
    "card-remove": Case(remove_stored_card),
    "card-waiting": Case(waiting_card),
    "waiting": Case(waiting),
    "receipt": Case(receipt),
    "status-valid": Case(status(bought=True)),
    "status-not-valid": Case(status(bought=False)),
    "not-found": Case(lambda person: "/nothing-here/"),
    "demo": Case(at("demo:index"), None),
    "inbox": Case(at("demo:inbox"), None),
    "letter": Case(a_letter, None),
    "bank": Case(bank_page),
    "bank-wrong": Case(bank_page, then=press("Pay Now")),
    "bank-question": Case(bank_question),
    "bank-card": Case(bank_card),
    "bank-done": Case(bank_done),
    "bank-books": Case(at("demo:bank"), None),
    **{name: Case(*parts) for name, parts in ticket_pages.PAGES.items()},
    **{name: Case(*parts) for name, parts in permit_pages.PAGES.items()},
    **{name: Case(*parts) for name, parts in boot_pages.PAGES.items()},
    **{name: Case(*parts) for name, parts in locker_pages.PAGES.items()},
}


def open_case(device: Callable[..., Device], case: Case, language: str = "en") -> Page:
    """Open the page as its person, who reads this language."""
    person = case.person() if case.person else None
    if person:
        person.language = language
    one = device(person=person.email if person else "", language=language)
    one.page.goto(case.address(person) if person else case.address(User()))
    case.then(one.page)
    return one.page


def resize(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})


def overflow(page: Page) -> int:
    """Return by how many pixels the page is wider than the window."""
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


# In the dark only colours differ, so only what concerns colours is asked again.
RULES = {
    "light": {"resultTypes": ["violations"]},
    "dark": {"resultTypes": ["violations"], "runOnly": ["color-contrast", "link-in-text-block"]},
}


def use_colours(page: Page, scheme: Any) -> None:
    """Change the system's colours, and wait for the frame in which they are painted."""
    page.emulate_media(color_scheme=scheme)
    page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")


@pytest.mark.parametrize("name", CASES)
def test_page_is_accessible_and_fits(device, name):
    page = open_case(device, CASES[name])
    found = {}
    for width in (DESK, PHONE):
        resize(page, width)
        assert overflow(page) <= 0, f"wider than {width} pixels"
        for scheme, rules in RULES.items():
            use_colours(page, scheme)
            result = Axe().run(page, options=rules)
            if result.violations_count:
                found[width, scheme] = result.generate_report()
    assert not found, "\n\n".join(f"{where}: {report}" for where, report in found.items())
    if CASES[name].then is Case.then and "bank" not in name:
        assert_fits_in_french(page)


def assert_fits_in_french(page: Page) -> None:
    """The same page once more, on a device that has chosen French."""
    cookie = {"name": settings.LANGUAGE_COOKIE_NAME, "value": "fr-ca", "url": urljoin(page.url, "/")}
    page.context.add_cookies([cookie])
    page.reload()
    expect(page.locator("html")).to_have_attribute("lang", "fr-ca")
    for width in (PHONE, DESK):
        resize(page, width)
        assert overflow(page) <= 0, f"wider than {width} pixels in French"


# The bank speaks the language in which the payment was begun.
@pytest.mark.parametrize("name", ["bank", "bank-question"])
def test_french_page_of_the_bank_fits(device, name):
    page = open_case(device, CASES[name], language="fr-ca")
    assert_fits_in_french(page)


@pytest.mark.parametrize("language", ["en", "fr-ca"])
def test_every_tab_is_in_sight_on_a_phone(device, language):
    page = device(width=PHONE, language=language, person=RESIDENT).page
    page.goto("/")
    tabs = page.get_by_role("navigation").first.get_by_role("link").all()
    assert len(tabs) >= 4
    for one in tabs:
        box = one.bounding_box()
        assert box, one.inner_text()
        assert box["x"] >= 0, one.inner_text()
        assert box["x"] + box["width"] <= PHONE, one.inner_text()


def tab_to(page: Page, name: str) -> None:
    """Press Tab until what is so named has the focus."""
    for _press in range(60):
        page.keyboard.press("Tab")
        focused = page.evaluate(
            "document.activeElement.innerText || document.activeElement.labels?.[0]?.innerText || ''"
        )
        if name in focused:
            return
    raise AssertionError(f"{name} cannot be reached with the Tab key")


def test_main_job_by_keyboard(device):
    person = cast.make_driver()
    page = device().page
    page.goto("/login")
    tab_to(page, "E-mail")
    page.keyboard.type(person.email)
    tab_to(page, "Password")
    page.keyboard.type("correct horse battery")
    page.keyboard.press("Enter")
    expect_heading(page, "Good")
    tab_to(page, "Permits")
    page.keyboard.press("Enter")
    expect_heading(page, "Permits")
    tab_to(page, "Arena monthly")
    page.keyboard.press("Enter")
    tab_to(page, "Reserve Permit")
    page.keyboard.press("Enter")
    expect_heading(page, "Payments Due")
    tab_to(page, "Continue to Checkout")
    page.keyboard.press("Enter")
    expect_heading(page, "Payment Method")
    tab_to(page, "Submit Payment")
    page.keyboard.press("Enter")
    expect(steps.field(page, "Card number")).to_be_visible()
    tab_to(page, "Card number")
    page.keyboard.type(steps.APPROVED)
    tab_to(page, "Pay Now")
    page.keyboard.press("Enter")
    steps.read_confirmation_code(page)


def test_skip_link_leads_past_the_tabs(device):
    page = device(person=RESIDENT).page
    page.goto("/vehicles/")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("main")).to_be_focused()


def test_name_menu_opens_by_keyboard_and_closes_by_escape(device):
    page = device(person=RESIDENT).page
    page.goto("/")
    tab_to(page, "Maya Chen")
    page.keyboard.press("Enter")
    expect(steps.link(page, "Your Profile")).to_be_visible()
    page.keyboard.press("Escape")
    expect(button(page, "Sign out")).to_be_hidden()
