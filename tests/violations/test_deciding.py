"""The office asks and decides, takes appeals on paper, and lowers or voids tickets: open ones and paid ones."""

import datetime as dt
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from accounts.models import AccountHold
from opscom.core.errors import DomainError, NotAllowed
from opscom.core.models import AuditEntry
from opscom.messaging.models import Message
from opscom.provider.selectors import local_date
from payments.invariants import check_books
from payments.models import LineStatus, OrderLine, Refund, RefundReason, RefundStatus
from payments.services.refunding import approve_refund, refund_line
from tests.factories.accounts import make_user
from tests.factories.payments import go_to_bank
from tests.factories.permits import offer_demo_bank
from tests.factories.vehicles import set_provider
from tests.factories.violations import (
    age,
    finish_at_bank,
    link,
    make_appeal,
    make_offence,
    make_ticket,
    order_tickets,
    pay_tickets,
    reload,
)
from violations.costing import cost_at
from violations.models import Appeal, AppealStatus, Association, Ticket, TicketStatus
from violations.services.appealing import answer_question, submit_appeal, withdraw_appeal
from violations.services.associating import associate, end_kept_link
from violations.services.deciding import PaperAppeal, ask_appellant, decide_appeal, enter_appeal
from violations.services.lowering import adjust_ticket, cancel_ticket, spoil_ticket

pytestmark = pytest.mark.django_db
A, T = AppealStatus, TicketStatus
DAY = dt.timedelta(days=1)


@pytest.fixture(autouse=True)
def bank():
    offer_demo_bank()


@pytest.fixture
def ticket(resident) -> Ticket:
    return make_ticket(resident, days_ago=10)


def decide(appeal: Appeal, decision: str, actor, amount: str | None = None, **options) -> Ticket:
    given = Decimal(amount) if amount else None
    decide_appeal(appeal=appeal, decision=A(decision), response="We looked.", actor=actor, amount=given, **options)
    assert [*check_books()] == []
    return reload(appeal.ticket)


def paper(**fields) -> PaperAppeal:
    return PaperAppeal(**{"appellant": "", "reason": "By letter.", "received_on": local_date()} | fields)


def enter(ticket: Ticket, actor, **fields) -> Appeal:
    return enter_appeal(ticket=ticket, paper=paper(**fields), actor=actor)


# Open tickets


@pytest.mark.parametrize(
    ("decision", "amount", "costs", "status"),
    [("upheld", None, 35, T.OPEN), ("reduced", "12.00", 12, T.OPEN), ("cancelled", None, 35, T.CANCELLED)],
)
def test_an_open_ticket(ticket, clerk, decision, amount, costs, status):
    appeal = make_appeal(ticket)
    ticket = decide(appeal, decision, clerk, amount)
    appeal.refresh_from_db()
    assert (ticket.status, cost_at(ticket)) == (status, costs)
    assert (appeal.status, appeal.decided_by, appeal.response) == (decision, clerk, "We looked.")
    assert (appeal.amount_before, appeal.amount_after) == (35, 0 if decision == "cancelled" else costs)
    assert Message.objects.filter(template="violations/appeal_decided", to=ticket.person.email).count() == 1
    assert AuditEntry.objects.filter(action=f"appeal.{decision}", actor=clerk).count() == 1
    assert not OrderLine.objects.exists()
    assert (ticket.next_step_on is None) == (status == T.CANCELLED)


def test_late_fees_of_later_days_come_on_top_of_the_reduced_sum(ticket, clerk):
    appeal = make_appeal(ticket)
    age(ticket, 50)
    ticket = decide(appeal, "reduced", clerk, "12.00")
    assert [cost_at(age(ticket, days)) for days in (0, 20, 1)] == [12, 12, 27]


@pytest.mark.parametrize("amount", [None, "0.00", "-1.00", "35.00", "36.00"])
def test_a_sum_that_reduces_nothing(ticket, clerk, amount):
    appeal = make_appeal(ticket)
    with pytest.raises(DomainError, match="between nothing and"):
        decide(appeal, "reduced", clerk, amount)
    appeal.refresh_from_db()
    assert appeal.status == A.SENT


def test_no_words_no_decision(ticket, clerk):
    appeal = make_appeal(ticket)
    with pytest.raises(DomainError, match="write your reasons"):
        decide_appeal(appeal=appeal, decision=A.CANCELLED, response=" \n", actor=clerk)
    assert reload(ticket).status == T.OPEN


