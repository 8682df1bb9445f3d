"""The office's roles: one table, from which the permission groups are made after every migrate.

A later app extends RIGHTS and nothing else. The six groups are the program's: the office gives them to people and
makes groups of its own beside them, but does not edit them.
"""

from collections.abc import Iterable
from typing import Any

from django.apps import apps
from django.contrib.auth.management import create_permissions
from django.contrib.auth.models import Group, Permission
from django.db.models import Q
from django.utils.translation import gettext_lazy

ADMINISTRATOR = "Administrator"
CLERK = "Clerk"
APPEALS_OFFICER = "Appeals officer"
ENFORCEMENT_OFFICER = "Enforcement officer"
CASHIER = "Cashier"
AUDITOR = "Auditor"

NAMES = {
    ADMINISTRATOR: gettext_lazy("Administrator"),
    CLERK: gettext_lazy("Clerk"),
    APPEALS_OFFICER: gettext_lazy("Appeals officer"),
    ENFORCEMENT_OFFICER: gettext_lazy("Enforcement officer"),
    CASHIER: gettext_lazy("Cashier"),
    AUDITOR: gettext_lazy("Auditor"),
}

# The machinery's own tables: sessions, migrations and content types are nobody's business.
NOT_OFFERED = {
    *("sessions", "contenttypes", "admin", "pghistory", "account", "socialaccount", "usersessions"),
    *("otp_email", "otp_static", "otp_totp"),
}
# What is written once and then only read, by every role.
READ_ONLY = {
    "core.auditentry",
    "provider.agreement",
    # Only services write money: a right to change these would promise what no page offers.
    "payments.order",
    "payments.orderline",
    "payments.payment",
    "payments.gatewayevent",
}

VIEW = ("view",)
KEEP = ("view", "add", "change")

