"""Thirty believable people of Lakeshore University. All names are invented."""

import unicodedata
from typing import Any

from django.contrib.auth.models import Group
from django.utils import timezone

from accounts.models import User, UserType
from vehicles.models import PlateType
from vehicles.services import VehicleData, add_vehicle

PASSWORD = "lakeshore-demo-2026"  # noqa: S105 - printed for everyone who starts the demo
RESIDENT = "maya.chen@lakeshore.example"
MANAGER = "owen.tremblay@northbuild.example"
ADMINISTRATOR = "office@lakeshore.example"
CASHIER = "cashier@lakeshore.example"

USER_TYPES = {
    "staff": ({"en": "Staff, full time", "fr-ca": "Personnel à temps plein"}, 3),
    "faculty": ({"en": "Faculty", "fr-ca": "Corps professoral"}, 3),
    "student": ({"en": "Student, commuting", "fr-ca": "Étudiant externe"}, 2),
    "residence": ({"en": "Student in residence", "fr-ca": "Étudiant en résidence"}, 1),
    "contractor": ({"en": "Contractor", "fr-ca": "Entrepreneur"}, 4),
    "public": ({"en": "Public", "fr-ca": "Public"}, 2),
}

# First name, last name, user type, language, plates (text, region, year, make, model, kind).
PEOPLE: list[tuple[str, str, str, str, list[tuple[str, str, int, str, str, str]]]] = [
    ("Maya", "Chen", "staff", "en", [("CKMT 482", "CA-ON", 2021, "Mazda", "CX-5", "car"), ("BLUE 77", "CA-QC", 2018, "Honda", "Civic", "car")]),
    ("Owen", "Tremblay", "contractor", "en", [("BX 40912", "CA-ON", 2019, "Ford", "Transit", "car")]),
    ("Amélie", "Gagnon", "faculty", "fr-ca", [("K47 LMR", "CA-QC", 2022, "Subaru", "Outback", "car")]),
    ("Priya", "Natarajan", "staff", "en", [("CSTV 119", "CA-ON", 2023, "Tesla", "Model 3", "electric")]),
    ("Liam", "O'Connor", "student", "en", [("CFAB 640", "CA-ON", 2012, "Toyota", "Corolla", "car")]),
    ("Fatima", "Haddad", "student", "en", [("CHPK 287", "CA-ON", 2015, "Hyundai", "Elantra", "car")]),
    ("Noah", "Whitefeather", "residence", "en", [("CDDN 905", "CA-ON", 2010, "Dodge", "Journey", "car")]),
    ("Chloé", "Bergeron", "student", "fr-ca", [("H62 WQP", "CA-QC", 2017, "Kia", "Rio", "car")]),
    ("Daniel", "Kowalski", "faculty", "en", [("CJRA 331", "CA-ON", 2020, "Volvo", "XC60", "car")]),
    ("Grace", "Okafor", "staff", "en", [("CLBE 764", "CA-ON", 2016, "Nissan", "Rogue", "car")]),
    ("Mateo", "Silva", "student", "en", [("CMXY 418", "CA-ON", 2014, "Volkswagen", "Jetta", "car")]),
    ("Hannah", "Becker", "staff", "en", [("CNWD 552", "CA-ON", 2019, "Chevrolet", "Bolt", "electric")]),
    ("Yusuf", "Demir", "public", "en", [("CPLT 870", "CA-ON", 2011, "Toyota", "Matrix", "car")]),
    ("Sophie", "Lavoie", "faculty", "fr-ca", [("L38 TNB", "CA-QC", 2021, "Toyota", "RAV4", "car")]),
    ("Jacob", "Fischer", "student", "en", [("CRKE 206", "CA-ON", 2013, "Ford", "Focus", "car")]),
    ("Aisha", "Rahman", "residence", "en", [("CSGA 993", "CA-ON", 2018, "Honda", "Fit", "car")]),
    ("Victor", "Nguyen", "staff", "en", [("CTMN 145", "CA-ON", 2017, "Acura", "TLX", "car")]),
    ("Olivia", "MacDonald", "student", "en", [("GRW 318", "CA-NS", 2016, "Mazda", "3", "car")]),
    ("Ethan", "Blackwood", "contractor", "en", [("BZ 71830", "CA-ON", 2020, "Ram", "1500", "car")]),
    ("Isabelle", "Fortin", "staff", "fr-ca", [("M91 GDK", "CA-QC", 2015, "Nissan", "Micra", "car")]),
    ("Samuel", "Adeyemi", "faculty", "en", [("CVHL 477", "CA-ON", 2022, "Hyundai", "Ioniq 5", "electric")]),
    ("Emma", "Lindqvist", "student", "en", [("CWPS 084", "CA-ON", 2009, "Pontiac", "Vibe", "car")]),
    ("Raj", "Malhotra", "staff", "en", [("CXBT 629", "CA-ON", 2018, "Toyota", "Camry", "car")]),
    ("Zoé", "Pelletier", "residence", "fr-ca", [("N25 RFV", "CA-QC", 2014, "Ford", "Fiesta", "car")]),
    ("Lucas", "Moreau", "student", "en", [("CYNE 713", "CA-ON", 2016, "Honda", "CBR500R", "motorcycle")]),
    ("Nadia", "Petrova", "public", "en", [("KHT 4402", "US-NY", 2019, "Subaru", "Forester", "car")]),
    ("Connor", "Walsh", "staff", "en", [("CZRM 358", "CA-ON", 2013, "GMC", "Terrain", "car")]),
    ("Mei", "Takahashi", "faculty", "en", [("DABK 920", "CA-ON", 2020, "Toyota", "Prius", "car")]),
    ("Abdi", "Warsame", "student", "en", [("DCFT 561", "CA-ON", 2012, "Hyundai", "Accent", "car")]),
    ("Rose", "Beaulieu", "public", "fr-ca", []),
]  # fmt: skip


