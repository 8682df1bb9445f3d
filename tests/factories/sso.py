"""Identity providers for tests."""

from itertools import count
from typing import Any

from accounts.models import AttributeRule, IdentityProvider, Protocol
from opscom.core.secrets import encrypt

_numbers = count(1)


def make_provider(rules: dict[str, str] | None = None, **fields: Any) -> IdentityProvider:
    """Return an identity provider that is switched on; `rules`: profile field -> attribute."""
    number = next(_numbers)
    values = {
        "code": f"idp-{number}",
        "protocol": Protocol.OIDC,
        "button_text": {"en": f"Campus {number}", "fr-ca": f"Campus (fr) {number}"},
        "is_on": True,
        "server_url": "https://idp.example.edu",
        "client_id": "opscom",
        "client_secret": encrypt("a secret"),
        "trusted_domains": ["uni.example"],
        **fields,
    }
    provider = IdentityProvider.objects.create(**values)
    for field_name, attribute in (rules or {}).items():
        AttributeRule.objects.create(identity_provider=provider, attribute=attribute, field_name=field_name)
    return provider
