"""`Addresses` and `Edit Address`: home is the profile's own group, letters may go elsewhere."""

import pytest

from accounts.letters import letter_lines
from accounts.models import MailingAddress, User
from opscom.core.models import AuditEntry
from tests.factories.accounts import make_field, set_field

pytestmark = pytest.mark.django_db
PAGE, HOME, MAILING = "/addresses", "/addresses/home", "/addresses/mailing"
GROUP = ["street", "unit", "city", "region", "postal_code", "country"]
OFFICE = {
    "street": "1 Elm St",
    "unit": "",
    "city": "Kingston",
    "region": "ON",
    "postal_code": "k7l1a1",
    "country": "CA",
}
BOX = {**OFFICE, "street": "PO Box 7"}


def shown(client):
    return client.get(PAGE).content.decode()


def test_home_address_is_saved_and_shown(client_of, resident):
    client = client_of(resident)
    assert "No address yet." in shown(client)
    assert client.post(HOME, OFFICE).url == PAGE
    resident.refresh_from_db()
    assert (resident.city, resident.postal_code) == ("Kingston", "K7L 1A1")
    assert "Kingston, Ontario K7L 1A1" in shown(client)
    (entry,) = AuditEntry.objects.filter(action="person.profile_changed")
    assert entry.facts == {"fields": ["street", "city", "region", "postal_code", "country"]}


def test_letters_go_home_until_an_own_address_is_given(client_of, resident):
    client = client_of(resident)
    client.post(HOME, OFFICE)
    resident.refresh_from_db()
    assert letter_lines(resident)[0] == "1 Elm St"
    assert client.post(MAILING, BOX).url == PAGE
    assert letter_lines(resident)[0] == "PO Box 7"
    assert "PO Box 7" in shown(client)
    client.post(MAILING, {**BOX, "street": "ignored", "is_same": "on"})
    assert letter_lines(resident)[0] == "1 Elm St"
    assert not MailingAddress.objects.exists()
    facts = [entry.facts for entry in AuditEntry.objects.filter(action="person.profile_changed").order_by("pk")]
    assert facts[1:] == [{"fields": ["mailing_address"]}] * 2


def test_saving_the_same_again_is_no_change(client_of, resident):
    client = client_of(resident)
    client.post(MAILING, {"is_same": "on"})
    client.post(MAILING, BOX)
    client.post(MAILING, {**BOX, "postal_code": "K7L 1A1"})
    assert AuditEntry.objects.filter(action="person.profile_changed").count() == 1


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"street": "", "city": "", "region": ""}, {"street", "city", "region"}),
        ({"postal_code": "90210"}, {"postal_code"}),
        ({"region": "NY"}, {"region"}),
        ({"country": ""}, {"country"}),
        ({"country": "XX"}, {"country"}),
        ({"country": "FR", "region": "", "postal_code": "75001"}, set()),
    ],
)
def test_own_mailing_address_is_checked(client_of, resident, changes, wrong):
    response = client_of(resident).post(MAILING, {**BOX, **changes})
    assert set(response.context["form"].errors if response.context else ()) == wrong


def test_wrong_lines_do_not_matter_when_letters_go_home(client_of, resident):
    nonsense = {"country": "XX", "region": "??", "postal_code": "?", "street": "x" * 999}
    assert client_of(resident).post(MAILING, {**nonsense, "is_same": "on"}).url == PAGE


def test_required_address_is_asked_by_the_gate_on_one_page(client_of, resident):
    set_field("city", state="required")
    client = client_of(resident)
    for page in ("/", PAGE, HOME):
        assert client.get(page).url == "/profile"
    form = client.get("/profile").context["form"]
    assert "Address" in dict(form.groups())
    names = {"first_name": "Maya", "last_name": "Chen", "mobile_phone": "", "language": "en"}
    assert set(client.post("/profile", {**names, **OFFICE, "city": ""}).context["form"].errors) == {"city"}
    assert client.post("/profile", {**names, **OFFICE}).status_code == 302
    assert "Address" not in dict(client.get("/profile").context["form"].groups())
    assert client.get(PAGE).status_code == 200


def test_address_is_not_changed_by_posting_to_the_profile(client_of, resident):
    names = {"first_name": "Maya", "last_name": "Chen", "mobile_phone": "", "language": "en"}
    client_of(resident).post("/profile", {**names, **OFFICE})
    resident.refresh_from_db()
    assert resident.city == ""


def test_address_that_the_office_keeps_is_shown_and_not_edited(client_of, resident):
    User.objects.filter(pk=resident.pk).update(city="Kingston", street="1 Elm St", country="CA")
    for name in GROUP:
        set_field(name, is_editable=False)
    client = client_of(resident)
    assert "The office keeps this address." in shown(client)
    assert client.get(HOME).status_code == 404
    assert client.post(HOME, OFFICE).status_code == 404


def test_no_address_is_asked(client_of, resident):
    for name in GROUP:
        set_field(name, state="hidden")
    assert "Home address</h2>" not in shown(client_of(resident))
    assert client_of(resident).get(HOME).status_code == 404


def test_own_field_of_the_address_group_stands_on_edit_address(client_of, resident):
    field = make_field(label="Buzzer", group="address")
    client = client_of(resident)
    assert field.name not in client.get("/profile").context["form"].fields
    client.post(HOME, {**OFFICE, field.name: "14"})
    assert resident.profile_answers.get().value == "14"


def test_nobody_elses_address_is_reached(client_of, resident, other_resident):
    client_of(resident).post(MAILING, BOX)
    assert "PO Box 7" not in shown(client_of(other_resident))
    client_of(other_resident).post(MAILING, {"is_same": "on"})
    assert MailingAddress.objects.get().person == resident


def test_page_costs_the_same_with_an_address(client_of, resident, django_assert_max_num_queries):
    client = client_of(resident)
    client.post(HOME, OFFICE)
    client.post(MAILING, BOX)
    client.get(PAGE)
    with django_assert_max_num_queries(5):
        client.get(PAGE)


def test_office_sees_and_changes_the_mailing_address(client_of, clerk, resident):
    client_of(resident).post(MAILING, BOX)
    office, address = client_of(clerk), f"/admin/accounts/user/{resident.pk}/change/"
    page = office.get(address)
    assert "PO Box 7" in page.content.decode()
    names = ["first_name", "last_name", "email", "language", *GROUP]
    fields = {name: getattr(resident, name) for name in names} | {"is_active": "on"}
    lines = {f"mailing_address-0-{name}": value for name, value in {**BOX, "street": "PO Box 9"}.items()}
    keys = {"mailing_address-0-id": resident.mailing_address.pk, "mailing_address-0-person": resident.pk}
    counts = {"mailing_address-TOTAL_FORMS": 1, "mailing_address-INITIAL_FORMS": 1}
    assert office.post(address, {**fields, **lines, **keys, **counts}).status_code == 302
    assert letter_lines(resident)[0] == "PO Box 9"
    entries = AuditEntry.objects.filter(action="person.changed", facts={"fields": ["mailingaddress"]})
    assert entries.count() == 1
