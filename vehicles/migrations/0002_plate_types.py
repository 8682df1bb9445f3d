"""The plate types that every provider begins with; the office renames, hides and adds."""

from django.db import migrations

# Code, English, French (Canada), ends on a date.
PLATE_TYPES = [
    ("passenger", "Passenger", "Véhicule de promenade", False),
    ("commercial", "Commercial", "Véhicule commercial", False),
    ("motorcycle", "Motorcycle", "Motocyclette", False),
    ("trailer", "Trailer", "Remorque", False),
    ("electric", "Electric vehicle", "Véhicule électrique", False),
    ("personalized", "Personalized", "Plaque personnalisée", False),
    ("accessible", "Accessible parking", "Personne handicapée", False),
    ("veteran", "Veteran", "Ancien combattant", False),
    ("historic", "Historic", "Véhicule ancien", False),
    ("government", "Government", "Gouvernement", False),
    ("diplomatic", "Diplomatic", "Corps diplomatique", False),
    ("dealer", "Dealer", "Concessionnaire", True),
    ("temporary", "Temporary", "Temporaire", True),
    ("other", "Other", "Autre", False),
]


def add_plate_types(apps, schema_editor):
    PlateType = apps.get_model("vehicles", "PlateType")
    for position, (code, english, french, is_temporary) in enumerate(PLATE_TYPES, start=1):
        PlateType.objects.get_or_create(
            code=code,
            defaults={
                "name": {"en": english, "fr-ca": french},
                "is_temporary": is_temporary,
                "position": position * 10,
            },
        )


class Migration(migrations.Migration):
    dependencies = [("vehicles", "0001_initial")]
    # Going back removes the table anyway.
    operations = [migrations.RunPython(add_plate_types, migrations.RunPython.noop)]
