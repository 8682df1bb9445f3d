"""What the office does with a permit, each on a page that asks first and says why to the holder."""

from decimal import Decimal

import pytest

from payments.models import Payment, Refund
from permits.models import Permit, PermitStatus
from tests.factories.accounts import PASSWORD
from tests.factories.permits import buy, make_buyer, make_permit_type, make_sale, reserve
from tests.permits.test_ending import make_term_sale
from tests.races.together import assert_books_and_numbers_are_right

pytestmark = pytest.mark.django_db
DEEDS = ["end", "switch", "move", "hand-over", "replace", "suspend", "lift", "revoke"]


@pytest.fixture
def permit(db) -> Permit:
    return buy(make_sale(permit_type=make_permit_type(replacement_fee=Decimal("25.00"))))


def path(permit: Permit, deed: str) -> str:
    return f"/admin/permits/permit/{permit.pk}/{deed}/"


def test_looking_at_a_question_changes_nothing(client_of, administrator, permit):
    client = client_of(administrator)
    for deed in DEEDS:
        assert client.get(path(permit, deed)).status_code == 200
    assert Permit.objects.get().status == PermitStatus.ACTIVE


def test_the_page_offers_what_fits_the_state(client_of, administrator, permit):
    client = client_of(administrator)
    page = client.get(f"/admin/permits/permit/{permit.pk}/change/").content.decode()
    for deed in DEEDS:
        assert (path(permit, deed) in page) == (deed != "lift")
    client.post(path(permit, "suspend"), {"reason": "Snow"})
    page = client.get(f"/admin/permits/permit/{permit.pk}/change/").content.decode()
    assert path(permit, "lift") in page
    assert path(permit, "suspend") not in page
    assert "Snow" in page
    held = reserve(make_sale())
    page = client.get(f"/admin/permits/permit/{held.pk}/change/").content.decode()
    assert not any(path(held, deed) in page for deed in DEEDS)


def test_who_may_only_look_does_nothing(client_of, cashier, officer, permit):
    for somebody in (cashier, officer):
        client = client_of(somebody)
        for deed in DEEDS:
            assert client.post(path(permit, deed), {"reason": "x"}).status_code == 403
    assert Permit.objects.get().status == PermitStatus.ACTIVE


def test_a_clerk_gives_no_money_back(client_of, clerk, permit):
    client = client_of(clerk)
    assert path(permit, "end") not in client.get(f"/admin/permits/permit/{permit.pk}/change/").content.decode()
    assert client.post(path(permit, "end"), {"reason": "x", "password": PASSWORD}).status_code == 403


def test_a_switch_by_number(client_of, clerk, permit):
    other = buy(make_sale(permit_type=permit.permit_type))
    client = client_of(clerk)
    for wrong in ("NOBODY-1", "", permit.number):
        assert client.post(path(permit, "switch"), {"number": wrong, "reason": "Asked"}).status_code == 422
    assert client.post(path(permit, "switch"), {"number": other.number.lower(), "reason": "Asked"}).status_code == 302
    assert Permit.objects.get(pk=permit.pk).number == other.number
    assert_books_and_numbers_are_right()


def test_a_move_to_another_sale(client_of, clerk, permit):
    sale = make_sale(permit_type=permit.permit_type)
    values = {"sale": sale.pk, "number": "", "reason": "Works"}
    assert client_of(clerk).post(path(permit, "move"), values).status_code == 302
    assert Permit.objects.get().sale == sale


def test_handed_over_by_plate(client_of, clerk, permit):
    to, own = make_buyer()
    client = client_of(clerk)
    wrong = {"person": "nobody@example.org", "plates": own.vehicle.plate, "reason": "Asked"}
    assert client.post(path(permit, "hand-over"), wrong).status_code == 422
    theirs = permit.vehicle_links.get().vehicle.plate
    wrong = {"person": own.vehicle.plate, "plates": theirs, "reason": "Asked"}
    assert client.post(path(permit, "hand-over"), wrong).status_code == 422
    values = {"person": own.vehicle.plate, "plates": own.vehicle.plate, "reason": "Asked"}
    assert client.post(path(permit, "hand-over"), values).status_code == 302
    assert Permit.objects.get().holder == to


def test_lost_with_its_fee_and_the_chain_on_the_page(client_of, clerk, permit):
    client = client_of(clerk)
    assert "$25.00" in client.get(path(permit, "replace")).content.decode()
    values = {"why": "lost", "with_fee": "on", "reason": "On the bus"}
    assert client.post(path(permit, "replace"), values).status_code == 302
    page = client.get(f"/admin/permits/permit/{permit.pk}/change/").content.decode()
    assert f"{permit.number}-R1" in page
    assert "On the bus" in page


def test_revoked_with_a_reason_only(client_of, clerk, permit):
    client = client_of(clerk)
    assert client.post(path(permit, "revoke"), {"reason": " "}).status_code == 422
    assert client.post(path(permit, "revoke"), {"reason": "Lent"}).status_code == 302
    assert Permit.objects.get().status == PermitStatus.REVOKED


def test_ended_early_with_the_sum_that_was_shown(client_of, administrator):
    permit = buy(make_term_sale())
    client = client_of(administrator)
    assert "$53.00" in client.get(path(permit, "end")).content.decode()
    values = {"reason": "Moved away", "shown": "53.00"}
    assert client.post(path(permit, "end"), values | {"password": "no"}).status_code == 422
    assert client.post(path(permit, "end"), values | {"shown": "60.00", "password": PASSWORD}).status_code == 422
    assert client.post(path(permit, "end"), values | {"password": PASSWORD}).status_code == 302
    assert Refund.objects.get().amount == Decimal("53.00")
    assert_books_and_numbers_are_right()


def counter(sale, own, **changes):
    values = {"person": own.vehicle.plate, "plates": own.vehicle.plate, "amount": "100.00", "tender": "cash"}
    return values | {"reference": "", "password": PASSWORD} | changes


def test_sold_at_the_counter(client_of, clerk):
    sale, (buyer, own) = make_sale(), make_buyer()
    client = client_of(clerk)
    page = f"/admin/permits/sale/{sale.pk}/sell/"
    assert "Sell at the counter" in client.get(page).content.decode()
    for wrong in (
        {"amount": "99.00"},
        {"amount": "-100.00"},
        {"amount": "NaN"},
        {"password": "no"},
        {"tender": "card"},
        {"tender": "cheque"},
        {"plates": "NOT1"},
    ):
        assert client.post(page, counter(sale, own, **wrong)).status_code == 422
    assert not Permit.objects.live().exists()
    assert client.post(page, counter(sale, own)).status_code == 302
    permit = Permit.objects.live().get()
    assert (permit.status, permit.holder) == (PermitStatus.ACTIVE, buyer)
    assert Payment.objects.get().recorded_by == clerk
    assert_books_and_numbers_are_right()


def test_not_everybody_sells(client_of, officer):
    sale, (_buyer, own) = make_sale(), make_buyer()
    assert client_of(officer).post(f"/admin/permits/sale/{sale.pk}/sell/", counter(sale, own)).status_code == 403
