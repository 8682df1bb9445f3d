"""Wages and transfers: chosen at the checkout, put into one file, and decided once by what comes back."""

from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse

from opscom.core.context import acting_for
from opscom.core.errors import NotAllowed
from opscom.messaging.models import Message
from payments.choices import checkout_choices
from payments.collection_files import read_file, write_file
from payments.invariants import check_books
from payments.models import CollectionStatus, Debt, Deduction, DeductionStatus, OrderStatus, Payment, Refund
from payments.services.collecting import judge_results, make_file, read_results
from payments.services.deducting import end_untaken_refund, refunds_never_taken
from payments.services.forgetting import remove_stored
from payments.services.paying import pay_order
from payments.services.refunding import approve_refund, hand_back, refund_line, withdraw_refund
from payments.services.refunds import due_refunds
from payments.tasks import send_refunds
from tests.factories.deductions import deduct, open_period, results, send_file, set_up
from tests.factories.payments import offer_method, place_thing
from tests.factories.vehicles import set_provider

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("product", "gateway")]
D = DeductionStatus


@pytest.fixture
def stored(resident):
    return set_up(resident)


@pytest.fixture
def deduction(resident, stored):
    return deduct(resident)


@pytest.fixture
def period(deduction):
    return send_file()


def say(period, *rows, reason=""):
    done = read_results(period=period, lines=results(*rows, reason=reason), actor=None)
    period.refresh_from_db()
    for row in Deduction.objects.all():
        assert row.payment.order.status == OrderStatus.PAID
    assert not list(check_books())
    return done


def give_back(deduction, clerk, amount=None):
    refund = refund_line(line=deduction.payment.order.lines.get(), actor=clerk, amount=amount)
    send_refunds()
    refund.refresh_from_db()
    deduction.refresh_from_db()
    return refund


def test_the_choice_says_when_money_is_taken(resident, stored):
    order = place_thing(payer=resident, email=resident.email)
    [choice] = [one for one in checkout_choices(order) if one.code.startswith("stored:")]
    assert choice.label == "Payroll Deduction E-1001"
    assert "next pay period" in choice.hint


def test_paid_and_delivered_at_once_and_taken_later(deduction, product):
    payment = deduction.payment
    assert (payment.order.status, product.delivered) == (OrderStatus.PAID, [1])
    assert (payment.gateway, deduction.status, deduction.amount) == ("payroll", D.WAITING, Decimal("100.00"))
    assert not list(check_books())


def test_the_same_click_twice_is_one_deduction(resident, stored):
    order = place_thing(payer=resident, email=resident.email)
    one, two = [pay_order(order=order, method_code=f"stored:{stored.code}", actor=resident) for _click in range(2)]
    assert one == two
    assert Deduction.objects.count() == 1


ENDS = {
    "removed": lambda s: remove_stored(stored_method=s, actor=s.person),
    "switched off": lambda s: offer_method(kind="payroll", code="payroll", is_on=False),
    "other kinds": lambda s: offer_method(kind="payroll", code="payroll", product_kinds=["permit"]),
}


@pytest.mark.parametrize("name", ENDS)
def test_what_is_not_offered_any_more_deducts_nothing(resident, stored, name):
    from payments.services.deducting import deduct_order

    order = place_thing(payer=resident, email=resident.email)
    ENDS[name](stored)
    with pytest.raises(NotAllowed):
        deduct_order(order=order, stored_method=stored, actor=resident)
    assert not Payment.objects.exists()


def test_nobody_else_deducts_from_somebody_s_wages(resident, other_resident, manager, stored, client_of):
    theirs = place_thing(2, payer=other_resident, email=other_resident.email)
    with pytest.raises(NotAllowed):
        pay_order(order=theirs, method_code=f"stored:{stored.code}", actor=other_resident)
    own = place_thing(payer=resident, email=resident.email)
    with acting_for(actor=manager, person=resident), pytest.raises(NotAllowed):
        pay_order(order=own, method_code=f"stored:{stored.code}", actor=resident)
    response = client_of(other_resident).post(
        reverse("payments:checkout", args=[theirs.code]), {"method": f"stored:{stored.code}"}
    )
    assert response.status_code == 422
    assert not Payment.objects.exists()


def test_the_file_takes_all_that_waits_of_its_kind_once(resident, other_resident, deduction):
    transfer = deduct(other_resident, 2, stored=set_up(other_resident, "eft", "T-7"))
    first = send_file()
    second = open_period(days=10)
    with pytest.raises(NotAllowed, match="No deduction waits"):
        make_file(period=second, actor=None)
    with pytest.raises(NotAllowed, match="made already"):
        make_file(period=first, actor=None)
    deduction.refresh_from_db()
    transfer.refresh_from_db()
    assert (deduction.status, deduction.period, transfer.status) == (D.SENT, first, D.WAITING)


