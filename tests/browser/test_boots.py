"""Boots, as the manual tells it: pay as a guest or signed in, get the code, bring the boot back."""

import re

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from boots.models import Booting, BootPolicy, Ending
from boots.services.codes import read_code
from demo.data.people import PASSWORD
from payments.models import Deposit
from tests.browser import cast, steps
from tests.browser.device import DESK, PHONE
from tests.browser.steps import button, expect_heading, field, link
from violations.models import Ticket, TicketStatus

CLERK = "clerk@lakeshore.example"


def pay_page(booting: Booting) -> str:
    return reverse("boots:pay", args=[booting.pay_code])


@pytest.mark.parametrize(("width", "javascript"), [(PHONE, True), (DESK, False)])
def test_guest_scans_pays_a_deposit_too_and_the_boot_comes_back(device, width, javascript):
    booting = cast.boot_on()
    page = device(width=width, javascript=javascript).page
    page.goto(reverse("boots:sticker", args=[booting.boot.tag]))
    expect_heading(page, "Release your vehicle")
    main = page.get_by_role("main")
    expect(main).to_contain_text(f"Boot deposit {booting.ticket.number}")
    words = "A valid email address is required to receive your boot release code and instructions."
    expect(page.get_by_text(words)).to_be_visible()
    page.get_by_label("Credit Card").check()
    email = steps.new_address()
    field(page, "E-mail address").fill(email)
    button(page, "Submit Payment").click()
    steps.pay_at_bank(page)
    steps.read_confirmation_code(page)
    code = read_code(booting.boot)
    expect(main).to_contain_text(code)
    link(page, "From now to the return: your boot's page").click()
    expect_heading(page, "Your boot")
    expect(main).to_contain_text("Return the boot by")
    expect(main).to_contain_text(code)
    own = page.url
    for subject in ("[Rr]eceipt", "Your boot release code"):
        steps.open_mail(page, email, subject)
    expect(page.frame_locator("iframe").get_by_text(code).first).to_be_visible()

    office = device(person=CLERK).page
    office.goto(reverse("admin:boots_booting_find_returned"))
    field(office, "Boot").fill(f"https://parking.example{reverse('boots:sticker', args=[booting.boot.tag])}")
    button(office, "Go on").click()
    field(office, "New release code").fill("70017")
    field(office, "Your own password").fill(PASSWORD)
    button(office, "It is back").click()
    expect(office.get_by_text("The boot is back.").first).to_be_visible()
    booting.refresh_from_db()
    assert booting.ending == Ending.RETURNED
    page.goto(own)
    expect(main).to_contain_text("Deposit back")
    expect(main).not_to_contain_text(code)
    assert Deposit.objects.get(booting=booting).returned_amount == Deposit.objects.get(booting=booting).amount


def test_owner_pays_everything_outstanding_from_the_account(device):
    person = cast.make_driver(first_name="Bea", last_name="Boot")
    other = cast.fine(person)
    BootPolicy.objects.update(requires_all=True)
    try:
        booting = cast.boot_on(person)
    finally:
        BootPolicy.objects.update(requires_all=False)
    page = device(person=person.email).page
    page.goto("/")
    page.get_by_role("link", name=re.compile("Release your vehicle")).first.click()
    expect_heading(page, "Release your vehicle")
    main = page.get_by_role("main")
    for number in (booting.ticket.number, other.number):
        expect(main).to_contain_text(f"Ticket {number}")
    page.goto("/payments/")
    expect(main).to_contain_text("A boot is on the vehicle. It is released when this is paid.")
    page.get_by_label(f"Ticket {booting.ticket.number}").check()
    button(page, "Continue to Checkout").click()
    expect(main).to_contain_text(f"Ticket {other.number}")
    expect(main).to_contain_text(f"Boot deposit {booting.ticket.number}")
    page.get_by_label("Credit Card").check()
    button(page, "Submit Payment").click()
    steps.pay_at_bank(page)
    steps.read_confirmation_code(page)
    expect(main).to_contain_text(read_code(booting.boot))
    assert set(Ticket.objects.filter(person=person).values_list("status", flat=True)) == {TicketStatus.PAID}