@pytest.mark.parametrize("end", ["upheld", "withdrawn"])
def test_once_it_is_over_nothing_more_is_decided(ticket, clerk, resident, end):
    appeal = make_appeal(ticket)
    if end == "withdrawn":
        withdraw_appeal(appeal=appeal, person=resident)
    else:
        decide(appeal, end, clerk)
    for deed in (
        lambda: decide(appeal, "cancelled", clerk),
        lambda: withdraw_appeal(appeal=appeal, person=resident),
        lambda: ask_appellant(appeal=appeal, text="Why?", actor=clerk),
        lambda: answer_question(appeal=appeal, person=resident, text="So."),
    ):
        with pytest.raises(NotAllowed):
            deed()
    assert reload(ticket).status == T.OPEN


def test_nobody_decides_about_their_own(clerk, resident):
    own, appealed = make_ticket(clerk), make_ticket()
    appeals = [make_appeal(own), make_appeal(appealed, clerk)]
    for appeal in appeals:
        for deed in (
            lambda appeal=appeal: decide(appeal, "cancelled", clerk),
            lambda appeal=appeal: ask_appellant(appeal=appeal, text="Why?", actor=clerk),
        ):
            with pytest.raises(NotAllowed, match="your own"):
                deed()
    withdraw_appeal(appeal=appeals[0], person=clerk)
    for lower in (
        lambda: cancel_ticket(ticket=own, reason="Mine.", actor=clerk),
        lambda: spoil_ticket(ticket=own, reason="Mine.", actor=clerk),
        lambda: adjust_ticket(ticket=own, reason="Mine.", amount=Decimal(1), actor=clerk),
    ):
        with pytest.raises(NotAllowed, match="your own"):
            lower()


def test_question_and_answer_stand_still_and_go_on(ticket, clerk, resident):
    appeal = make_appeal(ticket)
    ask_appellant(appeal=appeal, text="Which sign?", actor=clerk)
    with pytest.raises(NotAllowed, match="waits for its answer already"):
        ask_appellant(appeal=appeal, text="And when?", actor=clerk)
    age(ticket, 30)
    answer_question(appeal=appeal, person=resident, text="The one by the gate.")
    with pytest.raises(NotAllowed, match="not waiting"):
        answer_question(appeal=appeal, person=resident, text="And another.")
    appeal.refresh_from_db()
    assert (appeal.status, cost_at(reload(ticket))) == (A.SENT, 35)
    assert decide(appeal, "upheld", clerk).status == T.OPEN


def test_days_count_again_from_the_decision(ticket, clerk):
    appeal = make_appeal(ticket)
    ticket = age(ticket, 100)
    assert ticket.next_step_on is None
    ticket = decide(appeal, "upheld", clerk)
    assert ticket.next_step_on == local_date() + 21 * DAY
    assert [cost_at(age(ticket, days)) for days in (20, 1)] == [35, 50]


@pytest.mark.parametrize(("removes", "cost"), [(False, 25), (True, 35)])
def test_the_discount_may_be_lost_by_appealing(resident, clerk, removes, cost):
    set_provider(removes_discount_on_appeal=removes)
    ticket = make_ticket(resident)
    appeal = make_appeal(ticket)
    assert appeal.amount_before == 25
    assert cost_at(reload(ticket)) == cost
    assert cost_at(decide(appeal, "upheld", clerk)) == cost


# Paid tickets


def paid_while_reviewed(ticket: Ticket) -> Appeal:
    """Let the money arrive while the appeal is under review: its payer was at the bank already."""
    payment = go_to_bank(order_tickets(ticket))
    appeal = make_appeal(ticket)
    finish_at_bank(payment)
    assert reload(ticket).status == T.PAID
    appeal.refresh_from_db()
    assert appeal.status == A.SENT, "the appeal goes on"
    return appeal


@pytest.mark.parametrize(
    ("decision", "amount", "back", "status"),
    [("upheld", None, 0, T.PAID), ("reduced", "12.00", 23, T.PAID), ("cancelled", None, 35, T.CANCELLED)],
)
def test_a_paid_ticket_and_what_goes_back(ticket, clerk, decision, amount, back, status):
    appeal = paid_while_reviewed(ticket)
    ticket = decide(appeal, decision, clerk, amount)
    assert ticket.status == status
    assert sum(refund.amount for refund in Refund.objects.all()) == back
    assert Refund.objects.count() == (1 if back else 0)
    assert not Refund.objects.exclude(reason=RefundReason.ADJUSTED, status=RefundStatus.DUE).exists()
    line = OrderLine.objects.get()
    assert line.kept == 35 - back
    assert line.status == (LineStatus.REFUND_DUE if decision == "cancelled" else LineStatus.FULFILLED)