# role -> "app.model" -> what it may do. A model that is not installed (yet) is skipped. Codenames that are no
# add/change/delete/view stand under their whole name ("accounts.assign_roles").
RIGHTS: dict[str, dict[str, tuple[str, ...]]] = {
    CLERK: {
        "accounts.user": KEEP,
        "accounts.usertype": VIEW,
        "accounts.mailingaddress": KEEP,
        "accounts.profileanswer": KEEP,
        "accounts.company": KEEP,
        "accounts.companymanager": VIEW,
        "accounts.accountdocument": VIEW,
        "accounts.documentrequest": KEEP,
        "accounts.accounthold": KEEP,
        "vehicles.vehicle": KEEP,
        "vehicles.ownership": KEEP,
        "vehicles.platetype": VIEW,
        "permits.permit": KEEP,
        "permits.permittype": VIEW,
        "permits.sale": KEEP,
        "permits.rollrun": VIEW,
        # Add: close a lot. Change: that, or call it off.
        "permits.closure": KEEP,
        # Add: allot numbers to a sale. Change: take them out of use.
        "permits.slot": KEEP,
        "permits.waitlist": VIEW,
        # Change: offer, extend, withdraw, take off, another class.
        "permits.waitlistentry": KEEP,
        "payments.ratetable": VIEW,
        "payments.rate": VIEW,
        "provider.lot": VIEW,
        "provider.term": VIEW,
        "provider.holiday": VIEW,
        "payments.order": VIEW,
        "payments.orderline": VIEW,
        "payments.payment": VIEW,
        "payments.refund": VIEW,
        # Change: the money was brought, bounced, or the promise is cancelled.
        "payments.promise": KEEP,
        "payments.debt": VIEW,
        "payments.adjustment": VIEW,
        "payments.deposit": VIEW,
        "payments.storedmethod": VIEW,
        "payments.taxexemption": VIEW,
        "payments.billingaccount": VIEW,
        "payments.statement": VIEW,
        # Change: send again.
        "messaging.message": ("view", "change"),
        "core.auditentry": VIEW,
        "violations.offence": VIEW,
        "violations.offencecategory": VIEW,
        "violations.ticket": (*KEEP, "spoil_ticket", "adjust_ticket"),
        "violations.appeal": ("view", "add"),
        "violations.association": KEEP,
        "violations.notice": KEEP,
        "violations.textblock": VIEW,
        # Change: correct a code, put out of service. Putting on, taking off and taking back are `put_on_boot`.
        "boots.boot": (*KEEP, "see_code", "put_on_boot"),
        "boots.booting": VIEW,
        "boots.dropoffplace": VIEW,
        "lockers.building": VIEW,
        "lockers.area": VIEW,
        "lockers.lockersale": VIEW,
        # Change: emptied, out of order, a new combination.
        "lockers.locker": ("view", "change", "see_combination"),
        # Change: switch, release.
        "lockers.rental": ("view", "change"),
    },
    APPEALS_OFFICER: {
        "accounts.user": VIEW,
        "vehicles.vehicle": VIEW,
        "vehicles.ownership": VIEW,
        "permits.permit": VIEW,
        "provider.lot": VIEW,
        "payments.order": VIEW,
        "payments.orderline": VIEW,
        "violations.offence": VIEW,
        "violations.offencecategory": VIEW,
        "violations.ticket": ("view", "change", "spoil_ticket", "adjust_ticket"),
        # Change: ask, and decide.
        "violations.appeal": KEEP,
        "violations.evidence": VIEW,
        "violations.association": KEEP,
        "violations.textblock": KEEP,
    },
    ENFORCEMENT_OFFICER: {
        "vehicles.vehicle": VIEW,
        "vehicles.platetype": VIEW,
        "permits.permit": VIEW,
        "provider.lot": VIEW,
        "violations.offence": VIEW,
        "violations.offencecategory": VIEW,
        "violations.ticket": ("view", "add"),
        "boots.boot": ("view", "see_code", "put_on_boot"),
        "boots.booting": VIEW,
    },
    CASHIER: {
        "accounts.user": VIEW,
        "permits.permit": VIEW,
        "payments.order": VIEW,
        "payments.orderline": VIEW,
        "payments.payment": VIEW,
        # Add: refund a line, send a payment back. Change: try a failed refund again.
        "payments.refund": KEEP,
        "payments.gatewayevent": VIEW,
        "payments.taxrate": VIEW,
        "payments.taxexemption": KEEP,
        "payments.accountcode": VIEW,
        "payments.paymentmethod": VIEW,
        "payments.promise": KEEP,
        # Add: make a line dearer. Change: write a debt off.
        "payments.debt": KEEP,
        "payments.adjustment": KEEP,
        "payments.deposit": KEEP,
        # Set up payroll deductions and transfers, store a company's card.
        "payments.storedmethod": KEEP,
        "payments.dispute": KEEP,
        "payments.billingaccount": KEEP,
        "payments.statement": KEEP,
        "payments.collectionperiod": KEEP,
        "payments.deduction": VIEW,
        "payments.booksproof": VIEW,
        "core.auditentry": VIEW,
        "violations.ticket": VIEW,
        "boots.booting": VIEW,
        # Add: send tickets to collections. Change: download the file, read its results.
        "violations.collectionexport": KEEP,
    },
}


def permissions_of(role: str) -> Iterable[Permission]:
    """Return the permissions that a role has, of those that exist in this installation."""
    offered = Permission.objects.exclude(content_type__app_label__in=NOT_OFFERED).select_related("content_type")
    if role == ADMINISTRATOR:
        return [right for right in offered if not _changes_what_is_read_only(right)]
    if role == AUDITOR:
        return [right for right in offered if right.codename.startswith("view_")]
    wanted = Q(pk__in=[])
    for model, deeds in RIGHTS[role].items():
        app_label, _dot, name = model.partition(".")
        wanted |= Q(content_type__app_label=app_label, codename__in=[_codename(deed, name) for deed in deeds])
    return list(offered.filter(wanted))


def make_groups(sender: Any, **kwargs: Any) -> None:
    """Give the six groups exactly what the table says; runs after the last app's permissions have been made."""
    if sender is not [config for config in apps.get_app_configs() if config.models_module][-1]:
        return
    # Our receiver may be called before Django's own, which makes the permissions of this last app.
    create_permissions(sender, verbosity=0)
    for name in NAMES:
        group, _made = Group.objects.get_or_create(name=name)
        group.permissions.set(permissions_of(name))


def _codename(deed: str, model: str) -> str:
    return f"{deed}_{model}" if deed in ("view", "add", "change", "delete") else deed


def _changes_what_is_read_only(right: Permission) -> bool:
    model = f"{right.content_type.app_label}.{right.content_type.model}"
    return model in READ_ONLY and not right.codename.startswith("view_")
