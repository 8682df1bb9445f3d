"""Two records of one person become one: everything is found in the one that stays, and nothing opens the other."""

from typing import Any

import pghistory.models
import pytest
from allauth.socialaccount.models import SocialAccount
from allauth.usersessions.models import UserSession
from django.apps import apps
from django.db.models import ForeignKey
from django.utils import timezone
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts import person_parts
from accounts.history import Window, read_history
from accounts.invariants import check_people
from accounts.links import LinkDead, Purpose, make_token, read_token
from accounts.merging.services import STAYS, plan_merge
from accounts.models import AccountHold, CompanyManager, MailingAddress, ProfileAnswer, User
from accounts.person_parts import PersonPart, all_parts
from accounts.services.people import lock_person
from opscom.core.errors import NotAllowed, Stale
from opscom.core.models import AuditEntry
from opscom.messaging.models import Message, OptOut
from opscom.provider.models import Agreement
from payments.models import OrderStatus
from permits.models import Permit
from tests.factories.accounts import PASSWORD, make_registered, make_user
from tests.factories.merging import buy, give_sign_in, live_permits, make_driver, make_rich, merge
from tests.factories.payments import go_to_bank, order_permit
from tests.factories.permits import make_permit_type, make_sale, offer_demo_bank, reserve
from tests.factories.vehicles import make_ownership
from tests.races.together import assert_books_and_numbers_are_right
from vehicles.models import Ownership

pytestmark = pytest.mark.django_db


# Every column


def columns_to_people() -> set[str]:
    """Return every column of the database that points at people, but those of the triggers' own rows."""
    found = set()
    for model in apps.get_models(include_auto_created=True):
        if model._meta.proxy or issubclass(model, pghistory.models.Event):
            continue
        for field in model._meta.local_fields:
            if isinstance(field, ForeignKey) and field.related_model is User:
                found.add(f"{model._meta.label}.{field.name}")
    return found


def test_every_column_that_points_at_people_is_answered_for():
    """A new app says in its person part what becomes of its rows, or here why nothing does."""
    handled = [*STAYS, *[column for part in all_parts() for column in (*part.moves, *part.settles)]]
    assert sorted(handled) == sorted(set(handled)), "a column stands in two places"
    assert columns_to_people() == set(handled)


def test_each_exemption_has_its_reason():
    assert all(STAYS.values())


# Somebody with everything


def test_everything_goes_to_the_record_that_stays(administrator):
    loser, keeper = make_rich(first_name="Maya", last_name="Chen"), make_driver()
    permits, orders = set(loser.permits.values_list("pk", flat=True)), set(loser.orders.values_list("pk", flat=True))
    plan = plan_merge(keeper=keeper, loser=loser)
    assert dict(plan.moves) == {
        "Documents": 1,
        "Document requests": 1,
        "Holds on the account": 1,
        "Companies managed": 1,
        "Answers in the profile": 1,
        "Mailing addresses": 1,
        "Agreements to disclaimers": 1,
        "E-mail opt-outs": 1,
        "Vehicles": 2,
        "Paid orders": 2,
        "Other orders": 1,
        "Permits held or reserved": 2,
        "Past permits": 1,
    }
    merge(keeper, loser, administrator)
    assert set(keeper.permits.values_list("pk", flat=True)) >= permits
    assert set(keeper.orders.values_list("pk", flat=True)) >= orders
    for rows in (keeper.documents, keeper.document_requests, keeper.holds, keeper.managed_companies):
        assert rows.count() == 1
    assert keeper.profile_answers.count() == keeper.agreements.count() == 1
    assert str(keeper.mailing_address) == "9 Second Street"
    assert OptOut.objects.filter(address=keeper.email).count() == 1
    assert keeper.ownerships.current().count() == 3
    assert list(check_people()) == []
    assert_books_and_numbers_are_right()


def test_a_record_that_both_have_everything_in_merges_too(administrator):
    loser, keeper = make_rich(), make_rich()
    merge(keeper, loser, administrator)
    assert keeper.orders.filter(status=OrderStatus.OPEN).count() == 1
    # What the record that stays had already remains with the other, as it was.
    assert MailingAddress.objects.filter(person=loser).exists()
    assert ProfileAnswer.objects.filter(person=loser).exists()
    assert Agreement.objects.filter(user=loser).exists()
    assert not CompanyManager.objects.filter(person=loser).exists()
    assert CompanyManager.objects.filter(person=keeper).count() == 1
    assert list(check_people()) == []
    assert_books_and_numbers_are_right()