@pytest.mark.parametrize("amount", ["25.00", "30.00"])
def test_less_than_was_paid_is_what_reduces(resident, clerk, amount):
    """Paid at the discount: a sum that is not below what was paid gives nothing back."""
    ticket = make_ticket(resident)
    appeal = paid_while_reviewed(ticket)
    age(ticket, 20)
    with pytest.raises(DomainError, match=r"\$25.00"):
        decide(appeal, "reduced", clerk, amount)
    decide(appeal, "reduced", clerk, "24.00")
    assert Refund.objects.get().amount == 1


@pytest.mark.parametrize(("decision", "amount", "back"), [("reduced", "12.00", 23), ("cancelled", None, 35)])
def test_above_the_limit_a_second_person_agrees(ticket, clerk, administrator, decision, amount, back):
    set_provider(refund_second_person_above=Decimal("20.00"))
    ticket = decide(paid_while_reviewed(ticket), decision, clerk, amount)
    refund, line = Refund.objects.get(), OrderLine.objects.get()
    assert (refund.status, refund.amount, line.status) == (RefundStatus.PROPOSED, back, LineStatus.FULFILLED)
    with pytest.raises(NotAllowed, match="second person"):
        approve_refund(refund=refund, actor=clerk)
    approve_refund(refund=refund, actor=administrator)
    line.refresh_from_db()
    assert line.status == (LineStatus.REFUND_DUE if decision == "cancelled" else LineStatus.FULFILLED)
    assert reload(ticket).status == (T.CANCELLED if decision == "cancelled" else T.PAID)
    assert Refund.objects.get().status == RefundStatus.DUE
    assert [*check_books()] == []


def test_reduced_and_then_the_rest_is_refunded_and_the_ticket_is_open_at_the_reduced_sum(ticket, clerk):
    ticket = decide(paid_while_reviewed(ticket), "reduced", clerk, "12.00")
    refund_line(line=OrderLine.objects.get(), actor=clerk)
    ticket = reload(ticket)
    assert (ticket.status, cost_at(ticket)) == (T.OPEN, 12)
    assert sum(refund.amount for refund in Refund.objects.all()) == 35
    assert [*check_books()] == []


# On paper


def test_on_paper_the_days_stand_still_from_the_day_on_which_it_came(ticket, clerk):
    appeal = enter(age(ticket, 2), clerk, received_on=local_date() - 4 * DAY)
    assert (appeal.review_from, appeal.amount_before, appeal.person) == (local_date() - 4 * DAY, 35, ticket.person)
    ticket = decide(appeal, "upheld", clerk)
    assert [cost_at(age(ticket, days)) for days in (0, 22, 1)] == [35, 35, 50]


def test_on_paper_the_discount_comes_back_when_it_came_within_it(ticket, clerk):
    assert cost_at(ticket) == 35
    enter(ticket, clerk, received_on=local_date() - 4 * DAY)
    assert cost_at(reload(ticket)) == 25


def test_on_paper_it_is_in_time_when_it_came_in_time(ticket, clerk):
    ticket = age(ticket, 10)
    with pytest.raises(DomainError, match="Enter why it is accepted"):
        enter(ticket, clerk, received_on=local_date() - 4 * DAY)
    appeal = enter(ticket, clerk, received_on=local_date() - 5 * DAY)
    assert appeal.late_reason == ""


@pytest.mark.parametrize("days", [10, 40])
def test_on_paper_late_and_overdue_with_a_reason(ticket, clerk, days):
    ticket = age(ticket, days)
    for reason in ("", "  "):
        with pytest.raises(DomainError, match="Enter why it is accepted"):
            enter(ticket, clerk, late_reason=reason)
    appeal = enter(ticket, clerk, late_reason="In hospital.")
    entry = AuditEntry.objects.get(action="appeal.entered")
    assert (entry.facts["late"], entry.actor) == ("In hospital.", clerk)
    assert decide(appeal, "cancelled", clerk).status == T.CANCELLED


def test_on_paper_an_impossible_day(ticket, clerk):
    for day in (local_date() + DAY, local_date() - 11 * DAY):
        with pytest.raises(DomainError, match="cannot have come"):
            enter(ticket, clerk, received_on=day, late_reason="x")


