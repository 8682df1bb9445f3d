"""What hangs on a person in `accounts` and below: documents, holds, answers, grants, agreements, opt-outs."""

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from accounts.models import (
    AccountDocument,
    AccountHold,
    CompanyManager,
    DocumentRequest,
    MailingAddress,
    ProfileAnswer,
    User,
)
from accounts.person_parts import MergePlan
from opscom.messaging.models import OptOut
from opscom.provider.models import Agreement


def plan_belongings(*, keeper: User, loser: User) -> MergePlan:
    """Return what moves, and what the record that stays has already."""
    answers, letters = new_answers(keeper, loser), new_letters(keeper, loser)
    moves: list[tuple[Any, int]] = [
        (_("Documents"), AccountDocument.objects.filter(person=loser).count()),
        (_("Document requests"), DocumentRequest.objects.filter(person=loser).count()),
        (_("Holds on the account"), AccountHold.objects.filter(person=loser).count()),
        (_("Companies managed"), new_grants(keeper, loser).count()),
        (_("Answers in the profile"), answers.count()),
        (_("Mailing addresses"), letters.count()),
        (_("Agreements to disclaimers"), new_agreements(keeper, loser).count()),
        (_("E-mail opt-outs"), len(new_opt_outs(keeper, loser))),
        (_("Records merged into it earlier"), loser.merged.count()),
    ]
    conflicts = [
        _("%(field)s: the answer “%(kept)s” stays, “%(lost)s” is not taken over.")
        % {"field": lost.field, "kept": kept.value, "lost": lost.value}
        for kept, lost in clashing_answers(keeper, loser)
    ]
    lost_letters = MailingAddress.objects.filter(person=loser).exclude(pk__in=letters.values("pk")).first()
    if lost_letters:
        conflicts.append(
            _("Mailing address: “%(kept)s” stays, “%(lost)s” is not taken over.")
            % {"kept": keeper.mailing_address, "lost": lost_letters}
        )
    return MergePlan(moves, conflicts)


def merge_belongings(*, keeper: User, loser: User) -> None:
    """Move them; what the record that stays has already remains with the merged one, as it was."""
    AccountDocument.objects.filter(person=loser).update(person=keeper)
    DocumentRequest.objects.filter(person=loser).update(person=keeper)
    AccountHold.objects.filter(person=loser).update(person=keeper)
    new_grants(keeper, loser).update(person=keeper)
    # A grant is a power: none is left with a record that nobody answers for.
    CompanyManager.objects.filter(person=loser).delete()
    new_answers(keeper, loser).update(person=keeper)
    new_letters(keeper, loser).update(person=keeper)
    new_agreements(keeper, loser).update(user=keeper)
    for category in new_opt_outs(keeper, loser):
        OptOut.objects.get_or_create(address=keeper.contact_email, category_id=category)
    loser.merged.update(merged_into=keeper)


def new_grants(keeper: User, loser: User) -> QuerySet[CompanyManager]:
    """Return the loser's companies that the keeper does not manage."""
    return CompanyManager.objects.filter(person=loser).exclude(company__in=keeper.managed_companies.values("company"))


def new_answers(keeper: User, loser: User) -> QuerySet[ProfileAnswer]:
    """Return the loser's answers to what the keeper has not been asked; an empty one of the keeper's stays empty."""
    return ProfileAnswer.objects.filter(person=loser).exclude(field__in=keeper.profile_answers.values("field"))


def clashing_answers(keeper: User, loser: User) -> list[tuple[ProfileAnswer, ProfileAnswer]]:
    """Return (kept, lost) where both answered, and differently."""
    kept = {answer.field_id: answer for answer in keeper.profile_answers.all()}
    lost = (
        ProfileAnswer.objects.filter(person=loser, field__in=kept).select_related("field").order_by("field__position")
    )
    return [(kept[one.field_id], one) for one in lost if one.value and one.value != kept[one.field_id].value]


def new_letters(keeper: User, loser: User) -> QuerySet[MailingAddress]:
    """Return the loser's mailing address when the keeper has none."""
    letters = MailingAddress.objects.filter(person=loser)
    return letters.none() if MailingAddress.objects.filter(person=keeper).exists() else letters


def new_agreements(keeper: User, loser: User) -> QuerySet[Agreement]:
    """Return what only the loser has agreed to."""
    mine = [(one.kind, one.version) for one in Agreement.objects.filter(user=keeper)]
    theirs = Agreement.objects.filter(user=loser)
    return theirs.filter(pk__in=[one.pk for one in theirs if (one.kind, one.version) not in mine])


def new_opt_outs(keeper: User, loser: User) -> set[int]:
    """Return the categories that only the loser wants no mail of, when mail will go to the keeper's address."""
    if not keeper.contact_email or not loser.contact_email:
        return set()
    mine = set(OptOut.objects.filter(address=keeper.contact_email).values_list("category", flat=True))
    return set(OptOut.objects.filter(address=loser.contact_email).values_list("category", flat=True)) - mine
