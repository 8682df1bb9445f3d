"""Rights are withdrawn, and buttons pressed, at the moment of the switch."""

from collections.abc import Callable
from functools import partial
from threading import Event, Thread

import pytest
from django.db import connection, transaction
from django.test import Client

from accounts.acting.state import KEY
from accounts.models import CompanyManager, User
from accounts.services.companies import add_manager, remove_manager
from opscom.core.locks import lock_row
from opscom.core.models import AuditEntry
from tests.factories.accounts import make_user
from tests.factories.companies import give_company, log_in_as, make_company, who
from tests.races.together import together

pytestmark = [pytest.mark.races, pytest.mark.django_db(transaction=True)]


def while_locked(person: User, change: Callable[[], object], deed: Callable[[], object]) -> object:
    """Begin `deed` in another thread while this one holds the person's row; make the change, commit, return its result."""
    found: list[object] = []
    begun = Event()

    def run() -> None:
        begun.set()
        try:
            found.append(deed())
        finally:
            connection.close()

    thread = Thread(target=run)
    with transaction.atomic():
        lock_row(User.objects.filter(pk=person.pk), "person")
        thread.start()
        begun.wait(timeout=10)
        thread.join(timeout=0.5)
        assert thread.is_alive(), "the switch did not wait for the lock"
        change()
    thread.join(timeout=10)
    return found[0]


def test_right_withdrawn_during_the_switch_stops_it(manager, resident, client_of):
    client, administrator = client_of(manager), make_user(is_staff=True)
    grant = CompanyManager.objects.get()
    while_locked(
        manager, partial(remove_manager, grant=grant, actor=administrator), lambda: log_in_as(client, resident)
    )
    assert KEY not in client.session
    assert not AuditEntry.objects.filter(action="acting.began").exists()


def test_person_made_manager_during_the_switch_is_not_entered(manager, resident, client_of):
    client, administrator = client_of(manager), make_user(is_staff=True)
    change = partial(add_manager, company=make_company(), person=resident, actor=administrator)
    while_locked(resident, change, lambda: log_in_as(client, resident))
    assert KEY not in client.session


def test_manager_whose_password_changes_during_the_switch_does_not_get_in(manager, resident, client_of):
    client = client_of(manager)

    def change() -> None:
        manager.set_password("quite another password")
        manager.save(update_fields=["password"])

    while_locked(manager, change, lambda: log_in_as(client, resident))
    assert KEY not in client.session


def twin(client: Client) -> Client:
    """Another tab of the same browser."""
    other = Client()
    other.cookies["sessionid"] = client.cookies["sessionid"].value
    other.cookies["language"] = "en"
    return other


@pytest.mark.parametrize("_round", range(3))
def test_two_login_icons_at_once_lead_into_one_account(_round, manager, resident, client_of):
    colleague = make_user(company=resident.company)
    tab = client_of(manager)
    tabs = [tab, twin(tab)]
    together([partial(log_in_as, one, person) for one, person in zip(tabs, [resident, colleague], strict=True)])
    assert AuditEntry.objects.filter(action="acting.began").count() == 1
    assert sum(KEY in one.session for one in tabs) == 1


@pytest.mark.parametrize("_round", range(3))
def test_acting_that_ends_under_several_requests_ends_once(_round, manager, resident, client_of):
    tab = client_of(manager)
    log_in_as(tab, resident)
    tabs = [tab, *[twin(tab) for _number in range(4)]]
    CompanyManager.objects.all().delete()
    answers = together([partial(one.get, "/profile") for one in tabs])
    assert {answer.status_code for answer in answers} == {302}
    assert AuditEntry.objects.filter(action="acting.ended").count() == 1
    (winner,) = [one for one, answer in zip(tabs, answers, strict=True) if answer["Location"] == "/acting/over"]
    assert who(winner) == (manager.email, "")
    assert all(who(one) in {(manager.email, ""), ("", "")} for one in tabs)


def test_two_managers_act_for_two_people_at_once(manager, resident, client_of):
    other = give_company(make_company())
    person = make_user(company=other.managed_companies.get().company)
    clients = [client_of(manager), client_of(other)]
    together([partial(log_in_as, one, whom) for one, whom in zip(clients, [resident, person], strict=True)])
    assert [who(one) for one in clients] == [(resident.email, manager.email), (person.email, other.email)]
    posts = [
        partial(one.post, "/profile", {"first_name": "New", "last_name": "Name", "language": "en"}) for one in clients
    ]
    together(posts)
    entries = AuditEntry.objects.filter(action="person.profile_changed")
    pairs = {(entry.actor, entry.on_behalf_of) for entry in entries}
    assert pairs == {(manager, resident), (other, person)}
