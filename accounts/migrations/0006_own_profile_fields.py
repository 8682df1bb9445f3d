from typing import Any

from django.db import migrations


def move_language(apps: Any, schema_editor: Any) -> None:
    """The language stands under `Users Settings`."""
    fields = apps.get_model("accounts", "ProfileField").objects
    fields.filter(name="language", group="personal").update(group="settings")


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0005_sso_has_no_password"),
    ]

    operations = [
        # Required and greyed out go together where an identity provider fills the field: the office's page knows.
        migrations.RemoveConstraint(
            model_name="profilefield",
            name="accounts_profilefield_required_is_editable",
        ),
        migrations.RunPython(move_language, migrations.RunPython.noop),
    ]
