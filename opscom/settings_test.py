"""Tests: the real settings with the demo on, quick password hashes, mail in memory, and the order of locks checked."""

import os

os.environ.setdefault("SECRET_KEY", "tests-only-" + "k" * 50)
os.environ.setdefault("OPSCOM_DEMO", "true")
os.environ.setdefault("EMAIL_URL", "memorymail://")
os.environ.setdefault("DATABASE_URL", "postgresql://localhost/never-used-tests-start-their-own")
os.environ.setdefault("REDIS_URL", "redis://localhost:1/0")

from opscom.settings import *  # noqa: F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
LOCK_ORDER_CHECKED = True
CELERY_TASK_ALWAYS_EAGER = False
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
DATABASES["default"]["CONN_MAX_AGE"] = 0  # noqa: F405
