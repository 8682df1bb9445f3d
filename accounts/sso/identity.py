"""What an identity provider says of somebody, in the same shape whatever its protocol."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from allauth.socialaccount.models import SocialLogin
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from accounts.addresses import clean_email, email_domain
from accounts.models import IdentityProvider, Protocol

# A rule with this target names the attribute that holds the e-mail address; else the usual ones are read.
EMAIL = "email"
LONGEST_VALUE = 500
LONGEST_ADDRESS = 254

Claims = Mapping[str, list[str]]


@dataclass(frozen=True, slots=True)
class Identity:
    """Somebody as their identity provider knows them.

    `is_vouched`: the address may be taken for proved, because the provider says so and the domain is its own.
    """

    provider: IdentityProvider
    uid: str
    claims: Claims
    email: str
    is_vouched: bool

    def first(self, attribute: str) -> str:
        """Return the first value of an attribute that is not empty; empty when there is none."""
        return next((value for value in self.claims.get(attribute, []) if value), "")


def read_identity(login: SocialLogin, provider: IdentityProvider, raw: Any) -> Identity:
    """Build the identity from what allauth has verified; `raw` are the claims as they came."""
    claims = flatten_claims(provider, raw)
    email = _read_email(login, provider, claims)
    return Identity(provider, login.account.uid, claims, email, _is_vouched(provider, claims, email))


def flatten_claims(provider: IdentityProvider, raw: Any) -> dict[str, list[str]]:
    """Return attribute -> values as text; what OpenID Connect nests stands under `address.locality`."""
    if provider.protocol == Protocol.OIDC:
        # Userinfo says more than the token, and later.
        raw = {**(raw.get("id_token") or {}), **(raw.get("userinfo") or {})}
    claims: dict[str, list[str]] = {}
    for name, value in _walk(raw):
        claims.setdefault(name, []).append(value)
    return claims


def _walk(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _walk(inner, f"{name}.{key}" if name else str(key))
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _walk(inner, name)
    elif isinstance(value, bool):
        yield name, "true" if value else "false"
    elif value is not None:
        # PostgreSQL stores no NUL.
        yield name, str(value).replace("\x00", "").strip()[:LONGEST_VALUE]


def _read_email(login: SocialLogin, provider: IdentityProvider, claims: Claims) -> str:
    rule = provider.attribute_rules.filter(field_name=EMAIL).first()
    usual = login.email_addresses[0].email if login.email_addresses else ""
    email = clean_email(next(iter(claims.get(rule.attribute, [])), "") if rule else usual)
    try:
        validate_email(email)
    except ValidationError:
        return ""
    return email if len(email) <= LONGEST_ADDRESS else ""


def _is_vouched(provider: IdentityProvider, claims: Claims, email: str) -> bool:
    """OpenID Connect has a claim that must say yes, about that very address; SAML has none, so the domain decides.

    The claim is compared as text: a provider that sends the word "false" has not said yes.
    """
    if not email or email_domain(email) not in provider.trusted_domains:
        return False
    if provider.protocol == Protocol.OIDC:
        is_same = clean_email(next(iter(claims.get("email", [])), "")) == email
        return is_same and claims.get("email_verified") == ["true"]
    return "false" not in [value.lower() for value in claims.get("email_verified", [])]
