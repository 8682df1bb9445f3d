"""People for tests."""

from itertools import count
from typing import Any

from django.contrib.auth.models import Group
from django.utils import timezone

from accounts.models import AccountHold, ProfileAnswer, ProfileField, User, UserType
from accounts.selectors import forget_asked_fields

PASSWORD = "correct horse battery"
_numbers = count(1)


def make_user(*, is_proved: bool = True, role: str = "", password: str | None = PASSWORD, **fields: Any) -> User:
    """Return a person with a complete profile who can sign in; with a role, one of the office."""
    number = next(_numbers)
    names = {"first_name": "Robin", "last_name": f"Resident {number}", "email": f"resident{number}@example.org"}
    moment = timezone.now()
    fields = {**names, "email_proved_at": moment if is_proved else None, "is_staff": bool(role), **fields}
    user = User.objects.create_user(fields.pop("email"), password, **fields)
    if role:
        user.groups.add(Group.objects.get(name=role))
    return user


def make_registered(**fields: Any) -> User:
    """Return somebody who registered and has not followed the link yet: no password, nothing proved."""
    return make_user(is_proved=False, password=None, registered_at=timezone.now(), **fields)


def make_user_type(code: str = "", **fields: Any) -> UserType:
    """Return a user type with a name in both languages."""
    code = code or f"type-{next(_numbers)}"
    return UserType.objects.create(code=code, **{"name": {"en": code.title(), "fr-ca": code.title()}, **fields})


def make_hold(person: User, **fields: Any) -> AccountHold:
    """Put the account on hold from now on."""
    return AccountHold.objects.create(**{"person": person, "reason": "Unpaid", "starts_at": timezone.now()} | fields)


def set_field(name: str, **changes: Any) -> None:
    """Change how a profile field is asked, as the office would."""
    ProfileField.objects.filter(name=name).update(**changes)
    forget_asked_fields()


def make_field(kind: str = "text", label: str = "", **fields: Any) -> ProfileField:
    """Return a profile field that the office has made."""
    number = next(_numbers)
    defaults = {"label": {"en": label or f"Question {number}"}, "position": 100 + number, "group": "other"}
    if kind == "choice":
        labels = {"north": {"en": "North campus", "fr-ca": "Campus nord"}, "south": {"en": "South campus"}}
        defaults["choices"] = [{"code": code, "label": label} for code, label in labels.items()]
    field = ProfileField.objects.create(name=f"own_{number}", kind=kind, **{**defaults, **fields})
    forget_asked_fields()
    return field


def answer(person: User, field: ProfileField, value: str) -> ProfileAnswer:
    """Let the person have answered."""
    return ProfileAnswer.objects.create(person=person, field=field, value=value)
