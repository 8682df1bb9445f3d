"""Which identity providers are offered, and what they decide about somebody."""

from urllib.parse import urlsplit

from allauth.socialaccount.models import SocialAccount

from accounts.models import AttributeRule, IdentityProvider, LoginSource, User


def offered_providers() -> list[IdentityProvider]:
    """Return those that are switched on, in the office's order."""
    return list(IdentityProvider.objects.filter(is_on=True))


def providers_of(person: User) -> list[IdentityProvider]:
    """Return the identity providers by which this person signs in, switched on or not."""
    codes = SocialAccount.objects.filter(user=person).values("provider")
    return list(IdentityProvider.objects.filter(code__in=codes))


def signs_in_by_provider(person: User) -> bool:
    """Say whether this person's login source is SSO: then no local password opens the account, by no door."""
    return person.login_source == LoginSource.SSO


def mapped_fields(person: User) -> set[str]:
    """Return the names of the profile fields that the person's identity providers fill at every sign-in.

    Greyed out is such a field only while it is filled: what the identity provider does not tell, the person may be asked.
    """
    if not signs_in_by_provider(person):
        return set()
    codes = SocialAccount.objects.filter(user=person).values("provider")
    rules = AttributeRule.objects.filter(identity_provider__code__in=codes)
    return set(rules.values_list("field_name", flat=True))


def is_in_use(provider: IdentityProvider) -> bool:
    """Say whether somebody signs in by it."""
    return bool(SocialAccount.objects.filter(provider=provider.code).exists())


def form_targets(providers: list[IdentityProvider]) -> list[str]:
    """Return the origins of these identity providers, for the policy of the page whose form leads there."""
    addresses = [
        address
        for provider in providers
        for address in (provider.server_url, provider.sign_in_url, provider.metadata_url, provider.entity_id)
    ]
    parts = [urlsplit(address) for address in addresses if address.startswith(("https://", "http://"))]
    return sorted({f"{part.scheme}://{part.netloc}" for part in parts if part.netloc})
