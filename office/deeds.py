"""Audit actions in words, for the log and for each record's history."""

from typing import Any

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist
from django.utils.translation import gettext_lazy as _

from opscom.core.models import AuditEntry

DEEDS = {
    "acting.began": _("Entered the account to act for its owner"),
    "acting.ended": _("Left the account again"),
    "accountcode.added": _("Account code added"),
    "accountcode.changed": _("Account code changed"),
    "accountcode.deleted": _("Account code deleted"),
    "cardsave.begun": _("Began to store a card"),
    "cardsave.declined": _("Card not stored: declined"),
    "cardsave.expired": _("Card not stored in time"),
    "cardsave.failed": _("Card not stored: the page did not open"),
    "books.exported": _("Journal exported"),
    "books.differ": _("The books differ"),
    "company.added": _("Company added"),
    "company.changed": _("Company changed"),
    "company.manager_added": _("Company manager added"),
    "company.manager_removed": _("Company manager removed"),
    "adjustment.made": _("Price adjusted"),
    "debt.cancelled": _("Debt cancelled"),
    "debt.paid": _("Debt paid"),
    "debt.stands": _("Owed again"),
    "debt.written_off": _("Debt written off"),
    "deposit.asked": _("Deposit asked"),
    "deposit.cancelled": _("Deposit cancelled"),
    "deposit.decided": _("Deposit returned or kept"),
    "deposit.held": _("Deposit paid"),
    "deposit.undone": _("Deposit undone: its money did not come"),
    "disclaimer.agreed": _("Agreed to a disclaimer"),
    "disclaimer.changed": _("Disclaimer changed"),
    "dispute.lost": _("Dispute lost"),
    "dispute.opened": _("Payment disputed"),
    "dispute.won": _("Dispute won"),
    "document.opened": _("Document opened"),
    "document.removed": _("Document removed"),
    "document.uploaded": _("Document uploaded"),
    "document_request.approved": _("Document approved"),
    "document_request.asked": _("Document asked for"),
    "document_request.declined": _("Document declined"),
    "document_request.sent": _("Document sent to the office"),
    "document_request.withdrawn": _("Document no longer needed"),
    "hold.changed": _("Hold on the account changed"),
    "hold.lifted": _("Hold on the account lifted"),
    "hold.placed": _("Hold placed on the account"),
    "email_category.switched_off": _("E-mails of a category switched off"),
    "email_category.switched_on": _("E-mails of a category switched on"),
    "emailcategory.added": _("E-mail category added"),
    "emailcategory.changed": _("E-mail category changed"),
    "emailcategory.deleted": _("E-mail category deleted"),
    "holiday.added": _("Holiday added"),
    "holiday.changed": _("Holiday changed"),
    "holiday.deleted": _("Holiday deleted"),
    "identityprovider.added": _("Identity provider added"),
    "identityprovider.changed": _("Identity provider changed"),
    "identityprovider.deleted": _("Identity provider deleted"),
    "lot.added": _("Lot added"),
    "lot.changed": _("Lot changed"),
    "lot.deleted": _("Lot deleted"),
    "mailing.added": _("Mailing written"),
    "mailing.cancelled": _("Mailing cancelled"),
    "mailing.changed": _("Mailing changed"),
    "mailing.preview_sent": _("Preview of a mailing sent"),
    "mailing.sent": _("Mailing sent to everybody"),
    "mailing.started": _("Sending of a mailing begun"),
    "message.cancelled": _("Message cancelled"),
    "message.sent_again": _("Message sent again"),
    "order.placed": _("Order placed"),
    "order_line.needs_review": _("Delivery needs the office"),
    "order_line.refused": _("Could not be delivered"),
    "paymentmethod.added": _("Payment method added"),
    "paymentmethod.changed": _("Payment method changed"),
    "paymentmethod.deleted": _("Payment method deleted"),
    "payment.approved": _("Payment approved"),
    "payment.reversed": _("Payment reversed"),
    "payment.needs_review": _("Payment needs the office"),
    "permit.activated": _("Permit activated"),
    "permit.cancelled": _("Permit cancelled"),
    "permit.ended": _("Permit ended"),
    "permit.given_back": _("Permit given back"),
    "permit.hold_extended": _("Hold extended"),
    "permit.lapsed": _("Not paid in time"),
    "permit.plate_changed": _("Plate on the permit changed"),
    "permit.paid": _("Promised money for the permit is in"),
    "permit.print_allowed": _("Another print allowed"),
    "permit.printed": _("Permit printed"),
    "permit.reserved": _("Permit reserved"),
    "permit.revoked": _("Permit revoked"),
    "permittype.added": _("Permit type added"),
    "permittype.changed": _("Permit type changed"),
    "permittype.deleted": _("Permit type deleted"),
    "person.changed": _("Person changed"),
    "person.email_change_asked": _("Change of e-mail asked for"),
    "person.email_changed": _("E-mail changed"),
    "person.email_proved": _("E-mail proved"),
    "person.entered": _("Person entered"),
    "person.made_manager": _("Made manager of a company"),
    "person.mfa_disabled": _("Multi-factor authentication disabled"),
    "person.mfa_enabled": _("Multi-factor authentication enabled"),
    "person.mfa_reset": _("Authenticator app and recovery codes removed"),
    "person.merged": _("Records put together"),
    "person.merged_away": _("Merged into another record"),
    "person.no_longer_manager": _("Manages a company no longer"),
    "person.password_changed": _("Password changed"),
    "person.password_link_sent": _("Password link sent"),
    "person.password_set": _("Password set"),
    "person.profile_changed": _("Profile changed"),
    "person.recovery_code_used": _("Recovery code used"),
    "person.recovery_codes_made": _("Recovery codes made"),
    "person.registered": _("Registered"),
    "person.roles_changed": _("Roles changed"),
    "person.sessions_ended": _("Sessions ended"),
    "person.signed_in": _("Signed in by single sign-on"),
    "person.sso_entered": _("Came by single sign-on for the first time"),
    "person.sso_joined": _("Joined with a single sign-on"),
    "person.sso_left": _("Signs in by e-mail and password again"),
    "person.sso_refreshed": _("Profile filled by the identity provider"),
    "person.user_type_given": _("User type given"),
    "platetype.added": _("Plate type added"),
    "platetype.changed": _("Plate type changed"),
    "platetype.deleted": _("Plate type deleted"),
    "profilefield.added": _("Profile field added"),
    "profilefield.changed": _("Profile field changed"),
    "profilefield.deleted": _("Profile field deleted"),
    "promise.bounced": _("Cheque bounced"),
    "promise.cancelled": _("Promise to pay cancelled"),
    "promise.lapsed": _("Promised money did not come"),
    "promise.made": _("Money promised"),
    "promise.paid_otherwise": _("Promised money paid in another way"),
    "promise.received": _("Promised money received"),
    "provider.changed": _("Provider's settings changed"),
    "refund.approved": _("Refund approved by a second person"),
    "refund.failed": _("Refund failed"),
    "refund.handed_back": _("Refund given by hand"),
    "refund.owed": _("Refund begun"),
    "refund.retried": _("Refund tried again"),
    "refund.succeeded": _("Refunded"),
    "refund.withdrawn": _("Refund not approved"),
    "storedmethod.forgotten": _("Stored card removed at its gateway"),
    "storedmethod.removed": _("Stored payment method removed"),
    "storedmethod.set_up": _("Payroll deduction or transfer set up"),
    "storedmethod.stored": _("Card stored"),
    "storedmethod.use_chosen": _("Chosen to pay for something"),
    "storedmethod.use_ended": _("Stopped paying for something"),
    "role.changed": _("Role changed"),
    "sale.added": _("Sale added"),
    "sale.changed": _("Sale changed"),
    "sale.deleted": _("Sale deleted"),
    "sale.numbers_allotted": _("Numbers allotted"),
    "slot.retired": _("Number taken out of use"),
    "statement.issued": _("Statement issued"),
    "statement.paid": _("Statement marked as paid"),
    "taxrate.added": _("Tax added"),
    "taxrate.changed": _("Tax changed"),
    "taxrate.deleted": _("Tax deleted"),
    "taxexemption.added": _("Tax exemption added"),
    "taxexemption.changed": _("Tax exemption changed"),
    "taxexemption.deleted": _("Tax exemption deleted"),
    "term.added": _("Term added"),
    "term.changed": _("Term changed"),
    "term.deleted": _("Term deleted"),
    "usertype.added": _("User type added"),
    "usertype.changed": _("User type changed"),
    "usertype.deleted": _("User type deleted"),
    "vehicle.activated": _("Vehicle switched to active"),
    "vehicle.added": _("Vehicle added"),
    "vehicle.changed": _("Vehicle changed"),
    "vehicle.deactivated": _("Vehicle switched to inactive"),
    "vehicle.plate_changed": _("Plate of a vehicle changed"),
    "vehicle.removed": _("Vehicle removed"),
}


def describe_deed(action: str) -> str:
    """Return the action in words; one without words stands as it is written."""
    return str(DEEDS.get(action, action))


def describe_facts(entry: AuditEntry) -> list[tuple[str, str]]:
    """Return what the log holds beside the deed, empty values left out; fields go by the names that pages give them."""
    return [
        (name, _write(name, value, entry)) for name, value in entry.facts.items() if value not in ("", None, [], {})
    ]


def _write(name: str, value: Any, entry: AuditEntry) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {each}" for key, each in value.items())
    if isinstance(value, list):
        return ", ".join(_field_label(str(each), entry) if name == "fields" else str(each) for each in value)
    return str(value)


def _field_label(name: str, entry: AuditEntry) -> str:
    """Return the field's label; what is no field of the record, or of a kind that is gone, stands as it is written."""
    try:
        field: Any = apps.get_model(entry.object_kind)._meta.get_field(name)
    except (LookupError, FieldDoesNotExist):
        return name
    return str(getattr(field, "verbose_name", name))
