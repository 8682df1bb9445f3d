"""Whose request this is, as far as an address can tell."""

from ipaddress import IPv6Address, ip_address, ip_network

from django.conf import settings
from django.http import HttpRequest


def client_address(request: HttpRequest) -> str:
    """Return the client's IP address as the outermost of our own proxies saw it; empty when it is not an address.

    Each proxy appends its peer to X-Forwarded-For, so only the last TRUSTED_PROXIES entries are ours to believe;
    whatever stands before them was written by the client.
    """
    peer = request.META.get("REMOTE_ADDR", "")
    trusted = settings.TRUSTED_PROXIES
    if trusted:
        hops = [hop.strip() for hop in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")]
        peer = hops[-trusted] if len(hops) >= trusted and hops[-trusted] else peer
    try:
        address = ip_address(peer)
    except ValueError:
        return ""
    # A socket for both families writes IPv4 as ::ffff:192.0.2.1; its /64 would hold everybody.
    return str(getattr(address, "ipv4_mapped", None) or address)


def throttle_address(request: HttpRequest) -> str:
    """Return the key under which this client is throttled: an IPv6 household has 2**64 addresses, so its /64 counts."""
    address = client_address(request)
    if address and isinstance(ip_address(address), IPv6Address):
        return str(ip_network(f"{address}/64", strict=False))
    return address