def make_user_types() -> dict[str, UserType]:
    """Write the user types; the public one is what new people get."""
    types = {}
    for code, (name, limit) in USER_TYPES.items():
        types[code] = UserType.objects.create(
            code=code, name=name, max_active_vehicles=limit, is_default=code == "public"
        )
    return types


def make_people(types: dict[str, UserType]) -> list[User]:
    """Enter the thirty, their vehicles, and the office's people; the named logins get the printed password."""
    people = []
    for number, (first, last, kind, language, vehicles) in enumerate(PEOPLE):
        person = _enter(first, last, types[kind], language, number)
        for plate in vehicles:
            _add_vehicle(person, *plate)
        people.append(person)
    make_office()
    return people


def _enter(first: str, last: str, user_type: UserType, language: str, number: int) -> User:
    local = unicodedata.normalize("NFKD", f"{first}.{last}").encode("ascii", "ignore").decode().lower().replace("'", "")
    email = {0: RESIDENT, 1: MANAGER}.get(number, f"{local}@lakeshore.example")
    staff = user_type.code in ("staff", "faculty")
    return User.objects.create_user(
        email,
        PASSWORD,
        first_name=first,
        last_name=last,
        language=language,
        user_type=user_type,
        email_proved_at=timezone.now(),
        mobile_phone=f"+1613555{number + 100:04}",
        employee_number=f"E{20417 + number}" if staff else "",
        student_number="" if staff else f"1018{4400 + number}",
        street=f"{12 + 7 * number} Lakeshore Avenue",
        city="Kingsport",
        region="ON",
        postal_code="K7L 3N6",
        country="CA",
    )


def _add_vehicle(person: User, plate: str, region: str, year: int, make: str, model: str, kind: str) -> None:
    plate_type = PlateType.objects.get(code="motorcycle" if kind == "motorcycle" else "passenger")
    data: dict[str, Any] = {"plate": plate, "region": region, "plate_type": plate_type, "year": year}
    add_vehicle(owner=person, data=VehicleData(**data, make=make, model=model, kind=kind))


def make_office() -> None:
    """Enter one person for each role."""
    roles = [
        (ADMINISTRATOR, "Jordan", "Ellis", "Administrator"),
        ("clerk@lakeshore.example", "Robin", "Hale", "Clerk"),
        ("appeals@lakeshore.example", "Dominique", "Roy", "Appeals officer"),
        ("officer@lakeshore.example", "Sasha", "Grant", "Enforcement officer"),
        (CASHIER, "Morgan", "Lee", "Cashier"),
        ("auditor@lakeshore.example", "Casey", "Novak", "Auditor"),
    ]
    for email, first, last, role in roles:
        person = User.objects.create_user(
            email, PASSWORD, first_name=first, last_name=last, is_staff=True, email_proved_at=timezone.now()
        )
        person.groups.add(Group.objects.get(name=role))
