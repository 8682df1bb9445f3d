"""The main job in a browser that runs no scripts."""

from playwright.sync_api import expect

from permits.models import Permit
from tests.browser import steps
from tests.browser.device import PHONE
from tests.browser.steps import button, expect_heading, link, tab


def test_main_job_without_javascript(device):
    page = device(width=PHONE, language="", javascript=False).page
    email, plate = steps.new_address(), steps.new_plate()

    steps.choose_language(page)
    steps.create_account(page, email)
    steps.open_mail(page, email, "password")
    # A sandboxed frame without scripts: its link still leads the whole window on.
    steps.follow_link_in_mail(page, "Create Password")
    steps.set_password(page)
    steps.sign_in(page, email)
    steps.finish_profile(page)
    tab(page, "Permits").click()
    steps.add_vehicle(page, plate)
    button(page, "I Agree").click()
    steps.reserve(page, "West Field", "Evening and weekend")
    expect(page.get_by_text("Held until")).to_be_visible()
    steps.check_out(page)
    steps.pay_at_bank(page)
    steps.read_confirmation_code(page)
    page.goto("/")
    link(page, Permit.objects.get(holder__email=email).number).click()
    expect_heading(page, "Permit Information")
    for _look in range(30):
        if button(page, "Print").is_visible():
            break
        link(page, "Look again").click()
    with page.expect_download() as coming:
        button(page, "Print").click()
    assert coming.value.path().read_bytes().startswith(b"%PDF")


def test_vehicle_is_switched_without_javascript(device):
    page = device(javascript=False, person="maya.chen@lakeshore.example").page
    page.goto("/vehicles/")
    switch = page.get_by_role("switch", name="BLUE 77")
    switch.click()
    expect(switch).not_to_be_checked()
    switch.click()
    expect(switch).to_be_checked()
