"""The portal as it runs in production, on the benchmark's database."""

from opscom.settings_test import *  # noqa: F403

STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
DATABASES["default"]["OPTIONS"] = {"pool": {"min_size": 1, "max_size": 8, "timeout": 10}}  # noqa: F405
LOCK_ORDER_CHECKED = False
LOGGING["root"]["level"] = "WARNING"  # noqa: F405
