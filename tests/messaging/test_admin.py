"""The office's view of the outbox."""

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.urls import reverse

from opscom.messaging import delivery
from opscom.messaging.models import Message, MessageTemplate
from tests.factories.messaging import mail_server, make_message
from tests.people import show_code

pytestmark = pytest.mark.django_db
LIST = "admin:messaging_message_changelist"


@pytest.fixture
def office(client):
    user = get_user_model().objects.create_superuser("o@example.org", "x", first_name="O", last_name="R")
    client.force_login(user)
    show_code(client, user)
    return client


@pytest.mark.parametrize("rows", [1, 3])
def test_list_queries_are_flat(office, rows, django_assert_max_num_queries):
    for _number in range(rows):
        make_message()
    office.get(reverse(LIST))
    with django_assert_max_num_queries(16) as queries:
        page = office.get(reverse(LIST)).text
    assert page.count("maya@example.org") >= rows
    assert not [
        q
        for q in queries.captured_queries
        if q["sql"].count("messaging_message") and "WHERE" in q["sql"] and '"messaging_message"."id" =' in q["sql"]
    ]


def test_messages_are_read_only(office):
    message = make_message()
    address = reverse("admin:messaging_message_change", args=[message.pk])
    page = office.get(address).text
    assert "maya@example.org" in page
    assert office.post(address, {"to": "evil@example.org"}).status_code == 403
    assert office.get(reverse("admin:messaging_message_add")).status_code == 403
    assert office.post(reverse("admin:messaging_message_delete", args=[message.pk])).status_code == 403


def test_secret_never_shows(office, settings):
    message = make_message(secret_context={"link": "/password/abc/"})
    with mail_server(settings):
        delivery.deliver(message.pk)
    page = office.get(reverse("admin:messaging_message_change", args=[message.pk])).text
    assert "[secret]" in page
    assert "/password/abc/" not in page


def test_send_again_as_an_action(office, settings):
    failed, waiting = make_message(), make_message()
    with mail_server(settings, lambda server, envelope: "550 no"):
        delivery.deliver(failed.pk)
    data = {"action": "send_again", "_selected_action": [failed.pk, waiting.pk]}
    page = office.post(reverse(LIST), data, follow=True).text
    assert "1 message is on its way." in page
    assert "still waiting" in page
    assert Message.objects.get(pk=failed.pk).status == "queued"


def test_send_again_needs_the_right(client, settings):
    reader = get_user_model().objects.create_user("r@example.org", is_staff=True, first_name="R", last_name="S")
    reader.user_permissions.add(Permission.objects.get(codename="view_message"))
    client.force_login(reader)
    show_code(client, reader)
    failed = make_message()
    with mail_server(settings, lambda server, envelope: "550 no"):
        delivery.deliver(failed.pk)
    assert client.get(reverse(LIST)).status_code == 200
    client.post(reverse(LIST), {"action": "send_again", "_selected_action": [failed.pk]})
    assert Message.objects.get(pk=failed.pk).status == "failed"


def test_wording_is_written_by_the_office(office):
    add = reverse("admin:messaging_messagetemplate_add")
    data = {"template": "trial/hello", "subject_en": "Hi", "text_en": "{oops}", "subject_fr_ca": "", "text_fr_ca": ""}
    assert "is not one of the placeholders" in office.post(add, data).text
    assert office.post(add, {**data, "text_en": "{link}"}).status_code == 302
    wording = MessageTemplate.objects.get()
    change = reverse("admin:messaging_messagetemplate_change", args=[wording.pk])
    page = office.get(change).text
    assert "{link}" in page
    assert office.post(change, {**data, "text_en": "{link} {oops}"}).status_code == 200
    assert office.get(reverse("admin:messaging_messagetemplate_changelist")).status_code == 200
