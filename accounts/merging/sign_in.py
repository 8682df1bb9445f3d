"""How the merged record signed in: nothing of it works any more, and no secret of it opens the record that stays."""

from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount
from django.db.models import F
from django.utils.translation import gettext as _
from django_otp.plugins.otp_email.models import EmailDevice
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts.models import LoginSource, User
from accounts.person_parts import MergePlan
from accounts.sessions.services import end_sessions

DEVICES = (EmailDevice, StaticDevice, TOTPDevice)


def plan_sign_in(*, keeper: User, loser: User) -> MergePlan:
    """Return what ends, and what of single sign-on goes over: an identity is no secret, and else would make a third record."""
    conflicts, obstacles = [], []
    if loser.has_usable_password():
        conflicts.append(
            _("The password and the links of the record that goes end; those of the one that stays go on.")
        )
    if loser.mfa_method or any(device.objects.filter(user=loser).exists() for device in DEVICES):
        conflicts.append(
            _("The one-time passwords of the record that goes end; nothing changes in the one that stays.")
        )
    if loser.login_source == LoginSource.SSO and keeper.login_source != LoginSource.SSO:
        obstacles.append(
            _("%(person)s signs in by single sign-on: that record must be the one that stays.") % {"person": loser}
        )
    identities = SocialAccount.objects.filter(user=loser).count()
    return MergePlan([(_("Identities of single sign-on"), identities)], conflicts, obstacles)


def merge_sign_in(*, keeper: User, loser: User) -> None:
    """End sessions, devices and addresses of the record that goes; its identities open the one that stays."""
    end_sessions(person=loser)
    for device in DEVICES:
        device.objects.filter(user=loser).delete()
    EmailAddress.objects.filter(user=loser).delete()
    SocialAccount.objects.filter(user=loser).update(user=keeper)
    User.objects.filter(pk=loser.pk).update(mfa_method="", mfa_epoch=F("mfa_epoch") + 1)
