"""What the portal's own processes run with in browser tests: the test settings, with parts that outlive one process."""

from opscom.settings_test import *  # noqa: F403

EMAIL_BACKEND = "demo.mail.DemoInboxBackend"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
# Static files come from their sources; collecting them would take longer than the tests.
WHITENOISE_USE_FINDERS = True
# The same work as in production, without the waits between.
CELERY_BEAT_SCHEDULE = {name: {**entry, "schedule": 2} for name, entry in CELERY_BEAT_SCHEDULE.items()}  # noqa: F405
