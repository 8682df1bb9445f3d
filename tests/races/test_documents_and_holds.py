"""Two clerks, two uploads, a hold and a reservation in one moment."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import transaction
from django.utils import timezone

from accounts.models import AccountDocument, AccountHold, DocumentRequest, RequestStatus
from accounts.services.document_requests import approve_request, decline_request, withdraw_request
from accounts.services.documents import remove_document
from accounts.services.holds import lift_hold, place_hold
from opscom.core.errors import DomainError, NotAllowed
from opscom.core.models import AuditEntry
from opscom.messaging.models import Message
from permits.models import Permit
from tests.factories.accounts import make_user
from tests.factories.documents import make_document, make_request
from tests.factories.permits import make_buyer, make_sale, reserve
from tests.races.together import together

pytestmark = [pytest.mark.races, pytest.mark.django_db(transaction=True)]


def sent_request() -> DocumentRequest:
    person = make_user()
    wanted = make_request(person, make_user())
    make_document(person, request=wanted)
    return wanted


@pytest.mark.parametrize("_round", range(3))
def test_of_clerks_who_decide_at_once_one_is_heard(_round):
    wanted = sent_request()
    clerks = [make_user(), make_user(), make_user()]

    def mine():
        return DocumentRequest.objects.select_related("person").get(pk=wanted.pk)

    copies = [mine(), mine(), mine()]
    results = together(
        [
            lambda: approve_request(request=copies[0], actor=clerks[0]),
            lambda: decline_request(request=copies[1], reason="Blurred", actor=clerks[1]),
            lambda: withdraw_request(request=copies[2], actor=clerks[2]),
        ]
    )
    assert sum(isinstance(result, DomainError) for result in results) == 2
    decided = AuditEntry.objects.filter(
        action__in=[f"document_request.{word}" for word in ("approved", "declined", "withdrawn")]
    )
    assert decided.count() == 1
    assert Message.objects.exclude(template="accounts/document_asked").count() == 1
    assert decided.get().action == f"document_request.{mine().status}"


def test_uploads_at_once_never_pass_the_limit(settings):
    settings.DOCUMENTS_PER_PERSON = 3
    person = make_user()
    results = together([lambda: make_document(person) for _one in range(6)])
    assert sum(isinstance(result, AccountDocument) for result in results) == 3
    assert sum(isinstance(result, NotAllowed) for result in results) == 3
    assert AccountDocument.objects.filter(person=person).count() == 3


def test_two_uploads_for_one_request_are_both_kept():
    person = make_user()
    wanted = make_request(person, make_user())
    results = together([lambda: make_document(person, request=wanted) for _one in range(4)])
    assert [result for result in results if isinstance(result, DomainError)] == []
    wanted.refresh_from_db()
    assert (wanted.status, wanted.documents.count()) == (RequestStatus.SENT, 4)
    assert AuditEntry.objects.filter(action="document_request.sent").count() == 1


def test_a_file_is_removed_once():
    document = make_document(make_user())
    together([lambda: remove_document(document=document, actor=document.person) for _one in range(4)])
    assert AuditEntry.objects.filter(action="document.removed").count() == 1


@pytest.mark.parametrize("_round", range(3))
def test_a_service_that_asks_six_times_at_once_places_one_hold(_round):
    person = make_user()
    results = together(
        [lambda: place_hold(person=person, reason="Owes", source="collections", object_id=9) for _one in range(6)]
    )
    assert {hold.pk for hold in results} == {AccountHold.objects.get(object_id=9).pk}
    assert AuditEntry.objects.filter(action__startswith="hold.").count() == 1


def test_a_hold_is_lifted_once():
    hold = place_hold(person=make_user(), reason="Owes")
    clerk = make_user()
    assert sorted(together([lambda: lift_hold(hold=hold, actor=clerk) for _one in range(4)])) == [
        False,
        False,
        False,
        True,
    ]


@pytest.mark.parametrize("_round", range(5))
def test_a_hold_and_a_reservation_at_once(_round):
    """Whichever has the person's lock first goes first: a reservation that comes after the hold is refused."""
    buyer, _ownership = make_buyer()
    sale = make_sale()
    hold, permit = together([lambda: place_hold(person=buyer, reason="Owes"), lambda: reserve(sale, buyer)])
    assert isinstance(hold, AccountHold)
    if isinstance(permit, Permit):
        # Both held the lock in turn; the permit's came first, so that it was written before the hold.
        first = AuditEntry.objects.filter(action__in=["permit.reserved", "hold.placed"]).order_by("pk")
        assert [entry.action for entry in first] == ["permit.reserved", "hold.placed"]
    else:
        assert isinstance(permit, NotAllowed)
        assert "Owes" in str(permit)
    assert isinstance(together([lambda: reserve(sale, buyer)])[0], NotAllowed)


def test_a_hold_that_came_while_a_reservation_waited_stops_it():
    """The reservation read the clock before the hold was placed: that must not help it."""
    buyer, _ownership = make_buyer()
    sale = make_sale()
    early = timezone.now()
    place_hold(person=buyer, reason="Owes")
    with pytest.raises(NotAllowed, match="Owes"):
        reserve(sale, buyer, now=early)


def test_nothing_is_added_to_what_is_being_approved():
    """The clerk has seen what there is; a file that comes in that very moment must not count as approved."""
    wanted = sent_request()
    clerk = make_user()
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            approve_request(request=wanted_again(wanted), actor=clerk, seen=wanted.documents.get().pk)
            late = pool.submit(together, [lambda: make_document(wanted.person, request=wanted)])
            time.sleep(1)
        assert isinstance(late.result()[0], NotAllowed)
    assert wanted.documents.count() == 1


def wanted_again(wanted: DocumentRequest) -> DocumentRequest:
    """Return the request as it is now."""
    return DocumentRequest.objects.select_related("person").get(pk=wanted.pk)
