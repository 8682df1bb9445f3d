"""A code is planted and everything is done with it; then it is looked for everywhere: it stands only where it must."""

import logging
from collections.abc import Callable, Iterator
from io import BytesIO

import pytest
import redis
from django.conf import settings
from django.contrib import admin
from django.core import mail as post
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import NoReverseMatch, reverse
from pypdf import PdfReader

from accounts.merging.services import merge_people, plan_merge
from accounts.models import User
from boots.models import Booting
from boots.services.codes import look_at_code, set_code
from boots.services.releasing import report_problem, send_code_again
from boots.services.returning import Returned, lose_boot, return_boot
from opscom.core import audit
from opscom.messaging.delivery import claim, deliver_due, send_claimed
from opscom.messaging.models import Message, MessageStatus
from payments.documents import make_receipt
from payments.guests import sign_order
from payments.models import Order
from tests.factories.accounts import make_user
from tests.factories.boots import (
    TWENTY,
    let_pass,
    make_boot,
    make_booting,
    make_picture,
    make_place,
    pay_for_release,
    set_policy,
    take_steps,
)
from tests.factories.payments import offer_method
from tests.factories.violations import make_offence

pytestmark = pytest.mark.django_db
# The first, the corrected one, the one set at the return, and that of the boot of an account.
PLANTED = ["ZQWRONG7731", "ZQRIGHT7732", "ZQAFTER7733", "ZQMINE7734"]
TEXTUAL = """
    SELECT c.table_name, c.column_name FROM information_schema.columns c
    JOIN information_schema.tables t USING (table_schema, table_name)
    WHERE c.table_schema = 'public' AND t.table_type = 'BASE TABLE'
      AND c.data_type IN ('text', 'character varying', 'character', 'json', 'jsonb', 'bytea', 'ARRAY', 'USER-DEFINED')
"""


@pytest.fixture(autouse=True)
def policy() -> None:
    offer_method("demo-bank", is_for_guests=True)
    make_place()
    make_picture()
    set_policy(
        deposit=TWENTY,
        late_rule="fine",
        late_offence=make_offence(),
        lost_offence=make_offence(),
        email="boots@example.org",
    )


def found_in(text: str) -> list[str]:
    return [code for code in PLANTED if code.casefold() in text.casefold()]


def hits_in_database() -> list[str]:
    """Return table and column of each value, of any row, that holds a planted code: as text, or as bytes."""
    hits = []
    with connection.cursor() as cursor:
        cursor.execute(TEXTUAL)
        columns = cursor.fetchall()
        assert ("boots_boot", "sealed_code") in columns
        assert any(table.endswith("event") for table, _column in columns)
        for table, column in columns:
            cursor.execute(f'SELECT "{column}" FROM "{table}" WHERE "{column}" IS NOT NULL')
            for (value,) in cursor.fetchall():
                text = bytes(value).decode("latin-1") if isinstance(value, memoryview | bytes) else str(value)
                hits += [f"{table}.{column}: {code}" for code in found_in(text)]
    return hits


def hits_in_cache() -> list[str]:
    """Return the keys of Redis that hold a planted code: sessions, throttles, whatever is cached."""
    store = redis.Redis.from_url(settings.REDIS_URL)
    readers: dict[bytes, Callable[[bytes], object]] = {
        b"string": store.get,
        b"list": lambda key: store.lrange(key, 0, -1),
        b"set": store.smembers,
        b"zset": lambda key: store.zrange(key, 0, -1),
        b"hash": store.hgetall,
    }
    keys = list(store.scan_iter(count=1000))
    return [repr(key) for key in keys if found_in(repr(key) + repr(readers[store.type(key)](key)))]


def live(administrator: User, clerk: User, client: Client) -> tuple[Booting, Booting]:
    """Do everything that can be done with codes; returns a guest's booting, which is over, and one that is out."""
    booting = make_booting(code=PLANTED[0], actor=clerk)
    payment = pay_for_release(booting, None, "night@example.org")
    deliver_due()
    send_code_again(booting=booting, actor=clerk)
    deliver_due()
    report_problem(booting=booting)
    # This one stays in the outbox, having failed once.
    set_code(boot=booting.boot, code=PLANTED[1], actor=clerk)
    message = claim(message_id=Message.objects.filter(template="boots/code").latest("pk").pk)
    assert message is not None
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(settings, "EMAIL_BACKEND", "django.core.mail.backends.smtp.EmailBackend")
        patch.setattr(settings, "EMAIL_HOST", "127.0.0.1")
        patch.setattr(settings, "EMAIL_PORT", 9)
        assert send_claimed(message) == MessageStatus.QUEUED
    assert look_at_code(boot=booting.boot, actor=administrator) == PLANTED[1]
    let_pass(booting, days=3)
    take_steps()
    own = reverse("boots:guest", args=[sign_order(payment.order)])
    assert PLANTED[1] in client.get(own).content.decode()
    assert PLANTED[1] in client.get(reverse("payments:guest", args=[sign_order(payment.order)])).content.decode()
    return_boot(booting=booting, how=Returned(new_code=PLANTED[2]), actor=clerk)
    deliver_due()
    return booting, _merged_driver(clerk)


def _merged_driver(clerk: User) -> Booting:
    """Return a booting that is paid and out, of somebody whose two records became one."""
    keeper, loser = make_user(), make_user()
    booting = make_booting(loser, code=PLANTED[3], actor=clerk)
    pay_for_release(booting, loser, loser.email)
    deliver_due()
    people = {"keeper": keeper, "loser": loser}
    merge_people(**people, actor=clerk, reason="Twice", mark=plan_merge(**people).mark)
    deliver_due()
    return Booting.objects.get(pk=booting.pk)