def test_what_is_asked_after_the_period_waits_for_the_next(deduction):
    period = open_period()
    Deduction.objects.update(created_at="2099-01-01T00:00Z")
    with pytest.raises(NotAllowed, match="No deduction waits"):
        make_file(period=period, actor=None)


def test_the_file_names_who_what_and_how_much_and_no_formula(resident, stored):
    type(stored).objects.filter(pk=stored.pk).update(account_number="=1+1")
    resident.first_name = "@Maya"
    resident.save()
    deduct(resident)
    period = send_file()
    header, row = write_file(period).splitlines()
    assert header == "reference,account_number,name,employee_number,amount,currency,asked_on,what"
    cells = row.split(",")
    assert cells[0] == Payment.objects.get().reference
    assert (cells[1], cells[2], cells[4:6]) == ("'=1+1", "'@Maya Chen", ["100.00", "CAD"])
    assert write_file(period).splitlines()[1] == row


def test_taken_closes_the_period(period, deduction):
    done = say(period, (deduction, "Taken"))
    deduction.refresh_from_db()
    assert (deduction.status, len(done.taken), period.status) == (D.TAKEN, 1, CollectionStatus.CLOSED)
    assert not Debt.objects.exists()


def test_refused_is_owed_again_and_the_person_is_told(period, deduction, resident):
    done = say(period, (deduction, "refused"), reason="No wages in this period")
    deduction.refresh_from_db()
    debt = Debt.objects.get()
    assert (deduction.status, debt.person, debt.amount) == (D.REFUSED, resident, Decimal("100.00"))
    assert (len(done.refused), period.status) == (1, CollectionStatus.CLOSED)
    letter = Message.objects.get(template="payments/owed_again")
    assert (letter.to, letter.context["note"]) == (resident.email, "No wages in this period")


def test_read_twice_counts_once(period, deduction):
    say(period, (deduction, "refused"))
    again = say(period, (deduction, "refused"))
    assert (again.known, again.refused, Debt.objects.count()) == (1, [], 1)


def test_a_transfer_that_comes_back_weeks_later(period, deduction):
    say(period, (deduction, "taken"))
    say(period, (deduction, "returned"))
    assert Debt.objects.count() == 1
    with_words = say(period, (deduction, "taken"))
    assert "owed again" in with_words.problems[0][1]


def test_looking_changes_nothing(period, deduction):
    found = judge_results(period, results((deduction, "refused")))
    deduction.refresh_from_db()
    assert (len(found.refused), found.refused_sum, deduction.status) == (1, Decimal("100.00"), D.SENT)


def test_what_does_not_fit_is_named_and_does_not_count(period, deduction, resident, stored):
    later = deduct(resident, 7)
    lines = results(("NOBODY", "taken"), (later, "taken"), (deduction, "taken"), (deduction, "refused"))
    done = read_results(period=period, lines=lines, actor=None)
    assert [number for number, _words in done.problems] == [2, 3, 4, 5]
    assert [words.split("”")[1][:16] for _number, words in done.problems[2:]] == [" stands in the f"] * 2
    deduction.refresh_from_db()
    assert deduction.status == D.SENT
    text = f"reference;amount;result\n{deduction.payment.reference};99,50;taken\n".encode()
    wrong = read_results(period=period, lines=read_file(text), actor=None)
    assert "100.00 were to be taken" in wrong.problems[0][1]
    assert read_results(period=period, lines=results(("NOBODY", "taken")), actor=None).missing == [deduction]


def test_a_period_without_a_file_has_no_results(deduction):
    with pytest.raises(NotAllowed):
        read_results(period=open_period(), lines=results((deduction, "taken")), actor=None)


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_files_as_spreadsheets_save_them(separator, mark):
    text = "Reference,RESULT,Amount,Reason,more\n'abc,OK,12.50,,x\n\n".replace(",", separator)
    [line] = read_file(mark + text.encode())
    assert (line.reference, line.status, line.amount, line.number) == ("ABC", D.TAKEN, Decimal("12.50"), 2)


BAD = {
    "not text": (b"\xff\xfe\x00a", "UTF-8"),
    "nul": (b"reference,result\nA\0,taken", "CSV"),
    "no columns": (b"a,b\n1,2", "first line"),
    "empty": (b"", "first line"),
    "no lines": (b"reference,result\n\n", "no results"),
    "word": (b"reference,result\nA,maybe", "Line 2: .*neither"),
    "amount": (b"reference,result,amount\nA,taken,1.2.3", "Line 2: .*not an amount"),
    "infinite": (b"reference,result,amount\nA,taken,Infinity", "Line 2: .*not an amount"),
    "big": (b"x" * (2 * 1024 * 1024 + 1), "2 MB"),
    "long": (b"reference,result\n" + b"A,ok\n" * 20_001, "20000"),
}


