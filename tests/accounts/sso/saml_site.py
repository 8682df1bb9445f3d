"""`djangosaml2idp2` as a site of its own: a SAML provider on pysaml2, started as a process by `running_saml`.

Arguments: its port, a folder with `idp.pem` and `idp.key`, and the address of the portal's metadata. One person: jane.
"""

import shutil
import sys
from pathlib import Path

import django
from django.conf import settings
from django.core.management import call_command
from django.urls import include, path

PORT, FOLDER, PORTAL = sys.argv[1], Path(sys.argv[2]), sys.argv[3]
BASE = f"http://127.0.0.1:{PORT}/idp"
LOGIN = "<form method='post'>{% csrf_token %}{{ form.as_p }}<button>Sign in at the campus</button></form>"
REDIRECT = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
POST = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"

settings.configure(
    SECRET_KEY="of the tests' SAML provider",
    ALLOWED_HOSTS=["127.0.0.1"],
    ROOT_URLCONF=__name__,
    USE_TZ=True,
    DEFAULT_AUTO_FIELD="django.db.models.AutoField",
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions", "djangosaml2idp"],
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
    ],
    # Beside the portal on one machine: cookies do not tell ports apart.
    SESSION_COOKIE_NAME="campus",
    CSRF_COOKIE_NAME="campus_csrf",
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": str(FOLDER / "idp.sqlite")}},
    TEMPLATES=[
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "OPTIONS": {
                "context_processors": ["django.template.context_processors.request"],
                "loaders": [
                    ("django.template.loaders.locmem.Loader", {"registration/login.html": LOGIN}),
                    "django.template.loaders.app_directories.Loader",
                ],
            },
        }
    ],
    LOGIN_URL="/login/",
    SAML_IDP_CONFIG={
        "debug": False,
        "xmlsec_binary": shutil.which("xmlsec1"),
        "entityid": f"{BASE}/metadata/",
        "service": {
            "idp": {
                "endpoints": {
                    "single_sign_on_service": [(f"{BASE}/sso/post/", POST), (f"{BASE}/sso/redirect/", REDIRECT)]
                },
                "name_id_format": ["urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified"],
                "sign_response": False,
                "sign_assertion": True,
                "want_authn_requests_signed": False,
            }
        },
        "key_file": str(FOLDER / "idp.key"),
        "cert_file": str(FOLDER / "idp.pem"),
        "encryption_keypairs": [],
        "valid_for": 24,
    },
)
django.setup()

from django.contrib.auth.views import LoginView  # noqa: E402

urlpatterns = [path("login/", LoginView.as_view()), path("idp/", include("djangosaml2idp.urls"))]


def enter_everybody() -> None:
    """Make the one person, and let the provider read who the portal is."""
    from django.contrib.auth.models import User
    from djangosaml2idp.models import ServiceProvider

    call_command("migrate", verbosity=0)
    names = {"first_name": "Jane", "last_name": "Doe", "email": "jane.doe@uni.example"}
    User.objects.create_user("jane", password="campus password", **names)
    mapping = '{"email": "mail", "first_name": "givenName", "last_name": "sn"}'
    portal = ServiceProvider(
        entity_id=PORTAL, remote_metadata_url=PORTAL, _attribute_mapping=mapping, _sign_assertion=True
    )
    portal.refresh_metadata(force_refresh=True)
    portal.save()


if __name__ == "__main__":
    enter_everybody()
    call_command("runserver", f"127.0.0.1:{PORT}", use_reloader=False, skip_checks=True)