@pytest.fixture
def lived(administrator: User, clerk: User, client: Client) -> tuple[Booting, Booting]:
    client.cookies["language"] = "en"
    return live(administrator, clerk, client)


def test_codes_stand_in_no_table_no_log_no_cache_and_no_other_letter(lived, caplog, administrator, clerk, client_of):
    assert hits_in_database() == []
    assert hits_in_cache() == []
    letters = list(post.outbox)
    codes = [letter for letter in letters if found_in(str(letter.message().as_bytes().decode()) + letter.body)]
    assert len(codes) == 3
    sent = Message.objects.filter(template="boots/code", status=MessageStatus.SENT)
    assert {letter.subject for letter in codes} == {one.subject for one in sent}
    assert len(letters) > len(codes) + 4
    assert all("[secret]" in one.body and "[secret]" in one.html for one in sent)
    assert not Message.objects.filter(template="boots/code", secret_context__isnull=False).exists()


def test_nothing_is_logged(administrator, clerk, client, caplog):
    caplog.set_level(logging.DEBUG)
    for name in list(logging.root.manager.loggerDict):
        caplog.set_level(logging.DEBUG, logger=name)
    client.cookies["language"] = "en"
    with CaptureQueriesContext(connection):
        live(administrator, clerk, client)
    lines = [record.getMessage() + str(record.__dict__) for record in caplog.records]
    # Django's log of statements, which no deployment has on, names them sealed, too.
    assert any("boots_boot" in line for line in lines)
    assert len(lines) > 50
    assert [line for line in lines if found_in(line)] == []


def test_receipt_as_a_pdf_and_as_a_letter_names_no_code(lived):
    for order in Order.objects.filter(status="paid"):
        document = make_receipt(order_id=order.pk)
        assert document is not None
        with document.file.open("rb") as file:
            text = "".join(page.extract_text() for page in PdfReader(BytesIO(file.read())).pages)
        assert order.code in text or "Release of the boot" in text
        assert found_in(text) == []
    receipts = Message.objects.filter(template="payments/receipt")
    assert receipts.count() == 2
    assert found_in("".join(one.subject + one.body + one.html + str(one.context) for one in receipts)) == []


def test_no_page_of_the_office_names_a_code(lived, administrator, client_of):
    client = client_of(administrator)
    seen = 0
    for model in admin.site._registry:
        for address in _pages(model):
            answer = client.get(address, follow=True)
            if answer.status_code == 200 and not answer.streaming:
                seen += 1
                assert found_in(answer.content.decode(errors="replace")) == [], address
    assert seen > 40
    assert found_in(client.get(reverse("admin:index")).content.decode()) == []


def _pages(model: type) -> Iterator[str]:
    """Return the list, and the pages of the last rows, of one model."""
    name = f"{model._meta.app_label}_{model._meta.model_name}"
    try:
        yield reverse(f"admin:{name}_changelist")
        rows = model._default_manager.order_by("-pk").values_list("pk", flat=True)
        for pk in rows[: 12 if model in (Message, Booting) else 3]:
            yield reverse(f"admin:{name}_change", args=[pk])
            yield reverse(f"admin:{name}_history", args=[pk])
    except NoReverseMatch:
        return


def test_strangers_see_no_code(lived, client, client_of, other_resident):
    over, out = lived
    for booting in (over, out):
        payer = booting.line.order
        addresses = [
            reverse("boots:pay", args=[booting.pay_code]),
            reverse("boots:sticker", args=[booting.boot.tag]),
            reverse("guest:ticket", args=[booting.ticket.pay_code]),
            reverse("boots:mine", args=[booting.code]),
        ]
        if payer.payer_id:
            addresses += [
                reverse("boots:guest", args=[sign_order(payer)]),
                reverse("payments:receipt", args=[payer.code]),
            ]
        for browser in (client, client_of(other_resident)):
            for address in addresses:
                answer = browser.get(address, follow=True)
                assert found_in(answer.content.decode()) == [], address
    # The page of the payer, once the boot is back, names neither the old code nor the new one.
    own = reverse("boots:guest", args=[sign_order(over.line.order)])
    assert found_in(client.get(own).content.decode()) == []


def test_the_search_finds_what_it_looks_for(clerk):
    """This very search sees a code that is put into an audit fact, a plain context, or a cache."""
    boot = make_boot(PLANTED[0])
    assert hits_in_database() == []
    audit.record("boot.code_set", boot, actor=clerk, code=PLANTED[0])
    assert hits_in_database() == [f"core_auditentry.facts: {PLANTED[0]}"]


def test_lost_and_unsendable_letters_keep_no_code(clerk):
    """A letter that could not be sent is not sent after the boot is over: its code is forgotten with the boot's."""
    booting = make_booting(code=PLANTED[0], actor=clerk)
    pay_for_release(booting)
    Message.objects.filter(template="boots/code").update(status=MessageStatus.FAILED, attempts=34)
    send_code_again(booting=booting)
    lose_boot(booting=booting, reason="Gone", actor=clerk)
    mails = Message.objects.filter(template="boots/code").order_by("pk")
    assert [(one.status, one.secret_context) for one in mails] == [("failed", None), ("cancelled", None)]
