"""Entry point for an ASGI server; WSGI is measured faster for these pages and is the default."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "opscom.settings")
application = get_asgi_application()
