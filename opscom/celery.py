"""The worker's application. Beat times of all apps stand in `settings.CELERY_BEAT_SCHEDULE`, in one place."""

import os
from typing import Any

from celery import Celery
from celery.signals import celeryd_init

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "opscom.settings")
app = Celery("opscom")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@celeryd_init.connect
def wait_for_work(conf: Any, **kwargs: Any) -> None:
    """A page gives a silent broker up at once; a worker holds a connection on which nothing comes for long times."""
    conf.broker_transport_options = {**conf.broker_transport_options, "socket_timeout": 30}
