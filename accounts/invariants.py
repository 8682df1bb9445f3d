"""What must always be true of people. Each function yields one sentence for each thing that is not."""

from collections.abc import Iterator

from django.apps import apps

from accounts.person_parts import all_parts


def check_people() -> Iterator[str]:
    """Yield everything that still belongs to a record which was merged into another one."""
    for column in sorted(column for part in all_parts() for column in part.moves):
        label, _dot, name = column.rpartition(".")
        model = apps.get_model(label)
        left = model._default_manager.filter(**{f"{name}__merged_into__isnull": False})
        for row in left.iterator():
            yield f"{column} of {row.pk} points at a record that was merged."
