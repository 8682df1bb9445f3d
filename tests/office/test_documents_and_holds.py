"""The office's pages about documents and holds."""

import datetime as dt
from decimal import Decimal

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse
from django.utils import timezone

from accounts.models import AccountDocument, AccountHold, DocumentRequest, RequestStatus
from accounts.services.document_requests import ask_for_document, newest_document
from accounts.services.holds import place_hold
from opscom.core.errors import NotAllowed
from opscom.core.models import AuditEntry
from tests.accounts.helpers import mails
from tests.factories.accounts import make_user
from tests.factories.documents import make_document, make_request

pytestmark = pytest.mark.django_db
QUEUE = "/admin/accounts/documentrequest/"


def person_page(person, deed=""):
    page = reverse("admin:accounts_user_change", args=[person.pk])
    return f"{page.removesuffix('change/')}{deed}/" if deed else page


def request_page(wanted, deed):
    return f"{QUEUE}{wanted.pk}/{deed}/"


@pytest.fixture
def wanted(resident, clerk):
    """A request for which something came."""
    wanted = make_request(resident, clerk)
    make_document(resident, name="lease.pdf", request=wanted)
    wanted.refresh_from_db()
    return wanted


# A person's page


def test_person_page_shows_documents_requests_and_holds(client_of, clerk, resident, other_resident, wanted):
    place_hold(person=resident, reason="Three unpaid tickets", amount=Decimal(45))
    make_document(other_resident, name="theirs.pdf")
    page = client_of(clerk).get(person_page(resident)).content.decode()
    document = AccountDocument.objects.get(name="lease.pdf")
    for part in ("lease.pdf", f"/uploads/{document.code}/file", "Proof of address", "Three unpaid tickets", "$45.00"):
        assert part in page
    assert "theirs.pdf" not in page


def test_panel_follows_the_rights(client_of, resident, wanted):
    place_hold(person=resident, reason="Three unpaid tickets")
    looker = make_user(is_staff=True)
    looker.user_permissions.add(Permission.objects.get(codename="view_user"))
    page = client_of(looker).get(person_page(resident)).content.decode()
    for part in ("lease.pdf", "Proof of address", "Three unpaid tickets"):
        assert part not in page
    for deed in ("ask-for-document", "place-hold"):
        assert client_of(looker).get(person_page(resident, deed)).status_code == 403


def test_clerk_asks_for_a_document(client_of, clerk, resident):
    client = client_of(clerk)
    address = person_page(resident, "ask-for-document")
    assert client.get(address).status_code == 200
    assert client.post(address, {"what": ""}).status_code == 422
    assert client.post(address, {"what": "Student card"}).status_code == 302
    assert client.post(address, {"what": "student card"}).status_code == 422
    wanted = DocumentRequest.objects.get()
    assert (wanted.person, wanted.what, wanted.asked_by) == (resident, "Student card", clerk)


def test_clerk_places_a_hold_with_amount_and_end_at_the_providers_place(client_of, clerk, resident):
    client = client_of(clerk)
    address = person_page(resident, "place-hold")
    assert client.get(address).status_code == 200
    assert client.post(address, {"reason": "x", "ends_at": "2020-01-01T10:00"}).status_code == 422
    assert client.post(address, {"reason": "x", "amount": "0"}).status_code == 422
    assert (
        client.post(address, {"reason": "Bounced cheque", "amount": "45.50", "ends_at": "2099-06-01T10:00"}).status_code
        == 302
    )
    hold = AccountHold.objects.get()
    assert (hold.reason, hold.amount, hold.placed_by) == ("Bounced cheque", Decimal("45.50"), clerk)
    assert hold.ends_at == dt.datetime(2099, 6, 1, 14, tzinfo=dt.UTC)
    assert AuditEntry.objects.get(action="hold.placed").actor == clerk


def test_clerk_lifts_a_hold_but_not_their_own(client_of, clerk, resident):
    hold, own = place_hold(person=resident, reason="x"), place_hold(person=clerk, reason="y")
    client = client_of(clerk)
    for one in (hold, own):
        client.post(f"/admin/accounts/accounthold/{one.pk}/lift/")
    hold.refresh_from_db()
    own.refresh_from_db()
    assert (hold.lifted_by, own.lifted_at) == (clerk, None)
    client.post("/admin/accounts/accounthold/", {"action": "lift_all", "_selected_action": [own.pk]})
    own.refresh_from_db()
    assert own.lifted_at is None


@pytest.mark.parametrize(("runs", "shown"), [("now", "Runs"), ("later", "Later"), ("over", "Over")])
def test_holds_are_filtered_by_when_they_run(client_of, clerk, resident, runs, shown):
    now, day = timezone.now(), dt.timedelta(days=1)
    place_hold(person=resident, reason="Runs now-ish")
    place_hold(person=resident, reason="Later on", starts_at=now + day)
    place_hold(person=resident, reason="Over long ago", starts_at=now - 3 * day, ends_at=now - day)
    page = client_of(clerk).get(f"/admin/accounts/accounthold/?runs={runs}").content.decode()
    reasons = {"Runs": "Runs now-ish", "Later": "Later on", "Over": "Over long ago"}
    assert [key for key, reason in reasons.items() if f">{reason}<" in page] == [shown]


