"""What goes wrong is said in one clear sentence, at the field and in a summary that takes the focus; nothing is lost."""

import datetime as dt

from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.links import Purpose, make_token
from accounts.models import User
from demo.bank.models import BankSession
from payments.models import OrderLine
from permits.models import Permit, PermitStatus
from tests.browser import cast, steps
from tests.browser.steps import button, expect_heading, field, link
from tests.factories.accounts import make_registered
from vehicles.models import Ownership


def expect_wrong(page: Page, label: str, sentence: str) -> None:
    """The summary has the focus and names the field; its link leads there; the sentence stands at the field, too."""
    summary = page.get_by_role("alert").filter(has_text="Please check what you entered")
    expect(summary).to_be_focused()
    expect(summary).to_contain_text(sentence)
    assert page.get_by_text(sentence).count() == 2, "once in the summary, once at the field"
    summary.get_by_role("link", name=label).click()
    expect(field(page, label)).to_be_focused()


def test_plate_that_is_none(device):
    person = cast.make_driver()
    page = device(person=person.email).page
    page.goto("/vehicles/add/")
    field(page, "Plate").fill("ABC*123!")
    field(page, "Vehicle Year").fill("2019")
    button(page, "Save Changes").click()
    expect_wrong(page, "Plate", "A plate has only the letters A to Z and digits.")
    expect(field(page, "Plate")).to_have_value("ABC*123!")
    expect(field(page, "Vehicle Year")).to_have_value("2019")
    assert person.ownerships.count() == 1


def test_vehicle_without_year(device):
    page = device(person=cast.make_driver().email).page
    page.goto("/vehicles/add/")
    field(page, "Plate").fill(steps.new_plate())
    button(page, "Save Changes").click()
    expect_wrong(page, "Vehicle Year", "This field is required.")


def test_registration_without_a_name(device):
    page, email = device().page, steps.new_address()
    page.goto("/register")
    field(page, "E-mail").fill(email)
    field(page, "First name").fill("Nia")
    button(page, "Create Account").click()
    expect_wrong(page, "Last name", "This field is required.")
    expect(field(page, "E-mail")).to_have_value(email)
    assert not User.objects.filter(email=email).exists()


def test_passwords_that_differ(device):
    page = device().page
    page.goto(f"/password/create/{make_token(make_registered(), Purpose.CREATE)}")
    field(page, "New password").fill(steps.PASSWORD)
    field(page, "New password, again").fill("something else")
    button(page, "Confirm").click()
    expect_wrong(page, "New password, again", "The two passwords are not the same.")


def test_wrong_password_tells_nothing(device):
    page, person = device().page, cast.make_driver()
    seen = []
    for email in (person.email, steps.new_address()):
        page.goto("/login")
        steps.sign_in(page, email, "not the password")
        summary = page.get_by_role("alert")
        expect(summary).to_be_focused()
        expect(summary).to_contain_text("The e-mail or the password is not right.")
        seen.append(summary.inner_text())
    assert seen[0] == seen[1]


def test_link_that_was_used(device):
    address = f"/password/create/{make_token(make_registered(), Purpose.CREATE)}"
    page = device().page
    page.goto(address)
    steps.set_password(page)
    expect(page.get_by_text("Your password is set.")).to_be_visible()
    page.goto(address)
    expect_heading(page, "This link does not work any more")
    link(page, "Send a new link").click()
    expect_heading(page, "Forgot Password")


def test_hold_that_ran_out_at_the_checkout(device):
    permit = cast.hold(cast.make_driver())
    page = device(person=permit.holder.email).page
    page.goto("/payments/")
    button(page, "Continue to Checkout").click()
    expect_heading(page, "Payment Method")
    cast.let_hold_run_out(permit)
    button(page, "Submit Payment").click()
    expect_heading(page, "Payments Due")
    expect(page.get_by_text("can no longer be paid")).to_be_visible()
    assert not BankSession.objects.filter(label__contains=permit.number).exists()
    page.goto(f"/permits/{permit.code}/")
    expect(page.get_by_text("The hold has run out: the permit was not paid in time.")).to_be_visible()
    link(page, "Reserve again").click()
    button(page, "Reserve Permit").click()
    expect_heading(page, "Payments Due")


