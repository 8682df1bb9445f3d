"""From putting on to the code: what must be paid, who gets the code, and that it goes out once."""

from decimal import Decimal

import pytest
from django.core.files.storage import default_storage
from django.db import IntegrityError, transaction

from boots.invariants import check_boots
from boots.models import Booting, BootStatus
from boots.receipts import show_code
from boots.selectors import outstanding
from boots.services.codes import look_at_code, read_code, set_code
from boots.services.putting_on import put_on
from boots.services.releasing import report_problem, send_code_again
from opscom.core.context import acting_for
from opscom.core.errors import DomainError, NotAllowed
from opscom.core.models import AuditEntry
from opscom.messaging.models import Message
from opscom.messaging.rendering import render
from payments.gateways.base import Result
from payments.models import Deposit, DepositStatus, LineStatus, Order, OrderStatus, Refund
from payments.services.confirming import confirm_payment
from payments.services.orders import complete_selection, place_order
from payments.services.promising import promise_order
from payments.services.settling import deliver_line, finish_order, settle, settle_free_order
from tests.factories.accounts import make_user
from tests.factories.boots import (
    TWENTY,
    make_boot,
    make_booting,
    make_picture,
    make_place,
    order_release,
    pay_for_release,
    set_policy,
)
from tests.factories.payments import go_to_bank, offer_method, pay_at_bank
from tests.factories.provider import set_provider
from tests.factories.vehicles import make_ownership
from tests.factories.violations import make_appeal, make_offence, make_ticket, reload
from violations.models import Ticket, TicketStatus
from violations.services.collecting import send_to_collections
from violations.services.lowering import cancel_ticket

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def policy() -> None:
    offer_method("demo-bank", is_for_guests=True)
    set_policy()


def code_mails() -> list[Message]:
    return list(Message.objects.filter(template="boots/code").order_by("pk"))


# Putting on


def test_boot_goes_on_and_everybody_knows(resident, clerk):
    set_policy(deposit=TWENTY, return_hours=48)
    booting = make_booting(resident, actor=clerk)
    ticket = reload(booting.ticket)
    assert booting.boot.status == BootStatus.ISSUED
    assert (booting.return_hours, booting.deposit.amount, booting.deposit.person) == (48, TWENTY, resident)
    assert (ticket.booted_at, ticket.release_id) == (booting.put_on_at, booting.pk)
    assert ticket.release_path == f"/boot/pay/{booting.pay_code}/"
    mail = Message.objects.get(template="boots/put_on")
    assert mail.to == resident.email
    assert booting.pay_code in render(mail)[0].text
    assert list(check_boots()) == []


def test_one_boot_on_one_ticket_by_the_database(resident, clerk):
    booting = make_booting(resident)
    rule = {name: getattr(booting, name) for name in ["requires_all", "return_hours", "reminder_hours", "late_rule"]}
    rule |= {"late_hours": 1, "lost_days": 1, "put_on_at": booting.put_on_at}
    with pytest.raises(IntegrityError, match="boots_booting_boot_on_one_car"), transaction.atomic():
        Booting.objects.create(boot=booting.boot, ticket=make_ticket(), **rule)
    with pytest.raises(IntegrityError, match="boots_booting_ticket_on_one_boot"), transaction.atomic():
        Booting.objects.create(boot=make_boot(), ticket=booting.ticket, **rule)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        ("off", "switched off"),
        ("out", "not available: Issued"),
        ("broken", "out of service"),
        ("no_code", "no release code"),
        ("offence", "no boot is put on"),
        ("warning", "Nothing has to be paid"),
        ("paid", "Nothing has to be paid"),
        ("promised", "is promised"),
        ("booted", "is on for ticket"),
        ("own", "yourself|own|colleague"),
    ],
)
def test_why_a_boot_is_not_put_on(resident, clerk, spoil, words):
    boot, offence = make_boot(), make_offence(is_boot_eligible=spoil != "offence")
    ticket = make_ticket(clerk if spoil == "own" else resident, offence=offence, is_warning=spoil == "warning")
    if spoil == "off":
        set_provider(is_boots_on=False)
    elif spoil == "out":
        put_on(boot=boot, ticket=make_ticket(offence=offence), actor=clerk)
    elif spoil == "broken":
        type(boot).objects.update(is_out_of_service=True)
    elif spoil == "no_code":
        type(boot).objects.update(sealed_code="", code_set_at=None)
    elif spoil == "paid":
        order = place_order(payer=resident, selection={"ticket": [ticket.pk]}, email="", language="en")
        payment = go_to_bank(order)
        pay_at_bank(payment)
        confirm_payment(payment)
    elif spoil == "promised":
        offer_method(kind="promise")
        order = place_order(payer=resident, selection={"ticket": [ticket.pk]}, email="", language="en")
        promise_order(order=order, method_code="promise", actor=resident)
    elif spoil == "booted":
        put_on(boot=make_boot(), ticket=ticket, actor=clerk)
    with pytest.raises(NotAllowed, match=words):
        put_on(boot=boot, ticket=reload(ticket), actor=clerk)


