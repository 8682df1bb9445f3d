"""Two questions of the office's own, and somebody whose letters go elsewhere."""

from accounts.models import FieldGroup, FieldKind, ProfileField, User
from accounts.selectors import forget_asked_fields
from accounts.services.people import save_mailing_address, save_profile
from demo.data.people import RESIDENT

CAMPUS = {
    "north": {"en": "North campus", "fr-ca": "Campus nord"},
    "lakeside": {"en": "Lakeside campus", "fr-ca": "Campus du lac"},
    "both": {"en": "Both", "fr-ca": "Les deux"},
}
BOX = {"street": "PO Box 214", "city": "Kingsport", "region": "ON", "postal_code": "K7L 4V8", "country": "CA"}


def make_profile() -> None:
    """Ask both, of those who like to answer; the resident has answered one."""
    ProfileField.objects.create(
        name="own_campus",
        kind=FieldKind.CHOICE,
        group=FieldGroup.OTHER,
        label={"en": "Where you are most days", "fr-ca": "Où vous êtes le plus souvent"},
        choices=[{"code": code, "label": label} for code, label in CAMPUS.items()],
        position=60,
    )
    ProfileField.objects.create(
        name="own_accessible",
        kind=FieldKind.YES_NO,
        group=FieldGroup.OTHER,
        label={"en": "Do you need an accessible space?", "fr-ca": "Avez-vous besoin d’une place accessible ?"},
        help_text={
            "en": "The office then asks you for the permit.",
            "fr-ca": "Le bureau vous demande alors le permis.",
        },
        position=70,
    )
    forget_asked_fields()
    person = User.objects.get(email=RESIDENT)
    save_profile(person=person, values={"own_campus": "lakeside"})
    save_mailing_address(person=person, lines=BOX)
