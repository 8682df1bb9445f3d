"""The demo's inbox: what was sent can be read and clicked, by anyone, and harms nobody."""

import datetime as dt
import re

import pytest
from django.core.mail import EmailMultiAlternatives
from django.urls import reverse

from demo.mail import DemoInboxBackend, DemoSms
from demo.models import ReceivedMessage

pytestmark = pytest.mark.django_db
LETTER = '<!doctype html><html><head><title>x</title></head><body><a href="/password/abc/">Go</a></body></html>'


def receive(number: int = 1, **changes) -> ReceivedMessage:
    """Send one mail through the demo's backend."""
    mail = EmailMultiAlternatives(
        subject=f"Welcome {number}",
        body="Go to http://localhost:8000/password/abc/",
        from_email="Lakeshore <noreply@localhost>",
        to=["maya@example.org"],
        headers={"Message-ID": f"<{number}@localhost>"},
    )
    mail.attach_alternative(changes.get("html", LETTER), "text/html")
    mail.attach("receipt.pdf", b"%PDF-1.7", "application/pdf")
    DemoInboxBackend().send_messages([mail])
    return ReceivedMessage.objects.first()


def test_pages_need_no_sign_in(client):
    for name in ("index", "inbox"):
        assert client.get(reverse(f"demo:{name}")).status_code == 200
    assert reverse("demo:inbox") in client.get(reverse("demo:index")).text


def test_empty_inbox_says_what_to_do(client):
    assert "Nothing has arrived yet" in client.get(reverse("demo:inbox")).text


@pytest.mark.parametrize("rows", [1, 3])
def test_list_queries_are_flat(client, rows, django_assert_num_queries):
    for number in range(rows):
        receive(number)
    client.get(reverse("demo:inbox"))
    with django_assert_num_queries(2):
        response = client.get(reverse("demo:inbox"))
    assert response.text.count("maya@example.org") >= rows


def test_newest_first_and_paged(client):
    for number in range(30):
        receive(number)
    first = client.get(reverse("demo:inbox")).text
    assert first.index("Welcome 29") < first.index("Welcome 28")
    assert "Welcome 4<" not in first
    assert "Welcome 4<" in client.get(reverse("demo:inbox") + "?page=2").text


def test_one_receiver_only(client):
    receive()
    DemoSms().send(to="+16135550100", text="Your code is 1234", reference="<2@localhost>")
    page = client.get(reverse("demo:inbox"), {"to": "+16135550100"}).text
    assert "Text message" in page
    assert "Welcome" not in page


def test_message_shows_links_and_frame(client):
    message = receive()
    page = client.get(reverse("demo:message", args=[message.pk])).text
    assert '<a href="http://localhost:8000/password/abc/" rel="nofollow">' in page
    assert f'src="{reverse("demo:message_html", args=[message.pk])}"' in page
    assert 'sandbox="allow-top-navigation-by-user-activation"' in page


def test_times_are_those_of_the_portal(client):
    message = receive()
    ReceivedMessage.objects.update(received_at=dt.datetime(2026, 3, 1, 2, 30, tzinfo=dt.UTC))
    for address in (reverse("demo:inbox"), reverse("demo:message", args=[message.pk])):
        assert re.search(r"Feb\w*\.? 28, 2026,? 9:30", client.get(address).text)


def test_html_has_its_own_policy_and_may_be_framed(client):
    message = receive()
    response = client.get(reverse("demo:message_html", args=[message.pk]))
    policy = response["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "style-src 'unsafe-inline'" in policy
    assert "frame-ancestors 'self'" in policy
    assert "script-src" not in policy
    assert response["X-Frame-Options"] == "SAMEORIGIN"
    assert '<base target="_top">' in response.text


def test_sms_has_no_html_page(client):
    DemoSms().send(to="+16135550100", text="Your code is 1234", reference="<2@localhost>")
    message = ReceivedMessage.objects.get()
    assert "Your code is 1234" in client.get(reverse("demo:message", args=[message.pk])).text
    assert client.get(reverse("demo:message_html", args=[message.pk])).status_code == 404


def test_a_second_copy_is_dropped():
    receive(1)
    receive(1)
    DemoSms().send(to="+16135550100", text="a", reference="<2@localhost>")
    DemoSms().send(to="+16135550100", text="a", reference="<2@localhost>")
    assert ReceivedMessage.objects.count() == 2


def test_files_are_handed_over(client):
    message = receive()
    response = client.get(reverse("demo:attachment", args=[message.pk, 0]))
    assert response.content == b"%PDF-1.7"
    assert response["Content-Disposition"].startswith("attachment")
    assert client.get(reverse("demo:attachment", args=[message.pk, 1])).status_code == 404


def test_from_the_outbox_to_the_inbox(settings):
    from opscom.messaging import delivery
    from opscom.messaging.services import queue_sms

    settings.SMS_BACKEND = "demo.mail.DemoSms"
    message = queue_sms(template="no/such", to="+16135550100", language="en", dedupe_key="x")
    assert delivery.deliver(message.pk) == "failed"
    assert not ReceivedMessage.objects.exists()
