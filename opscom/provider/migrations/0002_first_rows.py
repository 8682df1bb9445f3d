"""The one provider, and its three disclaimers without a text: nothing is asked until the office writes one."""

from django.db import migrations


def make_rows(apps, schema_editor):
    apps.get_model("provider", "Provider").objects.get_or_create(pk=1, defaults={"office_weekdays": [0, 1, 2, 3, 4]})
    for kind in ("vehicle", "permit", "locker"):
        apps.get_model("provider", "Disclaimer").objects.get_or_create(kind=kind)


class Migration(migrations.Migration):
    dependencies = [("provider", "0001_initial")]
    operations = [migrations.RunPython(make_rows, migrations.RunPython.noop)]
