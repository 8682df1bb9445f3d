"""Who manages which company."""

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.acting.selectors import forget_managers
from accounts.models import Company, CompanyManager, User
from accounts.services.people import lock_person
from opscom.core import audit
from opscom.core.errors import NotAllowed
from opscom.core.hooks import after_commit


@transaction.atomic
def add_manager(*, company: Company, person: User, actor: User) -> CompanyManager:
    """Let this person act for the company's people; raises NotAllowed for somebody who may not sign in.

    Locks the person: whoever is just being let into their account waits, and is refused then, because a manager's
    account opens to nobody.
    """
    person = lock_person(person)
    if not person.is_active:
        raise NotAllowed(_("%(person)s may not sign in.") % {"person": person})
    grant, is_new = CompanyManager.objects.get_or_create(company=company, person=person)
    if is_new:
        audit.record("company.manager_added", company, actor=actor, person=str(person), code=person.code)
        audit.record("person.made_manager", person, actor=actor, company=company.name)
        after_commit(forget_managers)
    return grant


@transaction.atomic
def remove_manager(*, grant: CompanyManager, actor: User) -> None:
    """Take the company from this manager; who acts by it at this moment is put back at the next request."""
    company, person = grant.company, lock_person(grant.person)
    grant.delete()
    audit.record("company.manager_removed", company, actor=actor, person=str(person), code=person.code)
    audit.record("person.no_longer_manager", person, actor=actor, company=company.name)
    after_commit(forget_managers)