def test_on_paper_not_before_an_earlier_appeal_was_over(ticket, clerk, resident):
    withdraw_appeal(appeal=make_appeal(ticket), person=resident)
    with pytest.raises(DomainError, match="cannot have come"):
        enter(ticket, clerk, received_on=local_date() - DAY, late_reason="Second level.")
    with pytest.raises(DomainError, match="withdrawn"):
        enter(ticket, clerk)
    enter(ticket, clerk, late_reason="Second level.")
    assert reload(ticket).appeals.count() == 2


def test_on_paper_only_open_or_paid_and_one_at_a_time(ticket, clerk):
    enter(ticket, clerk)
    with pytest.raises(NotAllowed, match="under review already"):
        enter(ticket, clerk, late_reason="Again.")
    other = make_ticket()
    spoil_ticket(ticket=other, reason="A mistake.", actor=clerk)
    with pytest.raises(NotAllowed, match="open or paid"):
        enter(other, clerk, appellant="Mr Late", late_reason="x")


def test_on_paper_somebody_appeals(clerk):
    ticket = make_ticket()
    with pytest.raises(DomainError, match="who appeals"):
        enter(ticket, clerk)
    appeal = enter(ticket, clerk, appellant="Anna Walk-in", email="anna@example.org")
    assert (appeal.person, appeal.who) == (None, "Anna Walk-in")
    assert Message.objects.filter(template="violations/appeal_received", to="anna@example.org").count() == 1


def test_on_paper_it_is_confirmed_to_the_address_on_file(ticket, clerk, resident):
    enter(ticket, clerk)
    assert Message.objects.filter(template="violations/appeal_received", to=resident.email).count() == 1


def test_on_paper_about_a_paid_ticket_it_cost_what_was_paid(resident, clerk):
    ticket = make_ticket(resident)
    pay_tickets(ticket)
    ticket = age(ticket, 50)
    appeal = enter(ticket, clerk, late_reason="New facts.")
    assert appeal.amount_before == 25
    with pytest.raises(DomainError, match=r"\$25.00"):
        decide(appeal, "reduced", clerk, "30.00")
    ticket = decide(appeal, "cancelled", clerk)
    assert (ticket.status, Refund.objects.get().amount) == (T.CANCELLED, 25)


def test_two_appeals_under_review_the_database_refuses(ticket, resident):
    make_appeal(ticket)
    with pytest.raises(IntegrityError, match="one_under_review"), transaction.atomic():
        Appeal.objects.create(ticket=ticket, person=resident, reason="x", review_from=local_date(), amount_before=1)


# Lowered, cancelled and voided without an appeal


def test_adjusting_is_told_with_its_reason_and_written_down(resident, clerk):
    ticket = make_ticket(resident, offence=make_offence(is_adjustable=True), days_ago=10)
    for amount in ("0.00", "-5.00", "35.00", "99.00"):
        with pytest.raises(DomainError, match="between nothing and"):
            adjust_ticket(ticket=ticket, amount=Decimal(amount), reason="Wrong.", actor=clerk)
    with pytest.raises(DomainError, match="say why"):
        adjust_ticket(ticket=ticket, amount=Decimal(10), reason=" ", actor=clerk)
    adjust_ticket(ticket=ticket, amount=Decimal(10), reason="The sign had fallen.", actor=clerk)
    [mail] = Message.objects.filter(template="violations/ticket_changed")
    assert (mail.to, mail.context["amount"], mail.context["reason"]) == (
        resident.email,
        "$10.00",
        "The sign had fallen.",
    )
    facts = AuditEntry.objects.get(action="ticket.adjusted").facts
    assert (facts["before"], facts["after"], facts["reason"]) == ("35.00", "10", "The sign had fallen.")
    assert [cost_at(age(ticket, days)) for days in (0, 20, 1)] == [10, 10, 25]


def test_adjusting_only_where_the_offence_allows_and_something_is_due(resident, clerk):
    fixed = make_ticket(resident, offence=make_offence(is_adjustable=False))
    warning = make_ticket(resident, offence=make_offence(is_adjustable=True), is_warning=True)
    reviewed = make_ticket(resident, offence=make_offence(is_adjustable=True))
    make_appeal(reviewed)
    paid = make_ticket(resident, offence=make_offence(is_adjustable=True))
    pay_tickets(paid)
    for ticket, words in [(fixed, "cannot be adjusted"), (warning, "has to be paid"), (paid, "has to be paid")]:
        with pytest.raises(NotAllowed, match=words):
            adjust_ticket(ticket=ticket, amount=Decimal(1), reason="x", actor=clerk)
    with pytest.raises(NotAllowed, match="under review"):
        adjust_ticket(ticket=reviewed, amount=Decimal(1), reason="x", actor=clerk)


