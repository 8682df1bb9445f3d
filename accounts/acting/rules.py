"""Who may be let into whose account. Asked before the switch and, because rights are withdrawn, at every request after it."""

from django.utils.translation import gettext as _

from accounts.models import Company, User, UserQuerySet
from accounts.selectors import require_proved
from opscom.core.errors import Allowed, Decision, Refused

ACT_AS_USER = "accounts.act_as_user"


def people_of_manager(manager: User) -> UserQuerySet:
    """Return the living people of the companies that this person manages."""
    companies = Company.objects.managed_by(manager)
    return User.objects.filter(company__in=companies, is_active=True, merged_into__isnull=True)


def can_manage(manager: User) -> Decision:
    """Say whether this person may act for anybody's people at all."""
    if not manager.is_active or not Company.objects.managed_by(manager).exists():
        return Refused("no-company", _("You do not manage a company."))
    return require_proved(manager, "acting")


def can_act_as_manager(manager: User, person: User) -> Decision:
    """Say whether a company's manager may act for this person; for themselves they may not, being a manager."""
    decision = can_manage(manager)
    if not decision.is_allowed:
        return decision
    if not people_of_manager(manager).filter(pk=person.pk).exists():
        return Refused("not-in-company", _("%(person)s is not in your company.") % {"person": person})
    if not User.objects.open_to_managers().filter(pk=person.pk).exists():
        return Refused("not-open", _("Managers and people of the parking office act for themselves only."))
    return Allowed()


def can_act_as_office(clerk: User, person: User) -> Decision:
    """Say whether somebody of the office may log in as this person: nobody's of the office, so not their own."""
    if not (clerk.is_active and clerk.is_staff and clerk.has_perm(ACT_AS_USER)):
        return Refused("no-right", _("You may not log in as other people."))
    if not User.objects.outside_office().filter(pk=person.pk).exists():
        return Refused("not-open", _("One cannot log in as people of the office, nor as somebody who may not sign in."))
    return Allowed()
