"""The office writes to many: to whom, in which language, and not against their will."""

import datetime as dt

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from accounts.models import Mailing, MailingStatus, User
from accounts.services import mailings
from accounts.services.mailings import cancel_mailing, continue_mailings, count_receivers, send_preview, start_mailing
from opscom.core.errors import IllegalMove, NotAllowed, Stale
from opscom.core.models import AuditEntry
from opscom.messaging import delivery, placeholders, preferences
from opscom.messaging.models import EmailCategory, Message
from opscom.settings import CELERY_BEAT_SCHEDULE
from tests.factories.accounts import make_user, make_user_type
from tests.factories.mailings import BOTH, ENGLISH, TEXTS, let_people_choose, mails_of, make_mailing, send_all
from tests.factories.messaging import mail_server

pytestmark = pytest.mark.django_db
LIST = "admin:accounts_mailing_changelist"


def page(name: str, mailing: Mailing) -> str:
    return reverse("admin:accounts_mailing_change", args=[mailing.pk]).replace("/change/", f"/{name}/")


def test_goes_to_living_people_with_a_proved_address(administrator, resident, unproved_resident):
    make_user(email="gone@example.org", is_active=False)
    make_user(email=None, is_proved=False)
    User.objects.filter(pk=make_user(email="merged@example.org").pk).update(
        email=None, email_proved_at=None, is_active=False, merged_into=resident
    )
    mailing = make_mailing(administrator)
    assert count_receivers(mailing) == 2
    mailing = send_all(mailing, administrator)
    assert set(mails_of(mailing)) == {administrator.email, resident.email}
    assert (mailing.status, mailing.receivers) == (MailingStatus.SENT, 2)
    mail = mails_of(mailing)[resident.email]
    assert (mail.category, mail.lane, mail.template) == ("newsletter", "bulk", "accounts/mailing")


def test_goes_to_the_user_types_that_people_have_today(administrator):
    staff, student, default = make_user_type(), make_user_type(), make_user_type(is_default=True)
    day = dt.timedelta(days=1)
    today = timezone.now().date()
    make_user(email="staff@example.org", user_type=staff)
    make_user(email="student@example.org", user_type=student)
    make_user(email="was-staff@example.org", user_type=staff, user_type_until=today - day)
    make_user(email="will-be-staff@example.org", user_type=staff, user_type_from=today + 2 * day)
    User.objects.filter(pk=administrator.pk).update(user_type=student)
    mailing = make_mailing(administrator)
    mailing.user_types.set([staff])
    assert set(mails_of(send_all(mailing, administrator))) == {"staff@example.org"}
    mailing = make_mailing(administrator)
    mailing.user_types.set([default])
    assert set(mails_of(send_all(mailing, administrator))) == {"was-staff@example.org", "will-be-staff@example.org"}


def test_each_reads_their_own_language_else_english(administrator, settings):
    make_user(email="luc@example.org", language="fr-ca")
    make_user(email="ana@example.org", language="es")
    mails = mails_of(send_all(make_mailing(administrator), administrator))
    assert mails["luc@example.org"].context["mail_subject"] == BOTH["fr-ca"]
    assert mails["ana@example.org"].language == "en"
    half = make_mailing(administrator, subject=BOTH, text={"en": "Only English."})
    mails = mails_of(send_all(half, administrator))
    assert mails["luc@example.org"].context == {"mail_subject": BOTH["en"], "paragraphs": ["Only English."]}


def test_mail_is_plain_paragraphs_escaped(administrator, settings):
    text = {"en": "See https://example.org/?a=1&b=2\nnow.\r\n\r\n\r\n<script>alert(1)</script> {{ 1 }}"}
    mailing = make_mailing(administrator, subject={"en": "O'Neill\r\nBcc: x@example.org"}, text=text)
    mail = mails_of(send_all(mailing, administrator))[administrator.email]
    with mail_server(settings) as server:
        assert delivery.deliver(mail.pk) == "sent"
    mail.refresh_from_db()
    assert server.mails[0]["Subject"] == "O'Neill Bcc: x@example.org"
    assert server.mails[0]["Bcc"] is None
    assert "<p>See https://example.org/?a=1&amp;b=2<br>now.</p>" in mail.html
    assert "<p>&lt;script&gt;alert(1)&lt;/script&gt; {{ 1 }}</p>" in mail.html
    assert "See https://example.org/?a=1&b=2\nnow.\n\n<script>" in mail.body
    assert server.mails[0]["List-Unsubscribe"]


