"""A mailing: written, looked at in one's own inbox, sent to one user type, read there."""

from playwright.sync_api import expect

from accounts.models import Mailing
from accounts.services.mailings import continue_mailings
from demo.data.people import ADMINISTRATOR
from tests.browser import steps
from tests.browser.cast import make_driver
from tests.browser.device import PHONE
from tests.browser.steps import button
from tests.factories.accounts import make_user_type


def test_office_writes_to_one_user_type(device):
    kind = make_user_type("night-shift")
    reader = make_driver(user_type=kind)
    office = device(person=ADMINISTRATOR).page
    office.goto("/admin/accounts/mailing/add/")
    office.get_by_label("Category").select_option("Newsletter")
    office.get_by_label("Night-Shift").check()
    office.locator('input[name="subject_en"]').fill("Lot 4 opens at night")
    office.locator('textarea[name="text_en"]').fill("Dear all,\n\nthe gate stays open until six.")
    office.get_by_role("button", name="Save", exact=True).click()
    expect(office.get_by_text("was added successfully")).to_be_visible()
    mailing = Mailing.objects.latest("pk")
    change = f"/admin/accounts/mailing/{mailing.pk}/change/"

    office.goto(change)
    office.get_by_role("link", name="Send a preview to me").click()
    button(office, "Send a preview to me").click()
    expect(office.get_by_text(f"The preview is on its way to {ADMINISTRATOR}.")).to_be_visible()

    office.locator(f'a[href$="/mailing/{mailing.pk}/send/"]').click()
    expect(office.get_by_text("the gate stays open until six.")).to_be_visible()
    button(office, "Send").click()
    expect(office.get_by_text("The mailing is on its way.")).to_be_visible()
    for _try in range(60):
        # The portal may be at it in this moment, and holds it until then.
        continue_mailings()
        office.goto(change)
        if not office.locator('a[href$="/cancel/"]').count():
            break
        office.wait_for_timeout(500)
    expect(office.locator('a[href$="/cancel/"]')).to_have_count(0)

    page = device(person=reader.email, width=PHONE).page
    page.goto("/")
    steps.open_mail(page, reader.email, "Lot 4 opens at night")
    expect(page.locator("body")).to_contain_text("the gate stays open until six.")
    steps.follow_link_in_mail(page, "Unsubscribe")
    steps.expect_heading(page, "Email Preferences")
    expect(page.get_by_label("Newsletter", exact=True)).to_be_checked()
