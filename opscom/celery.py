"""The worker's application. Beat times of all apps stand in `settings.CELERY_BEAT_SCHEDULE`, in one place."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "opscom.settings")
app = Celery("opscom")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
