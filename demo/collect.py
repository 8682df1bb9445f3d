"""`python -m demo.collect`: collect static files without compressing them.

Compressing takes longer than all else that a first start does, and gains nothing on one machine. The names in the
manifest are the same, so the web serves them by its usual settings.
"""

import django
from django.conf import settings
from django.core.management import call_command

if __name__ == "__main__":
    plain = {"BACKEND": "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"}
    settings.STORAGES = settings.STORAGES | {"staticfiles": plain}
    django.setup()
    call_command("collectstatic", interactive=False, verbosity=0)