def test_many_unpaid_tickets_allow_a_boot_for_any_offence(resident, clerk):
    set_policy(unpaid_above=2)
    tickets = [make_ticket(resident) for _number in range(2)]
    with pytest.raises(NotAllowed, match="more than 2 are needed"):
        put_on(boot=make_boot(), ticket=tickets[0], actor=clerk)
    make_ticket(resident)
    assert put_on(boot=make_boot(), ticket=tickets[0], actor=clerk).pk


# What must be paid


def test_ticket_release_and_deposit_are_paid_together_or_not_at_all(resident):
    set_policy(deposit=TWENTY)
    booting = make_booting(resident)
    parts = {"ticket": [booting.ticket_id], "boot": [booting.pk], "deposit": [booting.deposit_id]}
    for kinds in (["ticket"], ["boot"], ["deposit"], ["ticket", "boot"], ["ticket", "deposit"], ["boot", "deposit"]):
        for payer in (resident, None):
            with pytest.raises(NotAllowed, match="only be paid together"):
                place_order(payer=payer, selection={k: parts[k] for k in kinds}, email="a@b.ca", language="en")
    for kind in parts:
        found = complete_selection({kind: parts[kind]}, payer=resident)
        assert found == {name: set(ids) for name, ids in parts.items()}


def test_stranger_cannot_pay_for_it_from_an_account(resident, other_resident):
    booting = make_booting(resident)
    with pytest.raises(DomainError, match="can no longer be paid"):
        place_order(payer=other_resident, selection={"boot": [booting.pk]}, email="", language="en")


def test_only_the_booted_ticket_unless_the_rule_says_everything(resident, clerk):
    offence = make_offence(is_boot_eligible=True)
    other = make_ticket(resident)
    assert [t.pk for t in outstanding(make_booting(resident), None).required] != [other.pk]
    set_policy(requires_all=True)
    booted = make_ticket(resident, offence=offence)
    booting = put_on(boot=make_boot(), ticket=booted, actor=clerk)
    wanted = {t.pk for t in outstanding(booting, None).required}
    assert {other.pk, booted.pk} <= wanted
    assert wanted == {t.pk for t in outstanding(booting, resident).required}


def test_account_means_the_tickets_of_its_other_vehicles_too(resident, clerk):
    set_policy(requires_all=True)
    elsewhere = make_ticket(resident, plate=make_ownership(resident, plate="OTHER 1").label)
    strangers = make_ticket(make_user())
    booting = make_booting(resident)
    wanted = {t.pk for t in outstanding(booting, None).required}
    assert elsewhere.pk in wanted
    assert strangers.pk not in wanted


def test_booted_and_under_review_can_be_paid(resident):
    booting = make_booting(resident)
    make_appeal(reload(booting.ticket))
    pay_for_release(booting, resident)
    assert booting.released_at
    assert reload(booting.ticket).status == TicketStatus.PAID