def test_what_was_paid_and_printed_opens_in_the_record_that_stays(administrator, client_of):
    loser, keeper = make_rich(), make_driver()
    order = loser.orders.filter(status=OrderStatus.PAID).order_by("pk")[0]
    permit = live_permits(loser)[0]
    as_loser, addresses = client_of(loser), [f"/payments/receipt/{order.code}/", f"/permits/{permit.code}/"]
    assert [as_loser.get(address).status_code for address in addresses] == [200, 200]
    merge(keeper, loser, administrator)
    assert [as_loser.get(address).status_code for address in addresses] == [302, 302]
    as_keeper = client_of(keeper)
    assert [as_keeper.get(address).status_code for address in addresses] == [200, 200]


def test_the_history_of_both_is_one(administrator):
    loser, keeper = make_rich(), make_driver()
    before = len(read_history(loser, Window()).rows)
    merge(keeper, loser, administrator)
    rows = read_history(keeper, Window()).rows
    whats = [row.happening.what for row in rows]
    assert len(rows) >= before
    assert "Permit reserved" in whats
    assert whats.count("Records put together") == 1
    assert "Merged into another record" not in whats


def test_both_names_and_the_reason_stand_in_the_log(administrator):
    loser, keeper = make_rich(first_name="Maya", last_name="Chen", email="maya@example.org"), make_driver()
    merge(keeper, loser, administrator, reason="Registered twice")
    entry = AuditEntry.objects.get(action="person.merged")
    assert (entry.actor, entry.object_id) == (administrator, keeper.pk)
    assert entry.facts["reason"] == "Registered twice"
    assert entry.facts["record"] == {"name": "Maya Chen", "email": "maya@example.org", "code": loser.code}
    assert entry.facts["moved"]["Paid orders"] == 2
    assert AuditEntry.objects.get(action="person.merged_away").facts["into"] == keeper.code


# What stands in both


def test_a_vehicle_in_both_lists_stands_there_once(administrator):
    keeper, loser = make_driver(), make_driver()
    mine = make_ownership(keeper, plate="CKMT 482", is_active=False, make="Kia")
    make_ownership(loser, plate="CKMT 482", make="Mazda")
    assert "CKMT 482 is in both lists" in " ".join(plan_merge(keeper=keeper, loser=loser).conflicts)
    merge(keeper, loser, administrator)
    assert keeper.ownerships.current().count() == 3
    mine.refresh_from_db()
    assert (mine.is_active, mine.make) == (True, "Kia")
    assert Ownership.objects.filter(vehicle=mine.vehicle, user=keeper).count() == 2


def test_permits_in_the_same_place_get_places_of_their_own(administrator):
    kind = make_permit_type()
    keeper, loser = make_driver(), make_driver()
    buy(keeper, permit_type=kind)
    buy(loser, permit_type=kind)
    assert [permit.holder_place for permit in (*live_permits(keeper), *live_permits(loser))] == [1, 1]
    assert "allowed: 1. All stay" in " ".join(plan_merge(keeper=keeper, loser=loser).conflicts)
    merge(keeper, loser, administrator)
    assert [permit.holder_place for permit in live_permits(keeper)] == [1, 2]
    with pytest.raises(NotAllowed):
        reserve(make_sale(permit_type=kind), keeper)
    assert_books_and_numbers_are_right()


def test_of_two_open_orders_the_losers_is_closed_and_its_permit_can_be_paid(administrator):
    keeper, loser = make_driver(), make_driver()
    order_permit(reserve(make_sale(), keeper))
    theirs = order_permit(reserve(make_sale(), loser))
    merge(keeper, loser, administrator)
    theirs.refresh_from_db()
    assert (theirs.payer, theirs.status) == (keeper, OrderStatus.CLOSED)
    again = order_permit(Permit.objects.get(pk=theirs.lines.get().object_id), payer=keeper)
    assert again.total == theirs.total


def test_one_open_order_stays_open(administrator):
    keeper, loser = make_driver(), make_driver()
    theirs = order_permit(reserve(make_sale(), loser))
    merge(keeper, loser, administrator)
    theirs.refresh_from_db()
    assert (theirs.payer, theirs.status) == (keeper, OrderStatus.OPEN)


def test_empty_fields_are_filled_and_full_ones_stay(administrator):
    keeper = make_user(first_name="Maya", last_name="Chen", city="Ottawa", street="1 Main", employee_number="")
    loser = make_user(first_name="May", last_name="Chen", city="Gatineau", street="2 Elm", employee_number="E-7")
    conflicts = " ".join(plan_merge(keeper=keeper, loser=loser).conflicts)
    assert "Name: “Maya Chen” stays, “May Chen” is not taken over" in conflicts
    assert "Address: “1 Main, Ottawa” stays, “2 Elm, Gatineau” is not taken over" in conflicts
    merge(keeper, loser, administrator)
    keeper.refresh_from_db()
    assert (keeper.first_name, keeper.street, keeper.city, keeper.employee_number) == (
        "Maya",
        "1 Main",
        "Ottawa",
        "E-7",
    )