def test_cancelling_a_paid_ticket_gives_all_back_once(ticket, clerk):
    pay_tickets(ticket)
    cancel_ticket(ticket=ticket, reason="Our mistake.", actor=clerk)
    assert (reload(ticket).status, Refund.objects.get().amount) == (T.CANCELLED, 35)
    with pytest.raises(NotAllowed, match="closed already"):
        cancel_ticket(ticket=ticket, reason="Again.", actor=clerk)
    assert Refund.objects.count() == 1
    assert [*check_books()] == []


def test_voiding_only_what_nobody_paid(ticket, clerk, resident):
    reviewed = make_ticket(resident)
    make_appeal(reviewed)
    for deed in (spoil_ticket, cancel_ticket):
        with pytest.raises(NotAllowed, match="under review"):
            deed(ticket=reviewed, reason="x", actor=clerk)
        with pytest.raises(DomainError, match="say why"):
            deed(ticket=ticket, reason=" ", actor=clerk)
    pay_tickets(ticket)
    with pytest.raises(NotAllowed, match="nobody has paid"):
        spoil_ticket(ticket=ticket, reason="x", actor=clerk)
    assert reload(ticket).status == T.PAID


# The hold follows


@pytest.mark.parametrize(("end", "is_held"), [("upheld", True), ("cancelled", False), ("withdrawn", True)])
def test_an_appeal_of_an_overdue_ticket_lifts_the_hold_and_its_end_decides(
    ticket, resident, clerk, end, is_held, django_capture_on_commit_callbacks
):
    from violations.services.overdue import refresh_hold

    def held() -> bool:
        return AccountHold.objects.filter(person=resident, lifted_at=None).exists()

    set_provider(overdue_hold_above=Decimal("20.00"))
    ticket = age(ticket, 40)
    refresh_hold(resident)
    assert held()
    with django_capture_on_commit_callbacks(execute=True):
        appeal = enter(ticket, clerk, late_reason="In hospital.")
    assert not held(), "what is under review is not asked for"
    with django_capture_on_commit_callbacks(execute=True):
        if end == "withdrawn":
            withdraw_appeal(appeal=appeal, person=resident)
        else:
            decide(appeal, end, clerk)
    assert held() is is_held


# Links


@pytest.fixture
def driver():
    """Who was driving somebody else's car."""
    return make_user(first_name="Dora", last_name="Driver")


def sees(person, ticket: Ticket) -> bool:
    return Ticket.objects.visible_to(person).filter(pk=ticket.pk).exists()


def same_plate(ticket: Ticket) -> Ticket:
    return make_ticket(plate=ticket.plate, region=ticket.region, offence=make_offence())


def test_a_link_shows_this_ticket_and_those_to_come_and_no_earlier_one(ticket, driver):
    earlier = same_plate(ticket)
    assert not sees(driver, ticket)
    link(ticket, driver)
    later = same_plate(ticket)
    other = make_ticket(plate=ticket.plate, region="CA-QC")
    assert [sees(driver, one) for one in (earlier, ticket, later, other)] == [False, True, True, False]
    assert not Ticket.objects.payable_by(driver).filter(pk=earlier.pk).exists()
    assert Ticket.objects.payable_by(driver).filter(pk=later.pk).exists()
    assert reload(ticket).person == ticket.person != driver, "it makes nobody liable"
    assert later.person == ticket.person


def test_a_link_ends_with_the_days_to_appeal_when_nothing_is_sent(ticket, driver):
    link(ticket, driver)
    age(ticket, 5)
    assert sees(driver, ticket)
    age(ticket, 1)
    assert not sees(driver, ticket)
    with pytest.raises(NotAllowed, match="could be appealed until"):
        link(ticket, driver)


