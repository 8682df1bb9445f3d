"""The worker's doors: an id in, a service called. Each runs twice or late without harm."""

import logging
from collections.abc import Callable

from celery import shared_task

from payments import documents, statement_documents
from payments.services import confirming, deducting, forgetting, promising, refunds, settling, statements, storing

# What is left comes with the next run.
MOST_IN_ONE_RUN = 500
log = logging.getLogger(__name__)


def each(ids: list[int], step: Callable[[int], object]) -> int:
    """Run the step for each id; one that fails is logged and stops nobody else."""
    for pk in ids:
        try:
            step(pk)
        except Exception:
            log.exception("%s failed for %s", step, pk)
    return len(ids)


@shared_task(name="payments.finish_order")
def finish_order(order_id: int) -> None:
    settling.finish_order(order_id)
    documents.make_receipt(order_id=order_id)


@shared_task(name="payments.make_receipt")
def make_receipt(order_id: int) -> None:
    documents.make_receipt(order_id=order_id)


@shared_task(name="payments.handle_event")
def handle_event(event_id: int) -> None:
    confirming.handle_event(event_id)


@shared_task(name="payments.finish_paid_orders")
def finish_paid_orders() -> int:
    count = each(settling.orders_to_finish(), settling.finish_order)
    each(documents.orders_without_receipt(), make_receipt)
    return count


@shared_task(name="payments.reconcile_payments")
def reconcile_payments() -> int:
    return each(confirming.waiting_events(), confirming.handle_event) + each(
        confirming.payments_to_check(), confirming.check_payment
    )


@shared_task(name="payments.send_refunds")
def send_refunds() -> int:
    each(deducting.refunds_never_taken(), deducting.end_untaken_refund)
    return each(refunds.due_refunds(), refunds.send_refund) + each(refunds.pending_refunds(), refunds.check_refund)


@shared_task(name="payments.forget_card")
def forget_card(stored_id: int) -> None:
    forgetting.forget_card(stored_id)


@shared_task(name="payments.forget_removed_cards")
def forget_removed_cards() -> int:
    return each(forgetting.cards_to_forget(), forgetting.forget_card)


@shared_task(name="payments.reconcile_card_saves")
def reconcile_card_saves() -> int:
    return each(storing.saves_to_check(), storing.check_card_save)


@shared_task(name="payments.tell_expiring_cards")
def tell_expiring_cards() -> int:
    count = 0
    while count < MOST_IN_ONE_RUN and forgetting.tell_next_expiring():
        count += 1
    return count


@shared_task(name="payments.close_promises")
def close_promises() -> int:
    """Promises whose last day is over lapse; those whose last day is near are recalled to their payer."""
    return each(promising.promises_to_close(), promising.close_due_promise) + each(
        promising.promises_to_remind(), promising.remind_of_promise
    )


@shared_task(name="payments.issue_statements")
def issue_statements() -> int:
    """Close the month of each company's account that is not closed yet."""
    return each(statements.accounts_to_close(), statements.issue_statements)


@shared_task(name="payments.send_statements")
def send_statements() -> int:
    """Make the files of what was issued, and send them to their companies."""
    return each(statements.statements_to_send(), statement_documents.make_statement)
