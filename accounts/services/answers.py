"""Writing answers to the office's own profile fields."""

from collections.abc import Mapping

from accounts.models import FieldKind, ProfileAnswer, ProfileField, User


def write_answers(person: User, texts: Mapping[str, str]) -> list[str]:
    """Write the answers (name of the field -> text as stored) that differ; returns the names of those. In a transaction.

    An empty answer is none: its row goes. Names of fields that do not exist any more are passed over.
    """
    if not texts:
        return []
    fields = {row.name: row for row in ProfileField.objects.filter(name__in=texts).exclude(kind=FieldKind.BUILT_IN)}
    rows = ProfileAnswer.objects.filter(person=person, field__in=fields.values())
    before = dict(rows.values_list("field__name", "value"))
    changed = [name for name in fields if before.get(name, "") != texts[name]]
    for name in changed:
        if texts[name]:
            values = {"value": texts[name]}
            ProfileAnswer.objects.update_or_create(person=person, field=fields[name], defaults=values)
        else:
            rows.filter(field=fields[name]).delete()
    return changed