# Addresses


def test_with_two_addresses_the_keepers_stays_and_both_are_told(administrator):
    keeper, loser = make_user(email="stays@example.org"), make_user(email="goes@example.org")
    assert "goes@example.org no longer signs in" in " ".join(plan_merge(keeper=keeper, loser=loser).conflicts)
    merge(keeper, loser, administrator)
    keeper.refresh_from_db()
    loser.refresh_from_db()
    assert (keeper.email, loser.email, loser.contact_email) == ("stays@example.org", None, "")
    told = {message.to: message for message in Message.objects.filter(template__startswith="accounts/")}
    assert set(told) == {"stays@example.org", "goes@example.org"}
    assert "stays@example.org" not in str(told["goes@example.org"].context)


def test_a_record_without_address_takes_the_other_ones_with_its_proof(administrator):
    keeper, loser = make_user(email=None, password=None, is_proved=False), make_user(email="maya@example.org")
    proved = loser.email_proved_at
    merge(keeper, loser, administrator)
    keeper.refresh_from_db()
    assert (keeper.email, keeper.email_proved_at) == ("maya@example.org", proved)
    assert not keeper.has_usable_password()
    assert Message.objects.get().to == "maya@example.org"


def test_an_unproved_address_that_moves_still_yields_to_who_proves_it(administrator):
    keeper = make_user(email=None, password=None, is_proved=False)
    loser = make_registered(email="maya@example.org")
    merge(keeper, loser, administrator)
    keeper.refresh_from_db()
    assert keeper.email == "maya@example.org"
    assert User.objects.yielding().filter(pk=keeper.pk).exists()


def test_who_only_claimed_an_address_does_not_get_it_from_the_record_that_proved_it(administrator):
    """Anybody can register in another's name: with the address would go the permits, documents and mail of its owner."""
    loser = make_user(email="maya@example.org")
    for keeper in (make_registered(email=None, claimed_email="maya@example.org"), make_registered()):
        assert_refused(keeper, loser, administrator, "never confirmed an address")
    merge(loser, keeper, administrator)
    loser.refresh_from_db()
    assert loser.email == "maya@example.org"
    assert loser.is_active


def test_nobody_is_told_when_no_address_changed(administrator):
    merge(make_user(), make_user(email=None, password=None, is_proved=False), administrator)
    assert not Message.objects.exists()


# Nothing opens the record that is gone


def test_nothing_opens_the_record_that_is_gone(administrator, client_of, anonymous):
    loser, keeper = make_driver(email="goes@example.org"), make_driver()
    give_sign_in(loser)
    secret = keeper.password
    client, token = client_of(loser), make_token(loser, Purpose.RESET)
    assert client.get("/").status_code == 200
    merge(keeper, loser, administrator)
    assert client.get("/").status_code == 302
    with pytest.raises(LinkDead):
        read_token(token, Purpose.RESET)
    answer = anonymous.post("/login", {"email": "goes@example.org", "password": PASSWORD})
    assert "not right" in answer.content.decode()
    loser.refresh_from_db()
    keeper.refresh_from_db()
    assert not loser.has_usable_password()
    assert keeper.password == secret
    assert not TOTPDevice.objects.exists()
    assert not UserSession.objects.filter(user=loser).exists()


def test_the_keepers_sign_in_goes_on(administrator, client_of):
    loser, keeper = make_driver(), make_driver()
    give_sign_in(keeper)
    client = client_of(keeper)
    merge(keeper, loser, administrator)
    assert client.get("/").status_code == 200
    assert TOTPDevice.objects.filter(user=keeper).exists()


def test_the_link_to_the_address_of_the_keeper_still_works(administrator):
    loser, keeper = make_user(), make_user()
    token = make_token(keeper, Purpose.RESET)
    merge(keeper, loser, administrator)
    assert read_token(token, Purpose.RESET) == keeper


def test_identities_of_single_sign_on_open_the_record_that_stays(administrator):
    loser, keeper = make_user(login_source="sso", password=None), make_user(login_source="sso", password=None)
    SocialAccount.objects.create(user=loser, provider="campus", uid="maya")
    assert ("Identities of single sign-on", 1) in plan_merge(keeper=keeper, loser=loser).moves
    merge(keeper, loser, administrator)
    assert SocialAccount.objects.get().user == keeper


def test_nothing_new_is_given_to_a_merged_record(administrator):
    loser, keeper = make_driver(), make_driver()
    merge(keeper, loser, administrator)
    with pytest.raises(Stale):
        lock_person(loser)
    with pytest.raises(Stale):
        make_ownership(loser)
    with pytest.raises(Stale):
        reserve(make_sale(), loser)


