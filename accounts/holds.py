"""Whether somebody may buy anything new, and what stands in the way. All that sells asks `can_buy`."""

import datetime as dt

from django.utils.translation import gettext as _

from accounts.models import AccountHold, User
from opscom.core.errors import Allowed, Decision, Refused
from opscom.core.money import format_money
from opscom.provider.selectors import get_provider
from opscom.provider.templatetags.portal import local_datetime

ON_HOLD = "account-on-hold"


def running_holds(person: User, at: dt.datetime) -> list[AccountHold]:
    """Return the holds on the account that run at that instant, the oldest first."""
    return list(AccountHold.objects.filter(person=person).running(at).order_by("starts_at", "pk"))


def can_buy(person: User, at: dt.datetime) -> Decision:
    """Say whether the person may buy something new at that instant; one query.

    Whatever gives somebody a new permit, locker, place in a line or parking session asks this, after it has locked the
    person (`lock_person`): then a hold that is placed at the same moment either stops it or comes after it.

    Never asked, because a hold must not keep anybody from setting things right: paying for what is reserved or owed,
    tickets and boots first of all, and appealing.
    """
    holds = running_holds(person, at)
    if not holds:
        return Allowed()
    ends = [hold.ends_at for hold in holds if hold.ends_at]
    until = max(ends) if len(ends) == len(holds) else None
    words = [_("Your account is on hold: for now you can buy nothing new."), *map(explain_hold, holds)]
    return Refused(ON_HOLD, " ".join([*words, whom_to_ask()]), until)


def explain_hold(hold: AccountHold) -> str:
    """Return why the account is on hold, what to pay, and until when it is."""
    words = [_("The reason: %(reason)s.") % {"reason": hold.reason.strip().rstrip(".")}]
    if hold.amount is not None:
        words.append(_("To pay: %(amount)s.") % {"amount": format_money(hold.amount)})
    if hold.ends_at:
        words.append(_("Until %(moment)s, or until the office lifts it.") % {"moment": local_datetime(hold.ends_at)})
    return " ".join(words)


def whom_to_ask() -> str:
    """Return the provider's contact as a sentence."""
    provider = get_provider()
    contact = ", ".join(filter(None, [provider.name, provider.phone, provider.email]))
    return _("Please contact %(contact)s.") % {"contact": contact}
