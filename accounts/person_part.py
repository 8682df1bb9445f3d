"""What `accounts` itself tells of a person: the record, documents, holds, agreements, and who acted for them."""

from collections.abc import Sequence

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.merging.belongings import merge_belongings, plan_belongings
from accounts.merging.sign_in import merge_sign_in, plan_sign_in
from accounts.models import AccountDocument, AccountHold, DocumentRequest, User
from accounts.person_parts import Feed, Happening, HistoryKind, MergePlan, PersonPart, deeds_to, describe_entries
from opscom.core.deeds import describe_deed
from opscom.core.models import AuditEntry
from opscom.provider.models import Agreement

ACCOUNT = HistoryKind("account", gettext_lazy("Account"), "user-round")
DOCUMENTS = HistoryKind("documents", gettext_lazy("Documents"), "file-text")
ACTING = HistoryKind("acting", gettext_lazy("Who acted for me"), "users-round")


class AccountsPart(PersonPart):
    """The lowest part: who somebody is."""

    name = "accounts"
    moves = frozenset(
        {
            "accounts.AccountDocument.person",
            "accounts.DocumentRequest.person",
            "accounts.AccountHold.person",
            "accounts.CompanyManager.person",
            "accounts.User.merged_into",
            "account.EmailAddress.user",
            "socialaccount.SocialAccount.user",
            "otp_email.EmailDevice.user",
            "otp_static.StaticDevice.user",
            "otp_totp.TOTPDevice.user",
        }
    )
    settles = frozenset(
        {
            "provider.Agreement.user",
            "accounts.MailingAddress.person",
            "accounts.ProfileAnswer.person",
            "usersessions.UserSession.user",
        }
    )

    def feeds(self, person: User, ids: Sequence[int]) -> list[Feed]:
        """Deeds to the record itself and to what hangs on it; last, everything that somebody did for the person."""
        records = User.objects.filter(pk__in=ids)
        holds = AccountHold.objects.filter(person=person)
        documents = AccountDocument.objects.filter(person=person)
        requests = DocumentRequest.objects.filter(person=person)
        agreements = Agreement.objects.filter(user__in=ids)
        for_me = AuditEntry.objects.filter(on_behalf_of__in=ids, actor__isnull=False).exclude(actor__in=ids)
        # Left out: what the feed of who acted tells, and the other record's side of a merge, which says the same twice.
        about_me = deeds_to(records).exclude(action__startswith="acting.").exclude(action="person.merged_away")
        return [
            Feed(ACCOUNT, about_me, "at", describe_account),
            Feed(ACCOUNT, deeds_to(holds), "at", describe_entries),
            Feed(ACCOUNT, agreements, "agreed_at", describe_agreements),
            Feed(DOCUMENTS, deeds_to(documents), "at", describe_entries),
            Feed(DOCUMENTS, deeds_to(requests), "at", describe_entries),
            Feed(ACTING, for_me.select_related("actor"), "at", describe_acting),
        ]

    def plan_merge(self, *, keeper: User, loser: User) -> MergePlan:
        """What hangs on the record, and how it signed in."""
        things, doors = plan_belongings(keeper=keeper, loser=loser), plan_sign_in(keeper=keeper, loser=loser)
        return MergePlan([*things.moves, *doors.moves], [*things.conflicts, *doors.conflicts], doors.obstacles)

    def merge(self, *, keeper: User, loser: User, actor: User) -> None:
        """Move what hangs on the record, and end how it signed in."""
        merge_belongings(keeper=keeper, loser=loser)
        merge_sign_in(keeper=keeper, loser=loser)


def describe_account(entries: Sequence[AuditEntry]) -> list[Happening]:
    """Return each deed alone: that it was done to the person's own record need not be said."""
    return [Happening(what=describe_deed(entry.action)) for entry in entries]


def describe_acting(entries: Sequence[AuditEntry]) -> list[Happening]:
    """Return each deed with its record, unless that is the person."""
    person = User._meta.label_lower
    return [
        Happening(describe_deed(entry.action), "" if entry.object_kind == person else entry.object_label)
        for entry in entries
    ]


def describe_agreements(agreements: Sequence[Agreement]) -> list[Happening]:
    """Return which disclaimer was agreed to."""
    return [Happening(_("Agreed to a disclaimer"), str(one.get_kind_display())) for one in agreements]
