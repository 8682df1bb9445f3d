"""Each message about a change reads as a whole: subject, text and page, in both languages, with nothing left open."""

import datetime as dt
from decimal import Decimal

import pytest

from accounts.models import User
from opscom.messaging import rendering
from opscom.messaging.models import Message
from opscom.provider.models import Provider
from opscom.provider.selectors import local_date
from permits.models import NumberChangeReason
from permits.services.ending import end_early
from permits.services.moving import hand_over_permit, replace_permit, switch_permits
from permits.services.suspending import lift_suspension, revoke_permit, suspend_permit
from permits.services.vehicles import add_replacement_car, change_vehicles
from tests.factories.permits import buy, make_buyer, make_permit_type, make_sale
from tests.factories.vehicles import make_ownership

pytestmark = pytest.mark.django_db
WHY = "As they asked."


def change_everything(office: User) -> None:
    """Do each deed once, the last ones to permits that then are over."""
    kind = make_permit_type(
        term_kind="rolling_months", months=4, proration="months", max_vehicles=2, replacement_fee=Decimal("15.00")
    )
    sale = make_sale(permit_type=kind, numbers=9)
    one, other, third = buy(sale), buy(sale), buy(sale)
    own = one.vehicle_links.get().vehicle
    change_vehicles(permit=one, vehicles=[own, make_ownership(one.holder).vehicle], actor=one.holder)
    today = local_date()
    add_replacement_car(
        permit=one,
        stands_in_for=own,
        plate="GARAGE 1",
        region="CA-ON",
        first_day=today,
        last_day=today + dt.timedelta(days=2),
        actor=one.holder,
    )
    switch_permits(one=one, other=other, reason=WHY, actor=office)
    replace_permit(permit=one, why=NumberChangeReason.LOST, reason=WHY, with_fee=True, actor=office)
    suspend_permit(permit=one, reason=WHY, actor=office)
    lift_suspension(permit=one, reason=WHY, actor=office)
    to, ownership = make_buyer()
    hand_over_permit(permit=other, to=to, vehicles=[ownership.vehicle], reason=WHY, actor=office)
    end_early(permit=one, actor=one.holder)
    Provider.objects.update(refund_second_person_above=Decimal("1.00"))
    end_early(permit=other, actor=office, reason=WHY)
    revoke_permit(permit=third, reason=WHY, actor=office)


NAMES = {"vehicles_changed", "replacement_car", "number_changed", "suspended", "handed_over", "ended_early", "revoked"}


@pytest.mark.parametrize("language", ["en", "fr-ca"])
def test_every_message_reads_as_a_whole(administrator, language):
    change_everything(administrator)
    mails = Message.objects.filter(template__in=[f"permits/{name}" for name in NAMES])
    assert {mail.template.removeprefix("permits/") for mail in mails} == NAMES
    # Two of each that has two sides.
    assert mails.count() == 12
    for mail in mails:
        mail.language = language
        _letter, shown = rendering.render(mail)
        for text in (shown.subject, shown.text, shown.html):
            assert text.strip()
            assert "{{" not in text
            assert "{%" not in text
        assert mail.context["number"] in shown.text
        assert "\n\n\n" not in shown.text
        assert "\n" not in shown.subject.strip()
