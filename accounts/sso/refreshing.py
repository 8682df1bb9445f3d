"""What the identity provider decides about somebody, written anew at every sign-in: profile fields and the user type."""

import logging
from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from accounts.answers import clean_answer
from accounts.models import FieldKind, ProfileAnswer, ProfileField, User, UserType
from accounts.profile import BY_NAME, COUNTRIES_WITH_REGIONS, make_form_field
from accounts.selectors import as_asked, default_user_type, offered_languages, user_type_for_address
from accounts.sso.identity import EMAIL, Identity
from opscom.core import audit
from opscom.provider.selectors import local_date

logger = logging.getLogger(__name__)
YES_NO = {"true": "yes", "1": "yes", "yes": "yes", "false": "no", "0": "no", "no": "no"}


def refresh_person(*, person: User, identity: Identity) -> None:
    """Write what the rules map. What the provider does not say, or says in a form that we cannot keep, stays as it was."""
    said = read_fields(identity)
    changed = _write_columns(person, said) + _write_answers(person, said)
    if changed:
        audit.record("person.sso_refreshed", person, fields=changed, provider=identity.provider.code)
    _write_user_type(person, identity)


def read_fields(identity: Identity) -> dict[str, str]:
    """Return profile field -> what the provider says, for each rule whose attribute came with a value."""
    rules = identity.provider.attribute_rules.exclude(field_name=EMAIL)
    said = {rule.field_name: identity.first(rule.attribute) for rule in rules}
    return {name: value for name, value in said.items() if value}


def _write_columns(person: User, said: Mapping[str, str]) -> list[str]:
    languages = offered_languages()
    values = {}
    for name, text in said.items():
        if name in BY_NAME:
            values[name] = _clean(make_form_field(name, languages), name, text)
    country = values.get("country") or person.country
    if values.get("region") and values["region"] not in COUNTRIES_WITH_REGIONS.get(country, set()):
        values.pop("region")
    changed = [name for name, value in values.items() if value is not None and getattr(person, name) != value]
    for name in changed:
        setattr(person, name, values[name])
    if changed:
        person.save(update_fields=changed)
    return changed


def _clean(field: forms.Field, name: str, text: str) -> Any:
    try:
        return field.clean(text)
    except ValidationError:
        # The value is somebody's data, so it is not logged.
        logger.warning("An identity provider sent something that cannot be kept as %s.", name)
        return None


def _write_answers(person: User, said: Mapping[str, str]) -> list[str]:
    fields = ProfileField.objects.filter(name__in=said).exclude(kind=FieldKind.BUILT_IN)
    before = dict(ProfileAnswer.objects.filter(person=person, field__in=fields).values_list("field", "value"))
    changed = []
    for field in fields:
        value = _clean_answer(field, said[field.name])
        if value and before.get(field.pk) != value:
            ProfileAnswer.objects.update_or_create(person=person, field=field, defaults={"value": value})
            changed.append(field.name)
    return changed


def _clean_answer(field: ProfileField, text: str) -> str:
    """Return the answer as it is stored, empty when it does not fit the field's kind."""
    if field.kind == FieldKind.YES_NO:
        text = YES_NO.get(text.lower(), "")
    try:
        return clean_answer(as_asked(field), text)
    except ValidationError:
        # The value is somebody's data, so it is not logged.
        logger.warning("An identity provider sent something that cannot be kept as %s.", field.name)
        return ""


def _write_user_type(person: User, identity: Identity) -> None:
    chosen = _type_of(person, identity)
    if chosen is None or chosen == person.user_type:
        return
    person.user_type, person.user_type_from, person.user_type_until = chosen, local_date(), None
    person.save(update_fields=["user_type", "user_type_from", "user_type_until"])
    audit.record("person.user_type_given", person, user_type=chosen.code, because="single sign-on")


def _type_of(person: User, identity: Identity) -> UserType | None:
    """The first rule that fits decides, then the provider's type for all its people; who has none gets the usual one."""
    provider = identity.provider
    values = set(identity.claims.get(provider.user_type_attribute, []))
    for rule in provider.user_type_rules.select_related("user_type").order_by("pk"):
        if rule.value in values:
            return rule.user_type
    if provider.user_type or person.user_type:
        return provider.user_type
    by_domain = user_type_for_address(person.email) if person.email and person.is_email_proved else None
    return by_domain or default_user_type()