# The queue


def test_queue_opens_with_what_is_to_be_looked_at(client_of, clerk, other_resident, wanted):
    make_request(other_resident, clerk, what="Student card")
    client = client_of(clerk)
    page = client.get(QUEUE).content.decode()
    assert "To be looked at" in page
    assert "Proof of address" in page
    assert "Student card" not in page
    assert "Student card" in client.get(f"{QUEUE}?queue=person").content.decode()
    assert "Student card" in client.get(f"{QUEUE}?queue=all").content.decode()
    assert "Student card" not in client.get(f"{QUEUE}?queue=done").content.decode()


def test_first_page_counts_what_is_to_be_looked_at(client_of, clerk, wanted):
    assert "Documents to be looked at" in client_of(clerk).get("/admin/").content.decode()


def test_clerk_declines_with_a_reason_and_approves(client_of, administrator, wanted, resident):
    client = client_of(administrator)
    page = client.get(request_page(wanted, "decline")).content.decode()
    assert "lease.pdf" in page
    seen = newest_document(wanted)
    assert client.post(request_page(wanted, "decline"), {"seen": seen, "reason": ""}).status_code == 422
    client.post(request_page(wanted, "decline"), {"seen": seen, "reason": "Cut off."})
    wanted.refresh_from_db()
    assert (wanted.status, wanted.reason) == (RequestStatus.DECLINED, "Cut off.")
    make_document(resident, request=wanted)
    client.post(request_page(wanted, "approve"), {"seen": seen})
    wanted.refresh_from_db()
    assert wanted.status == RequestStatus.SENT, "another file came than the clerk had seen"
    client.post(request_page(wanted, "approve"), {"seen": newest_document(wanted)})
    wanted.refresh_from_db()
    assert wanted.status == RequestStatus.APPROVED
    answer = client.post(
        request_page(wanted, "decline"), {"seen": newest_document(wanted), "reason": "No"}, follow=True
    )
    assert "has been approved already." in answer.content.decode()


def test_clerk_withdraws_what_nobody_needs(client_of, administrator, wanted):
    client_of(administrator).post(request_page(wanted, "withdraw"))
    wanted.refresh_from_db()
    assert wanted.status == RequestStatus.WITHDRAWN


def test_several_are_approved_from_the_list(client_of, administrator, wanted, other_resident, clerk):
    other = make_request(other_resident, clerk)
    make_document(other_resident, request=other)
    chosen = {"action": "approve_all", "_selected_action": [wanted.pk, other.pk]}
    answer = client_of(administrator).post(QUEUE, chosen, follow=True)
    assert "2 documents approved." in answer.content.decode()
    assert DocumentRequest.objects.filter(status=RequestStatus.APPROVED).count() == 2


def test_who_may_only_look_decides_nothing(client_of, wanted):
    looker = make_user(is_staff=True)
    rights = ["view_user", "view_documentrequest", "view_accountdocument", "view_accounthold"]
    looker.user_permissions.set(Permission.objects.filter(codename__in=rights))
    client = client_of(looker)
    assert client.get(QUEUE).status_code == 200
    for deed in ("approve", "decline", "withdraw"):
        assert (
            client.post(request_page(wanted, deed), {"seen": newest_document(wanted), "reason": "x"}).status_code == 403
        )
    client.post(QUEUE, {"action": "approve_all", "_selected_action": [wanted.pk]})
    wanted.refresh_from_db()
    assert wanted.status == RequestStatus.SENT


def test_no_page_of_the_office_links_past_the_checking_view(client_of, administrator, wanted):
    document = wanted.documents.get()
    client = client_of(administrator)
    for address in (
        "/admin/accounts/accountdocument/",
        f"/admin/accounts/accountdocument/{document.pk}/change/",
        f"{QUEUE}{wanted.pk}/change/",
        person_page(wanted.person),
    ):
        page = client.get(address).content.decode()
        assert document.file.name not in page
        assert f"/uploads/{document.code}/file" in page


@pytest.mark.parametrize("rows", [1, 3])
@pytest.mark.parametrize(
    ("address", "queries"),
    [("/admin/accounts/accountdocument/", 7), (f"{QUEUE}?queue=all", 6), ("/admin/accounts/accounthold/", 7)],
)
def test_lists_are_flat(client_of, administrator, clerk, django_assert_num_queries, address, queries, rows):
    for _row in range(rows):
        person = make_user()
        make_document(person, request=make_request(person, clerk))
        place_hold(person=person, reason="x", actor=clerk)
    client = client_of(administrator)
    client.get("/admin/")
    with django_assert_num_queries(queries):
        assert client.get(address).status_code == 200


def test_somebody_is_not_flooded_with_requests(clerk, resident, other_resident):
    for number in range(10):
        ask_for_document(person=resident, what=f"Paper {number}", actor=clerk)
    with pytest.raises(NotAllowed):
        ask_for_document(person=resident, what="One more", actor=clerk)
    ask_for_document(person=other_resident, what="Paper", actor=clerk)
    assert len(mails("document_asked")) == 11
