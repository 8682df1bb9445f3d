"""Every setting comes from the environment and fails loudly; what the office decides stands in `provider` instead."""

from pathlib import Path

import environ
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()


def env_choice(name: str, choices: tuple[str, ...], default: str) -> str:
    """Read one of `choices`; any other word stops the process instead of meaning something by chance."""
    value = env.str(name, default)
    if value not in choices:
        raise ImproperlyConfigured(f"{name} must be one of {', '.join(choices)}, not {value!r}.")
    return value


def env_switch(name: str, default: bool = False) -> bool:
    """Read true or false; 'yes', '1' and typing errors are refused."""
    return env_choice(name, ("true", "false"), "true" if default else "false") == "true"


DEBUG = env_switch("DEBUG")
OPSCOM_DEMO = env_switch("OPSCOM_DEMO")
SECRET_KEY = env.str("SECRET_KEY")
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])
# Keys (urlsafe base64, 32 bytes) that encrypt secret rows, newest first. Without them a key is derived from SECRET_KEY.
FIELD_ENCRYPTION_KEYS = env.list("FIELD_ENCRYPTION_KEYS", default=[])
SITE_URL = env.str("SITE_URL", "http://localhost:8000").rstrip("/")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = [SITE_URL]
TRUSTED_PROXIES = env.int("TRUSTED_PROXIES", 0)

INSTALLED_APPS = [
    # First, so that what it connects can be changed: see accounts/apps.py.
    "django.contrib.auth",
    "opscom.core",
    "opscom.provider",
    "opscom.messaging",
    "accounts",
    "vehicles",
    "payments",
    # Before permits: when two people are merged, each app locks in the order of kinds.
    "lockers",
    "permits",
    "violations",
    "boots",
    "home",
    "office",
    *(["demo"] if OPSCOM_DEMO else []),
    "office.site.OfficeSiteConfig",
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "django.contrib.admin",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.forms",
    "allauth",
    "allauth.account",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "allauth.socialaccount.providers.saml",
    "allauth.usersessions",
    "django_otp",
    "django_otp.plugins.otp_email",
    "django_otp.plugins.otp_static",
    "django_otp.plugins.otp_totp",
    "hijack",
    "pgtrigger",
    "pghistory",
    "csp",
    "django_htmx",
    "crispy_forms",
    "crispy_bootstrap5",
    "bootstrap",
    "lucide",
    "phonenumber_field",
    # For their translations of provinces, states and countries.
    "localflavor",
    "django_countries",
]

MIDDLEWARE = [
    "opscom.provider.middleware.HealthMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "opscom.core.middleware.RequestContextMiddleware",
    "opscom.core.middleware.ContentSecurityPolicyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "accounts.acting.middleware.ActingMiddleware",
    "accounts.middleware.LanguageMiddleware",
    "opscom.core.middleware.RequestSizeMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "accounts.middleware.PrivatePagesMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "office.middleware.OfficeTimeMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "accounts.sessions.middleware.SeenMiddleware",
    "accounts.mfa.middleware.CodeMiddleware",
    "accounts.middleware.ProfileGateMiddleware",
]

ROOT_URLCONF = "opscom.urls"
WSGI_APPLICATION = "opscom.wsgi.application"
AUTH_USER_MODEL = "accounts.User"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "home.context_processors.portal",
            ],
            "loaders": [
                (
                    "django.template.loaders.cached.Loader",
                    ["django.template.loaders.filesystem.Loader", "django.template.loaders.app_directories.Loader"],
                )
            ],
        },
    }
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"
CRISPY_ALLOWED_TEMPLATE_PACKS = "bootstrap5"
CRISPY_TEMPLATE_PACK = "bootstrap5"

# The web takes connections from a pool; workers and commands hold a plain one each.
DATABASES = {"default": {**env.db("DATABASE_URL"), "DISABLE_SERVER_SIDE_CURSORS": True}}
if pool_size := env.int("DATABASE_POOL", 0):
    DATABASES["default"]["OPTIONS"] = {
        **DATABASES["default"].get("OPTIONS", {}),
        "pool": {"min_size": 1, "max_size": pool_size, "timeout": 10},
    }
