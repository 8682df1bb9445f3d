"""`python -m demo.check [--production] MODULE ARGS...`: run a Python module with settings that need no real server.

Plain, it sets what the settings insist on, so that tools which only read the code can load them. With --production
it sets what a careful production has, so that `check --deploy` judges our settings and not a developer's.
"""

import os
import secrets
import subprocess
import sys

PLAIN = {
    "DJANGO_SETTINGS_MODULE": "opscom.settings",
    "SECRET_KEY": secrets.token_urlsafe(60),
    "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nothing",
    "REDIS_URL": "redis://127.0.0.1:1/0",
}
PRODUCTION = {
    "DEBUG": "false",
    "OPSCOM_DEMO": "false",
    "SITE_URL": "https://parking.example.org",
    "ALLOWED_HOSTS": "parking.example.org",
    "TRUSTED_PROXIES": "1",
    "EMAIL_URL": "smtp+tls://user:password@mail.example.org:587",
    "DEFAULT_FROM_EMAIL": "Parking <parking@example.org>",
}


def environment(*, production: bool) -> dict[str, str]:
    """Return the environment; the plain one lets the caller's DATABASE_URL stand, production's nothing."""
    if production:
        return dict(os.environ) | PLAIN | PRODUCTION
    return PLAIN | {"OPSCOM_DEMO": "true"} | dict(os.environ)


def main(arguments: list[str]) -> int:
    """Run the module and return its exit code."""
    production = arguments[:1] == ["--production"]
    module = arguments[1:] if production else arguments
    command = [sys.executable, "-m", *module]
    return subprocess.run(command, env=environment(production=production), check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
