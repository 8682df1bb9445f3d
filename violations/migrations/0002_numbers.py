"""Numbers of tickets come from a sequence: two that are issued at once never wait for each other."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("violations", "0001_initial")]

    operations = [
        migrations.RunSQL(
            "CREATE SEQUENCE violations_ticket_number START 10001", "DROP SEQUENCE violations_ticket_number"
        )
    ]
