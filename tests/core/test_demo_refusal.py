"""The demo must never be open to the public: no process starts, whichever command is run."""

import os
import subprocess
import sys

import pytest
from django.core.exceptions import ImproperlyConfigured

from opscom.core.checks import refuse_public_demo


@pytest.mark.parametrize("site_url", ["https://parking.example.org", "http://parking.example.org", "http://8.8.8.8"])
def test_a_public_address_is_refused(site_url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="OPSCOM_DEMO"):
        refuse_public_demo(is_demo=True, site_url=site_url, allowed_hosts=[])
    refuse_public_demo(is_demo=False, site_url=site_url, allowed_hosts=["parking.example.org"])


@pytest.mark.parametrize("site_url", ["http://localhost:8000", "http://127.0.0.1", "http://192.168.1.7:8000"])
def test_home_is_allowed_but_not_with_a_public_host(site_url: str) -> None:
    refuse_public_demo(is_demo=True, site_url=site_url, allowed_hosts=["localhost", "[::1]"])
    for host in ("parking.example.org", "*", ".example.org"):
        with pytest.raises(ImproperlyConfigured):
            refuse_public_demo(is_demo=True, site_url=site_url, allowed_hosts=[host])


@pytest.mark.parametrize("code", ["import opscom.wsgi", "from opscom.celery import app; import django; django.setup()"])
def test_neither_web_nor_worker_starts(code: str) -> None:
    env = {
        **{name: value for name, value in os.environ.items() if not name.startswith("DJANGO")},
        "DJANGO_SETTINGS_MODULE": "opscom.settings",
        "SECRET_KEY": "k" * 50,
        "OPSCOM_DEMO": "true",
        "SITE_URL": "https://parking.example.org",
        "ALLOWED_HOSTS": "parking.example.org",
    }
    result = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True)
    assert result.returncode != 0
    assert "OPSCOM_DEMO is on" in result.stderr
