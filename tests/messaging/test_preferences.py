"""What people do not want is not sent, what they must get always is, and a link in a mail is enough to say so."""

import pytest
from django.test import Client
from django.urls import reverse

from opscom.core.models import AuditEntry
from opscom.messaging import delivery, preferences
from opscom.messaging.models import EmailCategory, Message, OptOut
from opscom.messaging.preferences import make_link
from opscom.provider.models import Provider
from opscom.provider.selectors import forget_cached
from tests.factories.messaging import mail_server, make_message

pytestmark = pytest.mark.django_db
MAYA = "maya@example.org"


def path_of(link: str) -> str:
    return "/" + link.split("/", 3)[3]


def link_for(address: str = MAYA, category: str = "newsletter") -> str:
    return path_of(make_link(address, category, "en"))


def switch(is_on: bool) -> None:
    Provider.objects.update_or_create(pk=1, defaults={"is_email_preferences_on": is_on})
    forget_cached()


@pytest.fixture
def browser() -> Client:
    """A browser of nobody in particular, which insists on CSRF tokens as a real one's server does."""
    client = Client(enforce_csrf_checks=True)
    client.cookies["language"] = "en"
    return client


def test_newsletter_carries_link_and_one_click_header(settings):
    message = make_message(category="newsletter")
    with mail_server(settings) as server:
        assert delivery.deliver(message.pk) == "sent"
    (mail,) = server.mails
    link = make_link(MAYA, "newsletter", "en")
    assert "".join(mail["List-Unsubscribe"].split()) == f"<{link}>"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    message.refresh_from_db()
    assert link in message.body
    assert f'href="{link}"' in message.html


@pytest.mark.parametrize("category", ["system", "important"])
def test_mail_that_must_come_carries_neither(settings, category):
    message = make_message(category=category)
    with mail_server(settings) as server:
        delivery.deliver(message.pk)
    (mail,) = server.mails
    assert mail["List-Unsubscribe"] is None
    message.refresh_from_db()
    assert "Unsubscribe" not in message.body + message.html


def test_unsubscribed_after_it_was_written_is_not_sent(settings):
    message = make_message(category="newsletter", to="Maya@Example.org", secret_context={"code": "1"})
    preferences.switch_off(address="maya@example.ORG", category="newsletter")
    with mail_server(settings) as server:
        assert delivery.deliver(message.pk) == "cancelled"
    assert server.mails == []
    message.refresh_from_db()
    assert message.secret_context is None
    assert "unsubscribed" in message.last_error


def test_essential_and_system_mail_cannot_be_refused(settings):
    important = EmailCategory.objects.get(code="important")
    preferences.switch_off(address=MAYA, category="important")
    preferences.save_choices(address=MAYA, wanted=[])
    # Even a row that should not be there stops nothing.
    OptOut.objects.create(address=MAYA, category=important)
    with mail_server(settings) as server:
        for category in ("system", "important"):
            assert delivery.deliver(make_message(category=category).pk) == "sent"
    assert len(server.mails) == 2


def test_switched_off_ignores_and_keeps_what_was_chosen(settings, client_of, resident):
    preferences.switch_off(address=MAYA, category="newsletter")
    switch(False)
    message = make_message(category="newsletter")
    with mail_server(settings) as server:
        assert delivery.deliver(message.pk) == "sent"
    assert server.mails[0]["List-Unsubscribe"] is None
    browser = client_of(resident)
    assert browser.get(reverse("accounts:email_preferences")).status_code == 404
    assert browser.get(link_for()).status_code == 404
    assert browser.post(link_for(), {"List-Unsubscribe": "One-Click"}).status_code == 404
    assert "Email Preferences" not in browser.get(reverse("home:home")).content.decode()
    switch(True)
    assert not preferences.is_wanted(MAYA, "newsletter")


def test_unknown_category_is_a_fault_at_once():
    with pytest.raises(ValueError, match="no e-mail category"):
        make_message(category="newsleter")
    assert not Message.objects.exists()


def test_one_click_needs_no_cookie_no_token_and_no_second_step(browser):
    for _n in range(2):
        response = browser.post(link_for(), {"List-Unsubscribe": "One-Click"})
        assert response.status_code == 200
        assert "Location" not in response
    refused = [choice.category.code for choice in preferences.list_choices(MAYA) if not choice.is_wanted]
    assert refused == ["newsletter"]
    entry = AuditEntry.objects.get(action="email_category.switched_off")
    assert entry.facts["address"] == MAYA