@pytest.mark.parametrize("name", BAD)
def test_files_that_cannot_be_read_say_why(name):
    content, words = BAD[name]
    with pytest.raises(ValidationError, match=words):
        read_file(content)


def test_judging_asks_the_same_for_one_and_for_many(resident, stored, django_assert_max_num_queries):
    deductions = [deduct(resident, number) for number in range(1, 4)]
    period = send_file()
    lines = results(*((one, "taken") for one in deductions))
    with django_assert_max_num_queries(2):
        assert len(judge_results(period, lines).taken) == 3


def test_given_back_while_it_waits_less_is_taken(deduction, clerk):
    refund = give_back(deduction, clerk, Decimal("30.00"))
    assert (refund.status, refund.is_not_taken, deduction.amount) == ("succeeded", True, Decimal("70.00"))
    assert Message.objects.get(template="payments/refunded").context["is_not_taken"]
    give_back(deduction, clerk)
    assert deduction.status == D.CANCELLED
    with pytest.raises(NotAllowed, match="No deduction waits"):
        make_file(period=open_period(), actor=None)
    assert not list(check_books())


def test_given_back_while_the_file_is_out_waits_for_its_result(period, deduction, clerk):
    refund = give_back(deduction, clerk, Decimal("30.00"))
    assert refund.status == "due"
    with pytest.raises(NotAllowed, match="not read yet"):
        hand_back(refund=refund, actor=clerk, note="cash")
    say(period, (deduction, "taken"))
    assert refunds_never_taken() == due_refunds() == []
    hand_back(refund=refund, actor=clerk, note="cash")
    late = say(period, (deduction, "returned"))
    assert "settle it by hand" in late.problems[0][1]
    assert not Debt.objects.exists()


def test_given_back_and_then_refused_nothing_goes_out_for_what_never_came(period, deduction, clerk):
    refund = give_back(deduction, clerk, Decimal("30.00"))
    say(period, (deduction, "refused"))
    assert Debt.objects.get().amount == Decimal("70.00")
    send_refunds()
    refund.refresh_from_db()
    assert (refund.status, refund.is_not_taken) == ("succeeded", True)
    assert not list(check_books())


def test_all_given_back_and_then_refused_leaves_no_debt(period, deduction, clerk):
    give_back(deduction, clerk)
    say(period, (deduction, "refused"))
    send_refunds()
    assert not Debt.objects.exists()
    assert Refund.objects.get().is_not_taken


def test_a_proposed_refund_of_what_was_refused_can_only_be_approved(period, deduction, clerk, administrator):
    set_provider(refund_second_person_above=Decimal("1.00"))
    refund = give_back(deduction, clerk, Decimal("30.00"))
    assert refund.status == "proposed"
    say(period, (deduction, "refused"))
    with pytest.raises(NotAllowed, match="please approve"):
        withdraw_refund(refund=refund, actor=clerk, note="")
    approve_refund(refund=refund, actor=administrator)
    send_refunds()
    refund.refresh_from_db()
    assert refund.is_not_taken
    assert not list(check_books())


def test_what_is_given_back_is_not_put_into_the_file_first(deduction, clerk):
    refund = refund_line(line=deduction.payment.order.lines.get(), actor=clerk)
    with pytest.raises(NotAllowed, match="No deduction waits"):
        send_file()
    refund.refresh_from_db()
    assert refund.is_not_taken


def test_a_late_worker_ends_nothing_that_a_file_took(period, deduction, clerk):
    refund = refund_line(line=deduction.payment.order.lines.get(), actor=clerk)
    end_untaken_refund(refund.pk)
    refund.refresh_from_db()
    assert refund.status == "due"


def test_what_is_removed_still_pays_for_what_was_bought(deduction, stored, resident):
    remove_stored(stored_method=stored, actor=resident)
    assert send_file().deductions.get() == deduction


WRONG = {
    "another sum": (lambda d: Deduction.objects.update(amount=7), "7.00 taken"),
    "no deduction": (lambda d: d.delete(), "no file will take it"),
    "refused and kept": (lambda d: Deduction.objects.update(status="refused"), "still counts as paid"),
}


@pytest.mark.parametrize("name", WRONG)
def test_each_wrong_state_is_named(period, deduction, name):
    deduction.refresh_from_db()
    assert not list(check_books())
    plant, words = WRONG[name]
    plant(deduction)
    assert any(words in found for found in check_books())