def test_booted_and_one_other_under_review_leaves_that_out(resident):
    set_policy(requires_all=True)
    other = make_ticket(resident)
    make_appeal(other)
    booting = make_booting(resident)
    found = outstanding(booting, None)
    assert [t.pk for t in found.required] == [booting.ticket_id]
    assert [(one.ticket.pk, "Under Review" in one.reason) for one in found.left_out] == [(other.pk, True)]
    pay_for_release(booting)
    assert booting.released_at
    assert reload(other).status == TicketStatus.OPEN


def test_booted_and_in_collections_can_be_paid(resident, clerk):
    set_provider(bars_payment_in_collections=True)
    old = make_ticket(resident, offence=make_offence(is_boot_eligible=True), days_ago=100)
    other = make_ticket(resident, days_ago=100)
    send_to_collections(overdue_days=30, actor=clerk)
    set_policy(requires_all=True)
    booting = put_on(boot=make_boot(), ticket=reload(old), actor=clerk)
    found = outstanding(booting, None)
    assert [t.pk for t in found.required] == [old.pk]
    assert [one.ticket.pk for one in found.left_out] == [other.pk]
    pay_for_release(booting)
    assert booting.released_at
    assert reload(old).status == TicketStatus.PAID


def test_a_promise_never_releases(resident):
    offer_method(kind="promise")
    booting = make_booting(resident)
    order = order_release(booting, resident)
    with pytest.raises(NotAllowed):
        promise_order(order=order, method_code="promise", actor=resident)
    booting.refresh_from_db()
    assert booting.released_at is None
    assert code_mails() == []


def test_cancelled_ticket_frees_the_boot_for_nothing(resident, clerk):
    booting = make_booting(resident)
    cancel_ticket(ticket=booting.ticket, reason="Wrong car", actor=clerk)
    order = order_release(booting)
    assert order.due == 0
    settle_free_order(order=order)
    finish_order(order.pk)
    booting.refresh_from_db()
    assert booting.released_at
    assert len(code_mails()) == 1
    assert list(check_boots()) == []


# The code


def test_two_separate_mails_and_the_code_on_the_receipt(resident):
    make_place()
    set_policy(deposit=TWENTY, late_rule="forfeit")
    booting = make_booting(resident, code="4711-X")
    payment = pay_for_release(booting, None, "night@example.org")
    receipt = Message.objects.get(template="payments/receipt")
    (code,) = code_mails()
    assert receipt.to == code.to == "night@example.org"
    letter, kept = render(code)
    assert "4711-X" in letter.text
    assert "4711-X" in letter.html
    assert "Keep this e-mail until the boot is back" in letter.text
    assert "Parking office" in letter.text
    assert "you lose your deposit" in letter.text
    assert "4711-X" not in kept.text + kept.html + kept.subject
    assert "4711-X" not in render(receipt)[0].text
    order = Order.objects.get(pk=payment.order_id)
    part = show_code(order, order.lines.get(kind="boot"))
    assert part is not None
    assert part.context["code"] == "4711-X"
    booting.boot.refresh_from_db()
    assert booting.boot.status == BootStatus.RELEASED
    assert reload(booting.ticket).booted_at is None
    assert Deposit.objects.get().status == DepositStatus.HELD
    assert list(check_boots()) == []


def test_office_that_acts_for_the_payer_does_not_see_the_code(resident, clerk, manager):
    booting = make_booting(resident, code="4711-X")
    order = pay_for_release(booting, resident).order
    line = order.lines.get(kind="boot")
    for actor, shown in ((clerk, ""), (manager, "4711-X")):
        with acting_for(actor=actor, person=resident):
            part = show_code(order, line)
        assert part is not None
        assert part.context["code"] == shown


