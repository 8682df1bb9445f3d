from django.db import migrations


def make_methods(apps, schema_editor):
    """Each gateway that was switched on becomes a payment method for everybody and everything."""
    Provider = apps.get_model("provider", "Provider")
    PaymentMethod = apps.get_model("payments", "PaymentMethod")
    for provider in Provider.objects.all():
        for position, gateway in enumerate(provider.gateways_on):
            PaymentMethod.objects.create(
                code=gateway,
                kind="card",
                gateway=gateway,
                name={"en": "Credit Card", "fr-ca": "Carte de crédit"},
                position=position,
            )


def count_returned(apps, schema_editor):
    """What had gone back before the sums were kept on the rows."""
    Refund = apps.get_model("payments", "Refund")
    Refund.objects.filter(line__isnull=False).update(frees=True)
    for refund in Refund.objects.exclude(status="failed").select_related("payment", "line").order_by("pk"):
        for row in filter(None, [refund.payment, refund.line]):
            row.refresh_from_db()
            row.returned += refund.amount
            row.save(update_fields=["returned"])


class Migration(migrations.Migration):
    dependencies = [("payments", "0004_methods_promises_corrections"), ("provider", "0003_sign_in_switches")]
    # There the switches that are read here are dropped.
    run_before = [("provider", "0004_refund_rules")]

    operations = [
        migrations.RunPython(make_methods, migrations.RunPython.noop, elidable=True),
        migrations.RunPython(count_returned, migrations.RunPython.noop, elidable=True),
    ]