# Refused


def refusal(keeper: User, loser: User) -> str:
    return " ".join(plan_merge(keeper=keeper, loser=loser).obstacles)


def assert_refused(keeper: User, loser: User, actor: User, words: str) -> None:
    assert words in refusal(keeper, loser)
    with pytest.raises(NotAllowed) as error:
        merge(keeper, loser, actor)
    assert words in str(error.value)
    loser.refresh_from_db()
    assert loser.merged_into is None


@pytest.mark.parametrize("turned", [False, True])
def test_people_of_the_office_are_not_merged(administrator, resident, clerk, turned):
    pair = (clerk, resident) if turned else (resident, clerk)
    assert_refused(*pair, administrator, "belongs to the office")


def test_somebody_with_a_right_of_their_own_is_not_merged(administrator, resident, other_resident):
    from django.contrib.auth.models import Permission

    other_resident.user_permissions.add(Permission.objects.first())
    assert_refused(resident, other_resident, administrator, "belongs to the office")


def test_a_merged_record_is_not_merged_again(administrator, resident, other_resident):
    merge(resident, other_resident, administrator)
    other_resident.refresh_from_db()
    with pytest.raises(NotAllowed):
        merge(make_user(), other_resident, administrator)
    with pytest.raises(NotAllowed):
        merge(other_resident, make_user(), administrator)


def test_a_chain_of_merges_ends_in_the_last_record(administrator):
    one, two, three = make_rich(), make_driver(), make_driver()
    merge(two, one, administrator)
    two.refresh_from_db()
    merge(three, two, administrator)
    one.refresh_from_db()
    assert one.merged_into == three
    assert list(check_people()) == []
    assert "Permit reserved" in [row.happening.what for row in read_history(three, Window()).rows]


def test_one_record_is_not_merged_with_itself(administrator, resident):
    from opscom.core.errors import DomainError

    assert "not two records" in refusal(resident, resident)
    with pytest.raises(DomainError):
        merge(resident, resident, administrator)


def test_while_the_payer_is_at_the_bank_nothing_is_merged(administrator):
    keeper, loser = make_driver(), make_driver()
    offer_demo_bank()
    order = order_permit(reserve(make_sale(), loser))
    go_to_bank(order)
    assert_refused(keeper, loser, administrator, f"is paying order {order.code} at this moment")


def test_a_record_that_signs_in_by_single_sign_on_stays(administrator, resident):
    loser = make_user(login_source="sso", password=None)
    assert_refused(resident, loser, administrator, "must be the one that stays")


def test_who_may_not_sign_in_does_not_stay(administrator, resident, other_resident):
    User.objects.filter(pk=resident.pk).update(is_active=False)
    resident.refresh_from_db()
    assert_refused(resident, other_resident, administrator, "may not sign in")


def test_what_has_changed_since_it_was_shown_is_shown_again(administrator):
    keeper, loser = make_driver(), make_driver()
    keeper, loser = User.objects.get(pk=keeper.pk), User.objects.get(pk=loser.pk)
    mark = plan_merge(keeper=keeper, loser=loser).mark
    make_ownership(loser)
    with pytest.raises(Stale):
        merge(keeper, loser, administrator, mark=mark)
    assert loser.ownerships.count() == 2


def test_a_part_that_fails_leaves_nothing_half_moved(administrator):
    class Broken(PersonPart):
        name = "broken"

        def merge(self, **people: Any) -> None:
            raise RuntimeError("The last part fails.")

    keeper, loser = make_driver(), make_rich()
    before = everything_of(loser)
    person_parts.register(Broken())
    try:
        with pytest.raises(RuntimeError):
            merge(keeper, loser, administrator)
    finally:
        person_parts.unregister("broken")
    loser.refresh_from_db()
    assert loser.is_active
    assert everything_of(loser) == before
    assert not AuditEntry.objects.filter(action="person.merged").exists()
    assert not Message.objects.filter(template="accounts/records_merged").exists()


def everything_of(person: User) -> dict[str, list[int]]:
    """Return the rows behind each column that points at this person."""
    found = {}
    for column in columns_to_people() - set(STAYS):
        label, _dot, name = column.rpartition(".")
        rows = apps.get_model(label)._default_manager.filter(**{name: person.pk})
        found[column] = sorted(rows.values_list("pk", flat=True))
    return found


def test_a_row_left_behind_is_found(administrator):
    keeper, loser = make_driver(), make_driver()
    merge(keeper, loser, administrator)
    AccountHold.objects.create(person=loser, reason="Late", starts_at=timezone.now())
    [problem] = check_people()
    assert "accounts.AccountHold.person" in problem