def test_lost_picture_does_not_keep_the_code_from_going_out(resident):
    kept, lost = make_picture(), make_picture()
    default_storage.delete(lost.file.name)
    pay_for_release(make_booting(resident))
    (mail,) = code_mails()
    assert mail.attachments == [kept.file.name]
    assert len(render(mail)[0].attachments) == 1


def test_code_goes_out_once_whatever_is_reported_twice(resident):
    booting = make_booting(resident)
    payment = pay_for_release(booting)
    for _again in range(3):
        confirm_payment(payment)
        finish_order(payment.order_id)
        deliver_line(line_id=Order.objects.get(pk=payment.order_id).lines.get(kind="boot").pk)
    assert len(code_mails()) == 1


def test_two_payers_second_gets_the_money_back(resident):
    set_policy(deposit=TWENTY)
    booting = make_booting(resident)
    first, second = go_to_bank(order_release(booting)), go_to_bank(order_release(booting, resident))
    for payment in (first, second):
        pay_at_bank(payment)
        confirm_payment(payment)
        finish_order(payment.order_id)
    lines = Order.objects.get(pk=second.order_id).lines.all()
    assert {line.status for line in lines} <= {LineStatus.REFUND_DUE, LineStatus.REFUNDED}
    assert sum(refund.amount for refund in Refund.objects.all()) == second.amount
    booting.refresh_from_db()
    assert booting.line.order_id == first.order_id
    assert len(code_mails()) == 1


def test_code_is_sent_again_to_the_same_address_and_not_for_ever(resident, clerk):
    booting = make_booting(resident)
    with pytest.raises(NotAllowed):
        send_code_again(booting=booting)
    pay_for_release(booting)
    for _time in range(3):
        send_code_again(booting=booting)
    with pytest.raises(NotAllowed, match="three times within the hour"):
        send_code_again(booting=booting)
    # However often the driver has asked, the office can still help.
    send_code_again(booting=booting, actor=clerk)
    assert [mail.to for mail in code_mails()] == ["driver@example.org"] * 5


def test_wrong_code_is_reported_corrected_and_mailed(resident, clerk):
    set_policy(email="boots@example.org")
    booting = make_booting(resident, code="1111")
    pay_for_release(booting)
    report_problem(booting=booting)
    report_problem(booting=booting)
    assert Message.objects.get(template="boots/code_problem").to == "boots@example.org"
    set_code(boot=booting.boot, code="2222", actor=clerk)
    booting.refresh_from_db()
    assert booting.problem_at is None
    mails = code_mails()
    # The wrong one is not sent any more where it still waits.
    assert [mail.status for mail in mails] == ["cancelled", "queued"]
    assert "2222" in render(mails[1])[0].text
    assert "was wrong" in render(mails[1])[0].text


def test_office_looks_by_name_and_the_code_is_in_no_log(clerk):
    boot = make_boot("SECRET-99")
    assert look_at_code(boot=boot, actor=clerk) == "SECRET-99"
    entry = AuditEntry.objects.get(action="boot.code_seen")
    assert entry.actor == clerk
    assert "SECRET-99" not in boot.sealed_code
    assert "SECRET-99" not in str(list(AuditEntry.objects.values()))


@pytest.mark.parametrize("code", ["", "12", "x" * 21, "12 34", "é123", "12\n34", "<b>12</b>"])
def test_what_is_no_code(clerk, code):
    boot = make_boot("1234")
    with pytest.raises(DomainError):
        set_code(boot=boot, code=code, actor=clerk)
    boot.refresh_from_db()
    assert read_code(boot) == "1234"


def test_money_that_did_not_come_whole_releases_nothing(resident):
    booting = make_booting(resident)
    payment = go_to_bank(order_release(booting))
    settle(payment_id=payment.pk, result=Result(status="approved", amount=Decimal("1.00"), currency=payment.currency))
    booting.refresh_from_db()
    assert booting.released_at is None
    assert Order.objects.get(pk=payment.order_id).status == OrderStatus.OPEN
    assert code_mails() == []
    assert Ticket.objects.get(pk=booting.ticket_id).booted_at
