from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class VehiclesConfig(AppConfig):
    name = "vehicles"
    verbose_name = _("Vehicles")

    def ready(self) -> None:
        from accounts import person_parts
        from vehicles.person_part import VehiclesPart

        person_parts.register(VehiclesPart())