def test_who_refused_is_not_written_to(administrator, resident, settings):
    preferences.save_choices(address=resident.email, wanted=["promotional"])
    mailing = make_mailing(administrator)
    assert count_receivers(mailing) == 1
    assert set(mails_of(send_all(mailing, administrator))) == {administrator.email}
    assert resident.email in mails_of(send_all(make_mailing(administrator, "promotional"), administrator))
    assert resident.email in mails_of(send_all(make_mailing(administrator, "important"), administrator))


def test_who_refuses_after_it_was_queued_gets_nothing(administrator, resident, settings):
    mails = mails_of(send_all(make_mailing(administrator), administrator))
    preferences.switch_off(address=resident.email, category="newsletter")
    with mail_server(settings) as server:
        assert delivery.deliver(mails[resident.email].pk) == "cancelled"
    assert server.mails == []


def test_without_preferences_only_important_mail_goes_out_unconfirmed(administrator, resident):
    preferences.switch_off(address=resident.email, category="newsletter")
    let_people_choose(False)
    EmailCategory.objects.create(code="events", name={"en": "Events"}, is_essential=True)
    for category in ("newsletter", "events"):
        mailing = make_mailing(administrator, category)
        with pytest.raises(NotAllowed, match="confirmation"):
            start_mailing(mailing=mailing, actor=administrator)
        mailing.refresh_from_db()
        assert mailing.status == MailingStatus.DRAFT
    assert len(mails_of(send_all(make_mailing(administrator, "important"), administrator))) == 2
    mailing = make_mailing(administrator)
    assert count_receivers(mailing) == 2
    assert len(mails_of(send_all(mailing, administrator, is_confirmed=True))) == 2
    assert AuditEntry.objects.filter(action="mailing.started", facts__confirmed=True).count() == 1


def test_unconfirmed_mailing_waits_while_preferences_are_off(administrator, resident):
    mailing = make_mailing(administrator)
    # Confirmed, but for nothing: people could refuse when it began.
    start_mailing(mailing=mailing, actor=administrator, is_confirmed=True)
    let_people_choose(False)
    assert continue_mailings() == 0
    assert mails_of(mailing) == {}
    let_people_choose(True)
    assert continue_mailings() == 1
    assert len(mails_of(mailing)) == 2


@pytest.mark.parametrize("words", [{"subject": {}}, {"text": {"fr-ca": "Oui"}}, {"text": {"en": " \r\n "}}])
def test_nothing_to_say_is_not_sent(administrator, words):
    mailing = make_mailing(administrator, **words)
    with pytest.raises(NotAllowed, match="in English"):
        start_mailing(mailing=mailing, actor=administrator)
    assert not Message.objects.exists()


def test_preview_goes_to_oneself_in_each_language_and_counts_for_nothing(administrator, resident, settings):
    preferences.save_choices(address=administrator.email, wanted=[])
    mailing = make_mailing(administrator)
    assert send_preview(mailing=mailing, actor=administrator) == ["en", "fr-ca"]
    previews = list(Message.objects.order_by("language"))
    assert [(mail.to, mail.language) for mail in previews] == [
        (administrator.email, "en"),
        (administrator.email, "fr-ca"),
    ]
    with mail_server(settings) as server:
        assert [delivery.deliver(mail.pk) for mail in previews] == ["sent", "sent"]
    assert server.mails[0]["Subject"] == f"Preview: {BOTH['en']}"
    preferences.save_choices(address=administrator.email, wanted=["newsletter"])
    assert len(mails_of(send_all(mailing, administrator))) == 2
    with pytest.raises(NotAllowed):
        send_preview(mailing=make_mailing(administrator, text={}), actor=administrator)


def test_started_once_and_cancelled_while_it_goes_out(administrator, resident, monkeypatch):
    monkeypatch.setattr(mailings, "CHUNK", 1)
    mailing = make_mailing(administrator)
    start_mailing(mailing=mailing, actor=administrator)
    with pytest.raises(NotAllowed):
        start_mailing(mailing=mailing, actor=administrator)
    assert mailings.continue_mailing(mailing.pk)
    cancel_mailing(mailing=mailing, actor=administrator)
    assert continue_mailings() == 0
    mailing.refresh_from_db()
    assert (mailing.status, mailing.receivers, len(mails_of(mailing))) == ("cancelled", 1, 1)
    for deed in (cancel_mailing, start_mailing):
        with pytest.raises((IllegalMove, NotAllowed)):
            deed(mailing=mailing, actor=administrator)