else:
    DATABASES["default"]["CONN_MAX_AGE"] = 600
REDIS_URL = env.str("REDIS_URL")
CACHES = {"default": {"BACKEND": "opscom.core.cache.ForgivingRedisCache", "LOCATION": REDIS_URL}}
SESSION_ENGINE = "django.contrib.sessions.backends.cached_db"
SESSION_COOKIE_AGE = env.int("SESSION_HOURS", 14 * 24) * 3600

CELERY_BROKER_URL = REDIS_URL
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# A dead broker must cost a page less than a second, not minutes: the outbox sweeper sends what could not be announced.
CELERY_BROKER_TRANSPORT_OPTIONS = {"socket_connect_timeout": 0.5, "socket_timeout": 0.8, "max_retries": 0}
CELERY_TASK_PUBLISH_RETRY = False


def every(seconds: int, task: str) -> dict[str, object]:
    """Run the task each so many seconds; a run that still waits after three turns is dropped, so that none pile up."""
    return {"task": task, "schedule": seconds, "options": {"expires": 3 * seconds}}


CELERY_BEAT_SCHEDULE = {
    "send what the outbox still holds": every(20, "messaging.sweep_outbox"),
    "free lapsed permit holds": every(20, "permits.release_lapsed_holds"),
    "end permits": every(60, "permits.end_permits"),
    "roll sales into others": every(30, "permits.roll_sales"),
    "tell holders of closures": every(20, "permits.tell_of_closures"),
    "renew monthly permits": every(60, "permits.renew_permits"),
    "make permit PDFs": every(30, "permits.make_missing_documents"),
    "ask gateways about open payments": every(30, "payments.reconcile_payments"),
    "deliver what is paid": every(30, "payments.finish_paid_orders"),
    "delete files that belong to no document": every(6 * 3600, "accounts.sweep_documents"),
    "prove the books": every(600, "office.prove_books"),
    "send refunds": every(30, "payments.send_refunds"),
    "ask gateways about cards being stored": every(30, "payments.reconcile_card_saves"),
    "remove cards at their gateways": every(60, "payments.forget_removed_cards"),
    "tell whose card expires": every(3600, "payments.tell_expiring_cards"),
    "end promises to pay, and recall them": every(60, "payments.close_promises"),
    "close companies' months": every(3600, "payments.issue_statements"),
    "send companies' statements": every(300, "payments.send_statements"),
    "take the next steps of tickets": every(300, "violations.take_steps"),
    "look at holds for overdue tickets": every(3600, "violations.refresh_holds"),
    "delete files of tickets that belong to nothing": every(6 * 3600, "violations.sweep_files"),
    "release lapsed holds of lockers": every(20, "lockers.release_lapsed_holds"),
    "end locker rentals": every(60, "lockers.end_rentals"),
    "recall the end of locker rentals": every(600, "lockers.recall_ends"),
    "take the next steps of boots": every(60, "boots.take_steps"),
    "delete files of boots that belong to nothing": every(6 * 3600, "boots.sweep_files"),
    "continue mailings": every(30, "accounts.continue_mailings"),
    "forget dead sessions": every(3600, "accounts.forget_dead_sessions"),
    **({"the demo bank reports": every(5, "demo.send_bank_reports")} if OPSCOM_DEMO else {}),
}

AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 10},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = reverse_lazy("account_login")
LOGIN_REDIRECT_URL = reverse_lazy("home:home")
LOGOUT_REDIRECT_URL = LOGIN_URL

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("fr-ca", _("French (Canada)"))]
LANGUAGE_COOKIE_NAME = "language"
LANGUAGE_COOKIE_AGE = 365 * 24 * 3600
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
FORMAT_MODULE_PATH = ["opscom.formats"]
USE_TZ = True
TIME_ZONE = "UTC"
PHONENUMBER_DEFAULT_REGION = "CA"

