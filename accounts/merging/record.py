"""What stands in the person's own row: which values the record that stays takes over, and which it does not."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from accounts.models import User

# Each group goes over whole, and only where the record that stays has none of it: half an address is no address.
GROUPS: tuple[tuple[str, ...], ...] = (
    ("first_name", "last_name"),
    ("mobile_phone",),
    ("employee_number",),
    ("student_number",),
    ("licence_number",),
    ("street", "unit", "city", "region", "postal_code", "country"),
    ("user_type", "user_type_from", "user_type_until"),
    ("company",),
)
# How an address came, and whether it was proved, belongs to the address.
ADDRESS = ("email", "email_proved_at", "claimed_email", "registered_at")
# The country alone says nothing: registration fills it in.
SAYS_NOTHING = {"country", "region"}


@dataclass(slots=True)
class RecordPlan:
    """`changes` to the row that stays, `conflicts` in words; `lost_address` signs in no more, `is_address_taken` over."""

    changes: dict[str, Any] = field(default_factory=dict)
    conflicts: list[str] = field(default_factory=list)
    is_address_taken: bool = False
    lost_address: str = ""

    @property
    def filled(self) -> list[str]:
        """The fields that were empty and get a value, by their labels."""
        shown = [name for name, value in self.changes.items() if value and name not in ADDRESS]
        return [str(User._meta.get_field(name).verbose_name) for name in shown]  # type: ignore[union-attr]


def plan_record(*, keeper: User, loser: User) -> RecordPlan:
    """Return what the row of the record that stays gets from the other one."""
    plan = RecordPlan()
    for names in GROUPS:
        _plan_group(plan, names, keeper, loser)
    _plan_address(plan, keeper, loser)
    return plan


def _plan_group(plan: RecordPlan, names: Sequence[str], keeper: User, loser: User) -> None:
    kept, lost = _values(keeper, names), _values(loser, names)
    if not _says_something(lost) or kept == lost:
        return
    if not _says_something(kept):
        plan.changes |= lost
        return
    plan.conflicts.append(
        _("%(field)s: “%(kept)s” stays, “%(lost)s” is not taken over.")
        % {"field": _label(names), "kept": _write(kept), "lost": _write(lost)}
    )


def _plan_address(plan: RecordPlan, keeper: User, loser: User) -> None:
    if loser.contact_email and not keeper.email and (loser.email or not keeper.claimed_email):
        plan.changes |= {name: getattr(loser, name) for name in ADDRESS}
        plan.is_address_taken = True
        if keeper.claimed_email and keeper.claimed_email != loser.email:
            plan.conflicts.append(
                _("E-mail: %(kept)s stays, %(lost)s was only claimed.")
                % {"kept": loser.email, "lost": keeper.claimed_email}
            )
    elif loser.contact_email and loser.contact_email != keeper.contact_email:
        plan.lost_address = loser.contact_email
        plan.conflicts.append(
            _("E-mail: %(kept)s stays, %(lost)s no longer signs in.")
            % {"kept": keeper.contact_email, "lost": loser.contact_email}
        )


def _values(person: User, names: Sequence[str]) -> dict[str, Any]:
    return {name: getattr(person, name) for name in names}


def _says_something(values: dict[str, Any]) -> bool:
    return any(value for name, value in values.items() if name not in SAYS_NOTHING)


def _label(names: Sequence[str]) -> str:
    groups = {"first_name": _("Name"), "street": _("Address")}
    label = str(User._meta.get_field(names[0]).verbose_name)  # type: ignore[union-attr]
    return groups.get(names[0], label[:1].upper() + label[1:])


def _write(values: dict[str, Any]) -> str:
    between = " " if "first_name" in values else ", "
    return between.join(str(value) for value in values.values() if value)