def test_an_address_that_changed_hands_meanwhile_gets_it_once(administrator, resident, monkeypatch):
    monkeypatch.setattr(mailings, "CHUNK", 2)
    mailing = make_mailing(administrator)
    start_mailing(mailing=mailing, actor=administrator)
    assert mailings.continue_mailing(mailing.pk)
    address, resident.email = resident.email, "elsewhere@example.org"
    resident.save()
    make_user(email=address)
    continue_mailings()
    mailing.refresh_from_db()
    assert set(mails_of(mailing)) == {administrator.email, address}
    assert mailing.receivers == 2


def test_what_was_not_seen_is_not_sent(administrator):
    mailing = make_mailing(administrator)
    mark = mailings.make_mark(mailing)
    for change in ({"text": {"en": "Else"}}, {"category": EmailCategory.objects.get(code="important")}):
        Mailing.objects.filter(pk=mailing.pk).update(**change)
        with pytest.raises(Stale):
            start_mailing(mailing=mailing, actor=administrator, mark=mark)
        Mailing.objects.filter(pk=mailing.pk).update(text=TEXTS, category=mailing.category)
    mailing.user_types.set([make_user_type()])
    with pytest.raises(Stale):
        start_mailing(mailing=mailing, actor=administrator, mark=mark)
    mailing.user_types.clear()
    start_mailing(mailing=mailing, actor=administrator, mark=mark)