STATIC_URL = "static/"
STATIC_ROOT = Path(env.str("STATIC_ROOT", str(BASE_DIR / "staticfiles")))
STATICFILES_DIRS = [BASE_DIR / "static"]
# What people send is nobody else's on this machine, either.
FILE_UPLOAD_PERMISSIONS = 0o640
FILE_UPLOAD_DIRECTORY_PERMISSIONS = 0o750
MEDIA_ROOT = Path(env.str("MEDIA_ROOT", str(BASE_DIR / "media")))
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

vars().update(env.email_url("EMAIL_URL", default="consolemail://"))
if OPSCOM_DEMO and not env.str("EMAIL_URL", ""):
    EMAIL_BACKEND = "demo.mail.DemoInboxBackend"
# The class that sends SMS, by dotted path; empty means that this installation sends none.
SMS_BACKEND = env.str("SMS_BACKEND", "demo.mail.DemoSms" if OPSCOM_DEMO else "")
EMAIL_TIMEOUT = 20
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", "OPSCOM <noreply@localhost>")
SERVER_EMAIL = DEFAULT_FROM_EMAIL

# Which gateways this installation knows, by dotted path. A gateway is offered when it is configured and switched on.
PAYMENT_GATEWAYS = env.list("PAYMENT_GATEWAYS", default=[]) + (["demo.bank.gateway.DemoBank"] if OPSCOM_DEMO else [])
# Stripe. Several webhook secrets, separated by commas, while one is being replaced. Only tests set the API's address;
# the origin is another one where Checkout has the merchant's own domain.
STRIPE_SECRET_KEY = env.str("STRIPE_SECRET_KEY", "")
STRIPE_WEBHOOK_SECRET = env.str("STRIPE_WEBHOOK_SECRET", "")
STRIPE_API_BASE = env.str("STRIPE_API_BASE", "")
STRIPE_CHECKOUT_ORIGIN = env.str("STRIPE_CHECKOUT_ORIGIN", "https://checkout.stripe.com")

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "form-action": [SELF],
    }
}
# Unfold's Alpine evaluates expressions and sets styles, so the office's pages need these two.
ADMIN_CONTENT_SECURITY_POLICY = {
    **CONTENT_SECURITY_POLICY["DIRECTIVES"],
    "script-src": [SELF, "'unsafe-eval'"],
    "style-src": [SELF, "'unsafe-inline'"],
}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CONTENT_TYPE_NOSNIFF = True
if SITE_URL.startswith("https://"):
    SECURE_SSL_REDIRECT = env_switch("SECURE_SSL_REDIRECT", True)
    SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", 31536000)
    SECURE_HSTS_INCLUDE_SUBDOMAINS = env_switch("SECURE_HSTS_INCLUDE_SUBDOMAINS", True)
    SECURE_HSTS_PRELOAD = env_switch("SECURE_HSTS_PRELOAD", True)
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = True
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXIES else None
SESSION_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"

# True in tests: `core.locks` then refuses locks that are taken against the one order.
LOCK_ORDER_CHECKED = False
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2000
# A longer request is refused before any of it is read; where people upload, each page has its own limit.
MOST_REQUEST_BYTES = 6 * 1024 * 1024
UPLOAD_BYTES = 74 * 1024 * 1024
MOST_REQUEST_BYTES_BY_PATH = {
    r"^/uploads$": UPLOAD_BYTES,
    r"^/appeals/\w+/(appeal|answer)/": UPLOAD_BYTES,
    r"^/admin/violations/ticket/": UPLOAD_BYTES,
    r"^/admin/boots/": UPLOAD_BYTES,
}
# Files that somebody may send with one appeal, its answers included.
EVIDENCE_PER_APPEAL = 20

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name} {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", "INFO")},
    # Stripe's library tells of each request; what went wrong is told by us.
    "loggers": {"stripe": {"level": "WARNING"}},
}

from opscom.settings_accounts import *  # noqa: E402, F403
from opscom.settings_admin import UNFOLD  # noqa: E402, F401
