"""Into another person's account and back, by django-hijack: each time a new session, with nothing of the one before.

Our rules stand in place of hijack's own questions, and nothing but these two functions calls its views. Like
`accounts.sign_in` this is about sessions, so it takes requests.
"""

import time
from typing import Any, cast

from django.contrib.auth import logout
from django.db import transaction
from django.http import HttpRequest
from django.middleware.csrf import rotate_token
from django.utils.translation import gettext as _
from hijack.views import AcquireUserView, ReleaseUserView

from accounts.acting import state
from accounts.acting.rules import can_act_as_manager, can_act_as_office
from accounts.acting.state import Acting
from accounts.emails import acting as emails
from accounts.mfa import state as mfa
from accounts.models import User
from accounts.sessions.services import follow_key
from opscom.core import audit
from opscom.core.errors import Stale
from opscom.core.locks import lock_rows


class Into(AcquireUserView):
    """hijack's way in, to the person whom our rules have let through."""

    person: User | None = None

    def get_object(self, queryset: Any = None) -> Any:
        return self.person


@transaction.atomic
def start(request: HttpRequest, *, person: User, is_office: bool = False, reason: str = "", back: str = "") -> None:
    """Put the person who is signed in here into this person's account; raises NotAllowed with the rule, or Stale.

    `reason` is the office's, and kept; `back` is the path to which the way back leads. Both rows are locked first, so
    that a right that is withdrawn at this moment is either seen here or ends the acting at the next request.
    """
    session = request.session
    actor, person = lock_both(cast(User, request.user).pk, person.pk)
    digest = state.digest_in(session)
    if state.read(session) or not is_alive(request) or not state.is_digest_of(digest, actor):
        raise Stale(_("This page is out of date. Please reload it."))
    (can_act_as_office if is_office else can_act_as_manager)(actor, person).or_raise()
    company = None if is_office else person.company
    acting = Acting(
        by=actor.pk,
        person=person.pk,
        digest=digest,
        since=time.time(),
        company=company.pk if company else None,
        back=back,
    )
    switch(request, Into(person=person))
    state.write(request.session, acting)
    facts = {"company": str(company or ""), "reason": reason}
    audit.record("acting.began", person, actor=actor, on_behalf_of=person, **facts)
    emails.acting_began(person, actor=actor, company=str(company or ""))


@transaction.atomic
def stop(request: HttpRequest, *, because: str) -> Acting | None:
    """Put who acts back into their own account, and return what it was; None: their own sign-in is over, and so is all.

    `because` (button, time, rights, changed) is kept. Raises Stale when another request has ended it already.
    """
    acting = state.read(request.session)
    if acting is None:
        raise Stale(_("You are back in your own account already."))
    actor, person = lock_both(acting.by, acting.person)
    if not is_alive(request):
        raise Stale(_("You are back in your own account already."))
    record_end(acting, actor=actor, person=person, because=because)
    request.acting_person = None  # type: ignore[attr-defined]
    if not actor.is_active or not state.is_digest_of(acting.digest, actor):
        logout(request)
        return None
    switch(request, ReleaseUserView())
    return acting


def switch(request: HttpRequest, view: AcquireUserView | ReleaseUserView) -> None:
    """Let hijack put the other person into a new session. Who sits there stays listed, and need not show a code again."""
    old_key, shown = request.session.session_key, mfa.carry(request.session)
    request.is_switching = True  # type: ignore[attr-defined] # no sign-in: see accounts/apps.py
    view.setup(request)
    view.post(request)
    # Again: the new token went out with hijack's own answer, which nobody gets. A form that stands open in one account
    # must not be taken in the other.
    rotate_token(request)
    mfa.restore(request.session, shown)
    request.session.save()
    follow_key(request.session, old_key)


def record_end(acting: Acting, *, actor: User, person: User, because: str) -> None:
    """Write down that it is over, and after how many minutes."""
    minutes = round((time.time() - acting.since) / 60)
    audit.record("acting.ended", person, actor=actor, on_behalf_of=person, because=because, minutes=minutes)


def lock_both(first: int, second: int) -> tuple[User, User]:
    """Lock two people's rows in the one order, and return them as the database has them now."""
    rows = {row.pk: row for row in lock_rows(User.objects.filter(pk__in=[first, second]), "person")}
    if not {first, second} <= rows.keys():
        raise Stale(_("This page is out of date. Please reload it."))
    return rows[first], rows[second]


def is_alive(request: HttpRequest) -> bool:
    """Say whether no other request has ended this session meanwhile."""
    key = request.session.session_key
    return key is not None and request.session.exists(key)