def test_hold_counts_down_warns_and_is_extended_once(device):
    permit = cast.hold(cast.make_driver())
    Permit.objects.filter(pk=permit.pk).update(held_until=timezone.now() + dt.timedelta(minutes=4))
    page = device(person=permit.holder.email).page
    page.goto("/payments/")
    expect(page.get_by_role("timer")).to_contain_text("3:")
    expect(page.get_by_text("Less than five minutes left.")).to_have_count(1)
    page.get_by_role("button", name="Hold it longer").click()
    expect(page.get_by_text("is held for you longer")).to_be_visible()
    expect(page.get_by_role("button", name="Hold it longer")).to_have_count(0)


def test_money_for_a_hold_that_ran_out_at_the_bank(device):
    permit = cast.hold(cast.make_driver())
    page = device(person=permit.holder.email).page
    page.goto("/payments/")
    steps.check_out(page)
    expect(field(page, "Card number")).to_be_visible()
    cast.let_hold_run_out(permit)
    assert permit.status == PermitStatus.LAPSED
    steps.pay_at_bank(page)
    steps.read_confirmation_code(page)
    permit.refresh_from_db()
    assert permit.status == PermitStatus.ACTIVE


def test_card_number_that_is_none(device):
    permit = cast.hold(cast.make_driver())
    page = device(person=permit.holder.email).page
    page.goto("/payments/")
    steps.check_out(page)
    steps.pay_at_bank(page, "4111 1111 1111 1111")
    expect_wrong(page, "Card number", "This is not one of the test cards below.")
    assert BankSession.objects.latest("pk").status == "open"


def test_browser_closed_at_the_bank(device):
    permit = cast.hold(cast.make_driver())
    first = device(person=permit.holder.email)
    first.page.goto("/payments/")
    steps.check_out(first.page)
    expect(field(first.page, "Card number")).to_be_visible()
    first.page.close()
    # Later, on another device: what was begun is named, and can be paid or left.
    page = device(person=permit.holder.email).page
    page.goto("/payments/")
    expect(page.get_by_text("the bank has not answered yet")).to_be_visible()
    expect(page.get_by_role("checkbox", name=permit.number)).to_be_checked()
    steps.check_out(page)
    steps.pay_at_bank(page)
    steps.read_confirmation_code(page)
    assert OrderLine.objects.filter(kind="permit", object_id=permit.pk, settled=True).count() == 1


def test_nothing_ticked_at_the_checkout(device):
    permit = cast.hold(cast.make_driver())
    page = device(person=permit.holder.email).page
    page.goto("/payments/")
    page.get_by_role("checkbox", name=permit.number).uncheck()
    expect(page.get_by_role("status").filter(has_text="$0.00")).to_be_visible()
    button(page, "Continue to Checkout").click()
    summary = page.get_by_role("alert")
    expect(summary).to_be_focused()
    expect(summary).to_contain_text("Select at least one item to pay for.")


def test_second_permit_of_a_kind_is_refused_with_the_reason(device):
    person = cast.make_driver()
    held = cast.hold(person)
    page = device(person=person.email).page
    page.goto("/permits/")
    page.get_by_role("region", name="Arena").get_by_text("Arena monthly").click()
    expect(page.get_by_text(f"you have {held.number} reserved")).to_be_visible()


def test_double_click_reserves_once(device):
    person = cast.make_driver()
    page = device(person=person.email).page
    page.goto("/permits/")
    card = page.get_by_role("region", name="Arena")
    card.get_by_text("Arena monthly").click()
    card.get_by_role("button", name="Reserve Permit").first.dblclick()
    expect_heading(page, "Payments Due")
    assert person.permits.count() == 1


def test_used_plate_is_linked_not_refused(device):
    owner = cast.make_driver()
    plate = Ownership.objects.get(user=owner).plate
    page = device(person=cast.make_driver().email).page
    page.goto("/vehicles/add/")
    field(page, "Plate").fill(plate.lower().replace(" ", "-"))
    field(page, "Vehicle Year").fill("2021")
    button(page, "Save Changes").click()
    expect_heading(page, "Vehicles")
    expect(page.get_by_role("main")).not_to_contain_text(owner.last_name)


def test_new_plate_gives_a_new_paper(device):
    person = cast.make_driver()
    permit = cast.buy(person)
    page = device(person=person.email).page
    page.goto(f"/permits/{permit.code}/")
    expect(button(page, "Print")).to_be_visible(timeout=steps.PATIENCE)
    plate = steps.new_plate()
    page.goto(f"/vehicles/{person.ownerships.get().code}/")
    field(page, "Plate").fill(plate)
    button(page, "Save").click()
    page.goto(f"/permits/{permit.code}/")
    expect(page.get_by_role("main")).to_contain_text(plate)
    expect(button(page, "Print")).to_be_visible(timeout=steps.PATIENCE)
