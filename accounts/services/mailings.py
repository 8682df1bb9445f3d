"""Write to many people at once: a chunk of them in each transaction, so that a worker may die anywhere."""

import hashlib
import json
import uuid
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from accounts.models import MAILING_MOVES, Mailing, MailingStatus, User, UserQuerySet
from accounts.selectors import default_user_type
from opscom.core import audit
from opscom.core.errors import Allowed, Decision, NotAllowed, Refused, Stale
from opscom.core.transitions import advance
from opscom.messaging import preferences
from opscom.messaging.models import Lane, Message, OptOut
from opscom.messaging.services import queue_email
from opscom.provider.selectors import local_date

ENGLISH = "en"
CHUNK = 200
S = MailingStatus


def list_receivers(mailing: Mailing) -> UserQuerySet:
    """Return who gets the mailing as things are now: living people with a proved address who have not refused it."""
    people = User.objects.proved().filter(is_active=True, merged_into__isnull=True)
    types = [kind.pk for kind in mailing.user_types.all()]
    if types:
        people = people.filter(_has_type(types))
    if preferences.can_be_switched_off(mailing.category.code):
        refused = OptOut.objects.filter(address=OuterRef("email"), category=mailing.category_id)
        people = people.exclude(Exists(refused))
    return people


def _has_type(types: list[int]) -> Q:
    """Match the type that people have today; whoever has none today has the default one."""
    today = local_date()
    begun = Q(user_type_from__isnull=True) | Q(user_type_from__lte=today)
    lasts = Q(user_type_until__isnull=True) | Q(user_type_until__gt=today)
    wanted = Q(user_type__in=types) & begun & lasts
    default = default_user_type()
    if default is None or default.pk not in types:
        return wanted
    return wanted | Q(user_type__isnull=True) | ~(begun & lasts)


def count_receivers(mailing: Mailing) -> int:
    """Return how many would get the mailing if it were sent now."""
    return list_receivers(mailing).count()


def needs_confirmation(mailing: Mailing) -> bool:
    """Say whether people cannot refuse this mailing although it is none that they must get."""
    return not preferences.are_on() and mailing.category.code != preferences.IMPORTANT


def can_start(mailing: Mailing, *, is_confirmed: bool) -> Decision:
    """Say whether the mailing may begin as it stands."""
    if mailing.status != S.DRAFT:
        return Refused("not_draft", _("This mailing was sent or cancelled already."))
    if not _is_written(mailing, ENGLISH):
        return Refused("empty", _("Please write subject and text in English: who reads no other language gets these."))
    return _can_go_out(mailing, is_confirmed)


def _can_go_out(mailing: Mailing, is_confirmed: bool) -> Decision:
    if needs_confirmation(mailing) and not is_confirmed:
        return Refused(
            "unconfirmed",
            _("People cannot choose their e-mails now: only important mailings go out without your confirmation."),
        )
    return Allowed()


def make_mark(mailing: Mailing) -> str:
    """Return a mark of what the mailing says and to whom: it changes when the mailing does."""
    types = sorted(kind.pk for kind in mailing.user_types.all())
    said = [dict(mailing.subject), dict(mailing.text), mailing.category_id, types]
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:32]


@transaction.atomic
def start_mailing(*, mailing: Mailing, actor: User, is_confirmed: bool = False, mark: str = "") -> None:
    """Let the workers send it. `mark` is what the actor saw (`make_mark`); `is_confirmed`, that it may go out although
    people cannot refuse it. Raises NotAllowed as `can_start` says, Stale when it is no longer what the actor saw.
    """
    mailing = Mailing.objects.select_related("category").get(pk=mailing.pk)
    can_start(mailing, is_confirmed=is_confirmed).or_raise()
    is_confirmed = is_confirmed and needs_confirmation(mailing)
    # From here on the row is ours; what was written a moment ago is read anew and asked again.
    advance(mailing, S.SENDING, table=MAILING_MOVES, started_at=timezone.now(), is_confirmed=is_confirmed)
    mailing = Mailing.objects.select_related("category").get(pk=mailing.pk)
    if (mark and mark != make_mark(mailing)) or not _is_written(mailing, ENGLISH):
        raise Stale(_("This mailing changed while you were looking at it. Please read it again."))
    _can_go_out(mailing, is_confirmed).or_raise()
    audit.record(
        "mailing.started", mailing, actor=actor, category=mailing.category.code, confirmed=mailing.is_confirmed
    )