def test_database_keeps_statuses_honest(administrator):
    mailing = make_mailing(administrator)
    for wrong in ({"status": "x"}, {"status": "sending"}, {"receivers": 1}, {"finished_at": timezone.now()}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Mailing.objects.filter(pk=mailing.pk).update(**wrong)


def test_beat_knows_the_task_and_nobody_rewords_the_mail():
    from opscom.celery import app

    app.loader.import_default_modules()
    names = {entry["task"] for entry in CELERY_BEAT_SCHEDULE.values()}
    assert "accounts.continue_mailings" in names & set(app.tasks)
    assert "accounts/mailing" not in placeholders.list_templates()


@pytest.mark.parametrize("people", [1, 5])
def test_counting_costs_the_same_for_any_number_of_people(administrator, people, django_assert_num_queries):
    for _number in range(people):
        make_user()
    mailing = Mailing.objects.select_related("category").get(pk=make_mailing(administrator).pk)
    count_receivers(mailing)
    with django_assert_num_queries(3):
        assert count_receivers(mailing) == people + 1


# The office's pages


@pytest.mark.parametrize("rows", [1, 3])
def test_list_costs_the_same_for_any_number_of_rows(client_of, administrator, rows, django_assert_max_num_queries):
    for _number in range(rows):
        make_mailing(administrator)
    office = client_of(administrator)
    office.get(reverse(LIST))
    with django_assert_max_num_queries(18):
        assert office.get(reverse(LIST)).text.count(BOTH["en"]) >= rows


def test_written_looked_at_and_sent_on_the_pages(client_of, administrator, resident):
    office = client_of(administrator)
    category = EmailCategory.objects.get(code="newsletter")
    words = {
        "subject_en": BOTH["en"],
        "subject_fr_ca": "",
        "text_en": TEXTS["en"],
        "text_fr_ca": "",
        "category": category.pk,
    }
    answer = office.post(reverse("admin:accounts_mailing_add"), {**words, "text_fr_ca": "Oui"})
    assert "same languages" in answer.text
    assert office.post(reverse("admin:accounts_mailing_add"), words).status_code == 302
    mailing = Mailing.objects.get()
    assert (mailing.written_by, mailing.subject) == (administrator, ENGLISH)
    change = reverse("admin:accounts_mailing_change", args=[mailing.pk])
    assert page("send", mailing) in office.get(change).text
    assert office.post(change, {**words, "subject_en": "Lot 5"}).status_code == 302
    mailing.refresh_from_db()
    assert mailing.subject == {"en": "Lot 5"}
    assert office.post(page("preview", mailing)).status_code == 302
    assert Message.objects.get().to == administrator.email
    asked = office.get(page("send", mailing))
    assert "Lot 5" in asked.text
    assert "we &lt;pave&gt; it." in asked.text
    assert asked.context["facts"][2] == ("receivers", 2)
    assert "is_confirmed" not in asked.context["form"].fields
    mark = asked.context["form"].initial["mark"]
    assert office.post(page("send", mailing), {"mark": mark}).status_code == 302
    continue_mailings()
    assert len(mails_of(mailing)) == 2
    assert AuditEntry.objects.filter(action__startswith="mailing.").values_list("action", flat=True).count() == 5


def test_page_asks_for_confirmation_where_people_cannot_choose(client_of, administrator):
    let_people_choose(False)
    mailing = make_mailing(administrator)
    office = client_of(administrator)
    asked = office.get(page("send", mailing))
    assert "nobody can unsubscribe" in asked.text
    data = {"mark": asked.context["form"].initial["mark"]}
    answer = office.post(page("send", mailing), data)
    assert answer.status_code == 422
    assert "without your confirmation" in answer.text
    assert office.post(page("send", mailing), {**data, "is_confirmed": "on"}).status_code == 302
    mailing.refresh_from_db()
    assert (mailing.status, mailing.is_confirmed) == ("sending", True)


def test_page_that_is_out_of_date_sends_nothing(client_of, administrator):
    mailing = make_mailing(administrator)
    office = client_of(administrator)
    answer = office.post(page("send", mailing), {"mark": "old"})
    assert answer.status_code == 422
    assert "read it again" in answer.text
    assert office.post(page("send", mailing), {}).status_code == 422
    mailing.refresh_from_db()
    assert mailing.status == "draft"


def test_nobody_changes_or_deletes_what_was_sent(client_of, administrator):
    mailing = send_all(make_mailing(administrator), administrator)
    office = client_of(administrator)
    change = reverse("admin:accounts_mailing_change", args=[mailing.pk])
    text = office.get(change).text
    assert 'name="subject_en"' not in text
    assert page("send", mailing) not in text
    words = {"subject_en": "Else", "text_en": "Else", "category": mailing.category_id}
    office.post(change, words)
    office.post(page("send", mailing), {"mark": mailings.make_mark(mailing)})
    office.post(page("cancel", mailing))
    assert office.post(reverse("admin:accounts_mailing_delete", args=[mailing.pk]), {"post": "yes"}).status_code == 403
    mailing.refresh_from_db()
    assert (mailing.subject, mailing.status) == (BOTH, "sent")


def test_sent_while_somebody_was_still_writing(client_of, administrator, monkeypatch):
    mailing = make_mailing(administrator)
    from accounts.admin.mailings import MailingAdmin

    # Between the look at the form and its saving.
    real = MailingAdmin.save_model

    def late(self, request, obj, form, change):
        start_mailing(mailing=mailing, actor=administrator)
        real(self, request, obj, form, change)

    monkeypatch.setattr(MailingAdmin, "save_model", late)
    words = {"subject_en": "Else", "text_en": "Else", "category": mailing.category_id}
    office = client_of(administrator)
    answer = office.post(reverse("admin:accounts_mailing_change", args=[mailing.pk]), words, follow=True)
    assert "sent or cancelled already" in answer.text
    mailing.refresh_from_db()
    assert mailing.subject == BOTH


@pytest.mark.parametrize("name", ["preview", "send", "cancel"])
def test_only_who_may_send_mailings_does_anything(client_of, administrator, clerk, officer, resident, name):
    mailing = make_mailing(administrator)
    auditor = make_user(role="Auditor")
    for person in (clerk, officer, auditor, resident, None):
        for ask in (client_of(person).get, client_of(person).post):
            assert ask(page(name, mailing)).status_code in (302, 403, 404)
    mailing.refresh_from_db()
    assert mailing.status == "draft"
    assert not Message.objects.filter(template="accounts/mailing").exists()
    assert client_of(auditor).get(reverse(LIST)).status_code == 200
    assert client_of(auditor).post(page(name, mailing)).status_code == 403


def test_looking_changes_nothing(client_of, administrator):
    mailing = make_mailing(administrator)
    for name in ("preview", "send", "cancel"):
        assert client_of(administrator).get(page(name, mailing)).status_code == 200
    mailing.refresh_from_db()
    assert mailing.status == "draft"
    assert not Message.objects.exists()


def test_preview_without_words_says_so(client_of, administrator):
    mailing = make_mailing(administrator, text={})
    answer = client_of(administrator).post(page("preview", mailing), follow=True)
    assert "no subject and text" in answer.text