@pytest.mark.parametrize("end", ["upheld", "cancelled", "withdrawn"])
def test_a_link_lasts_as_long_as_the_appeal(ticket, driver, clerk, end):
    link(ticket, driver)
    appeal = make_appeal(ticket, driver)
    age(ticket, 100)
    later = same_plate(ticket)
    assert sees(driver, later)
    if end == "withdrawn":
        withdraw_appeal(appeal=appeal, person=driver)
    else:
        decide(appeal, end, clerk)
    assert not sees(driver, later)
    assert not Ticket.objects.payable_by(driver).exists()
    assert sees(driver, ticket), "their own appeal they may always read"


def test_a_link_that_the_office_keeps_and_ends(ticket, driver, clerk):
    made = link(ticket, driver)
    decide(make_appeal(ticket, driver), "upheld", clerk, keep_link=True)
    made.refresh_from_db()
    assert (made.is_kept, made.ends_at) == (True, None)
    age(ticket, 400)
    later = same_plate(ticket)
    assert sees(driver, later)
    end_kept_link(link=made, actor=clerk)
    end_kept_link(link=made, actor=clerk)
    assert not sees(driver, later)
    assert AuditEntry.objects.filter(action="vehicle.unlinked").count() == 1


def test_a_link_lasts_while_an_appeal_on_paper_is_under_review(ticket, driver, clerk):
    made = link(ticket, driver)
    appeal = enter(ticket, clerk, person=driver)
    made.refresh_from_db()
    assert made.ends_at is None
    decide(appeal, "upheld", clerk)
    made.refresh_from_db()
    assert made.ends_at is not None


def test_linked_twice_is_once_and_never_to_its_own_person(ticket, driver, resident, unproved_resident):
    assert link(ticket, driver) == link(ticket, driver)
    assert AuditEntry.objects.filter(action="vehicle.linked").count() == 1
    with pytest.raises(NotAllowed, match="on your own account already"):
        link(ticket, resident)
    with pytest.raises(NotAllowed, match="confirm your e-mail"):
        link(ticket, unproved_resident)
    assert Association.objects.count() == 1


def test_linked_anew_shows_nothing_of_the_time_between(ticket, driver, clerk):
    made = link(ticket, driver)
    end_kept_link(link=made, actor=clerk)
    between = same_plate(ticket)
    assert link(ticket, driver) == made
    assert sees(driver, ticket)
    assert not sees(driver, between)
    assert sees(driver, same_plate(ticket))


@pytest.mark.parametrize(("restarts", "can"), [(True, True), (False, False)])
def test_the_days_to_appeal_may_begin_anew_with_the_first_link_alone(ticket, driver, restarts, can):
    set_provider(restarts_appeal_on_association=restarts)
    ticket = age(ticket, 8)
    if not can:
        with pytest.raises(NotAllowed, match="could be appealed until"):
            link(ticket, driver)
        return
    link(ticket, driver)
    ticket = age(ticket, 12)
    assert ticket.appeal_from == local_date() - 12 * DAY
    link(ticket, make_user())
    assert reload(ticket).appeal_from == local_date() - 12 * DAY, "a second one gains no more days"
    submit_appeal(ticket=ticket, person=driver, reason="I drove.", language="en")


def test_a_second_link_gains_no_days_where_the_first_gained_none(ticket, driver):
    link(ticket, driver)
    set_provider(restarts_appeal_on_association=True)
    with pytest.raises(NotAllowed, match="could be appealed until"):
        link(age(ticket, 8), make_user())
    assert reload(ticket).appeal_from is None


def test_days_that_begin_anew_do_not_reach_beyond_overdue(ticket, driver):
    set_provider(restarts_appeal_on_association=True)
    with pytest.raises(NotAllowed, match="overdue"):
        link(age(ticket, 21), driver)
    assert reload(ticket).appeal_from is None


def test_a_vehicle_without_a_plate_links_only_its_ticket(driver):
    ticket = make_ticket(vin="1HGCM82633A004352", region="")
    associate(ticket=ticket, person=driver)
    other = make_ticket(vin="2HGCM82633A004353", region="")
    assert [sees(driver, one) for one in (ticket, other)] == [True, False]


def test_whose_ticket_it_is_learns_when_somebody_elses_appeal_cancels_it(resident, other_resident, administrator):
    ticket = make_ticket(resident)
    link(ticket, other_resident)
    appeal = make_appeal(ticket, other_resident)
    decide_appeal(appeal=appeal, decision=AppealStatus.CANCELLED, response="Only for you.", actor=administrator)
    mail = Message.objects.get(template="violations/ticket_changed")
    assert mail.to == resident.email
    assert "Only for you." not in str(mail.context)