def test_opening_the_link_changes_nothing_and_shows_no_whole_address(browser):
    response = browser.get(link_for())
    assert response.status_code == 200
    assert MAYA not in response.content.decode()
    assert "m•••@example.org" in response.content.decode()
    assert browser.head(link_for()).status_code == 200
    assert not OptOut.objects.exists()


def test_save_by_link_and_back_on(browser):
    assert browser.post(link_for(), {"wanted": ["promotional"]}).status_code == 302
    refused = {choice.category.code for choice in preferences.list_choices(MAYA) if not choice.is_wanted}
    assert refused == {"newsletter", "product-updates"}
    browser.post(link_for(), {"wanted": ["promotional", "newsletter", "product-updates"]})
    assert not OptOut.objects.exists()


def test_select_all_ticks_without_saving(browser):
    preferences.save_choices(address=MAYA, wanted=[])
    text = browser.post(link_for(), {"toggle": "1"}).content.decode()
    assert text.count(" checked") == 3
    text = browser.post(link_for(), {"toggle": "1", "wanted": ["promotional", "newsletter", "product-updates"]})
    assert text.content.decode().count(" checked") == 0
    assert OptOut.objects.count() == 3


def test_forged_links_are_nobodys(browser):
    good = link_for().partition("?")[0]
    body, _colon, mark = good.rpartition("/")[2].rpartition(":")
    other = link_for("luc@example.org").partition("?")[0].rpartition("/")[2].rpartition(":")
    for token in (f"{other[0]}:{mark}", f"{body}:{other[2]}", body, "x", f"{body}:{mark}x"):
        path = reverse("messaging:preferences", args=[token])
        assert browser.get(path).status_code == 404
        assert browser.post(path, {"List-Unsubscribe": "One-Click"}).status_code == 404
    assert not OptOut.objects.exists()


def test_unknown_category_and_essential_in_a_form_are_refused(browser):
    response = browser.post(link_for(), {"wanted": ["important", "nothing"]})
    assert response.status_code == 200
    assert "Please check what you entered" in response.content.decode()
    assert not OptOut.objects.exists()


def test_signed_in_page_saves_for_ones_own_address(client_of, resident, other_resident):
    browser = client_of(resident)
    path = reverse("accounts:email_preferences")
    assert resident.email in browser.get(path).content.decode()
    response = browser.post(path, {"wanted": ["newsletter"]}, follow=True)
    assert "Your e-mail preferences are saved." in response.content.decode()
    assert set(OptOut.objects.values_list("address", flat=True)) == {resident.email}
    assert preferences.is_wanted(other_resident.email, "promotional")


def test_who_only_typed_an_address_does_not_decide_for_it(client_of, unproved_resident):
    browser = client_of(unproved_resident)
    path = reverse("accounts:email_preferences")
    assert browser.get(path).url == browser.post(path, {"wanted": []}).url == reverse("accounts:security")
    assert not OptOut.objects.exists()


def test_preferences_go_along_to_a_new_address():
    preferences.save_choices(address="old@example.org", wanted=["newsletter"])
    preferences.save_choices(address="new@example.org", wanted=["promotional", "product-updates"])
    preferences.move_preferences(old="Old@example.org", new="NEW@example.org")
    assert [choice.is_wanted for choice in preferences.list_choices("new@example.org")] == [False, False, False]
    assert all(choice.is_wanted for choice in preferences.list_choices("old@example.org"))


@pytest.mark.parametrize("extra", [0, 2])
def test_page_costs_the_same_for_any_number_of_categories(browser, extra, django_assert_num_queries):
    for number in range(extra):
        EmailCategory.objects.create(code=f"more-{number}", name={"en": "More"})
    browser.get(link_for())
    with django_assert_num_queries(3):
        browser.get(link_for())


def test_address_cannot_break_out_of_the_header(settings):
    message = make_message(category="newsletter")
    Message.objects.filter(pk=message.pk).update(to='maya@example.org>\r\nBcc: "x@example.org')
    with mail_server(settings) as server:
        assert delivery.deliver(message.pk) == "failed"
    assert server.mails == []
