"""People and all that is kept about them, one file for each noun."""

from accounts.models.addresses import MailingAddress
from accounts.models.companies import Company, CompanyManager
from accounts.models.devices import AppDevice
from accounts.models.documents import (
    REQUEST_MOVES,
    AccountDocument,
    DocumentRequest,
    DocumentRequestQuerySet,
    RequestStatus,
)
from accounts.models.holds import AccountHold
from accounts.models.mailings import MAILING_MOVES, Mailing, MailingStatus
from accounts.models.people import LoginSource, MfaMethod, User, UserQuerySet, UserType, UserTypeDomain
from accounts.models.profile import FieldGroup, FieldKind, FieldState, ProfileAnswer, ProfileField
from accounts.models.single_sign_on import AttributeRule, IdentityProvider, Protocol, UserTypeRule

__all__ = [
    "MAILING_MOVES",
    "REQUEST_MOVES",
    "AccountDocument",
    "AccountHold",
    "AppDevice",
    "AttributeRule",
    "Company",
    "CompanyManager",
    "DocumentRequest",
    "DocumentRequestQuerySet",
    "FieldGroup",
    "FieldKind",
    "FieldState",
    "IdentityProvider",
    "LoginSource",
    "Mailing",
    "MailingAddress",
    "MailingStatus",
    "MfaMethod",
    "ProfileAnswer",
    "ProfileField",
    "Protocol",
    "RequestStatus",
    "User",
    "UserQuerySet",
    "UserType",
    "UserTypeDomain",
    "UserTypeRule",
]