@transaction.atomic
def cancel_mailing(*, mailing: Mailing, actor: User) -> None:
    """Write to nobody more; who has their mail in the outbox gets it. Raises IllegalMove when it is over, or Stale."""
    mailing = Mailing.objects.get(pk=mailing.pk)
    # Waits for a chunk that is being written, and is Stale when that was the last one.
    advance(mailing, S.CANCELLED, table=MAILING_MOVES, finished_at=timezone.now())
    mailing.refresh_from_db()
    audit.record("mailing.cancelled", mailing, actor=actor, receivers=mailing.receivers)


@transaction.atomic
def send_preview(*, mailing: Mailing, actor: User) -> list[str]:
    """Send it to the actor in each language that it is written in, whatever they have refused; returns the languages.

    Raises NotAllowed when there is nothing to send, or nowhere to send it.
    """
    languages = [code for code in mailing.text if _is_written(mailing, code)]
    if not languages:
        raise NotAllowed(_("This mailing has no subject and text in the same language yet."))
    if not actor.email:
        raise NotAllowed(_("Your account has no e-mail address."))
    for code in languages:
        with translation.override(code):
            subject = _("Preview: %(subject)s") % {"subject": mailing.subject[code]}
        queue_email(
            template="accounts/mailing", to=actor.email, language=code, lane=Lane.URGENT,
            dedupe_key=f"mailing-preview:{mailing.code}:{uuid.uuid4().hex}",
            context={**_context(mailing, code), "mail_subject": subject},
        )  # fmt: skip
    audit.record("mailing.preview_sent", mailing, actor=actor, languages=languages)
    return languages


@transaction.atomic
def continue_mailing(mailing_id: int) -> bool:
    """Put the mail of the next people into the outbox; False when there is nothing to do, or another worker does it.

    Cursor and mails are written together: a worker that dies has written neither. A mailing that nobody has confirmed
    waits while people cannot choose their e-mails.
    """
    rows = Mailing.objects.filter(pk=mailing_id, status=S.SENDING).select_related("category")
    mailing = rows.select_for_update(no_key=True, skip_locked=True, of=("self",)).first()
    if mailing is None or not _can_go_out(mailing, mailing.is_confirmed).is_allowed:
        return False
    people = list(list_receivers(mailing).filter(pk__gt=mailing.last_person_id).order_by("pk")[:CHUNK])
    if not people:
        advance(mailing, S.SENT, table=MAILING_MOVES, finished_at=timezone.now())
        audit.record("mailing.sent", mailing, receivers=mailing.receivers)
        return False
    count = _write_to(mailing, people)
    advance(mailing, S.SENDING, table=MAILING_MOVES, last_person_id=people[-1].pk, receivers=mailing.receivers + count)
    return True


def _write_to(mailing: Mailing, people: list[User]) -> int:
    """Queue a mail for each address that has none of this mailing; returns how many."""
    # An address may have gone from one person to another meanwhile: by a merge, or a change of e-mail.
    addresses = [person.email for person in people]
    have = Message.objects.filter(to__in=addresses, dedupe_key__startswith=f"mailing:{mailing.code}:")
    done = set(have.values_list("to", flat=True))
    todo = [person for person in people if person.email not in done]
    for person in todo:
        code = person.language if _is_written(mailing, person.language) else ENGLISH
        queue_email(
            template="accounts/mailing", to=person.email or "", language=code, lane=Lane.BULK,
            category=mailing.category.code, dedupe_key=f"mailing:{mailing.code}:{person.pk}",
            context=_context(mailing, code),
        )  # fmt: skip
    return len(todo)


def _is_written(mailing: Mailing, code: str) -> bool:
    return bool(mailing.subject.get(code, "").strip() and mailing.text.get(code, "").strip())


def _context(mailing: Mailing, code: str) -> dict[str, Any]:
    """Return what the template is filled with: the subject, and the text cut where lines are left empty."""
    paragraphs = [part.strip() for part in mailing.text[code].replace("\r\n", "\n").split("\n\n")]
    return {
        "mail_subject": " ".join(mailing.subject[code].split()),
        "paragraphs": [part for part in paragraphs if part],
    }


def continue_mailings(seconds: float = 20.0) -> int:
    """Continue each mailing that is being sent, for so many seconds at the most; returns how many chunks were written."""
    until, chunks = timezone.now().timestamp() + seconds, 0
    for pk in Mailing.objects.filter(status=S.SENDING).order_by("started_at", "pk").values_list("pk", flat=True):
        while timezone.now().timestamp() < until and continue_mailing(pk):
            chunks += 1
    return chunks
