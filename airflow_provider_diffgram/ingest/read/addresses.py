"""Decides from which addresses a worker may read media, because a URL may come from outside.

Private networks are allowed, because media are often there. Addresses that give a worker more than others
are refused: its own machine, and those from which clouds hand out credentials.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

_Address = IPv4Address | IPv6Address

_METADATA = frozenset(
    map(
        ip_address,
        ("100.100.100.200", "168.63.129.16", "192.0.0.192", "fd00:ec2::254", "fd20:ce::254"),
    )
)
"""Addresses of cloud metadata outside the link-local range: Alibaba, Azure, Oracle, Amazon, Google."""

_NAT64 = ip_network("64:ff9b::/96")
_COMPATIBLE = ip_network("::/96")


def why_refused(address: str, *, loopback: bool) -> str | None:
    """Return why a worker must not connect to an address; None if it may.

    :param address: an address as from ``getaddrinfo``, not a name.
    :param loopback: whether the worker's own machine is allowed, because Diffgram is there.
    """
    reasons = (_reason(each, loopback=loopback) for each in _meant(address))
    return next((reason for reason in reasons if reason is not None), None)


def is_loopback(address: str) -> bool:
    """Return whether an address is this machine."""
    return any(each.is_loopback for each in _meant(address))


def _reason(address: _Address, *, loopback: bool) -> str | None:
    if address.is_loopback:
        return None if loopback else "is the worker's own machine"
    if address.is_link_local or address in _METADATA:
        return "is where clouds keep credentials of the machine"
    if address.is_unspecified or address.is_multicast or address.is_reserved:
        return "is not the address of a host"
    return None


def _meant(address: str) -> list[_Address]:
    """Return an address without its zone, or the IPv4 addresses embedded in it."""
    given = ip_address(address.partition("%")[0])
    if isinstance(given, IPv4Address) or given.is_unspecified or int(given) == 1:
        return [given]
    if given in _NAT64 or given in _COMPATIBLE:
        return [IPv4Address(int(given) & 0xFFFFFFFF)]
    carried = [given.ipv4_mapped, given.sixtofour, *(given.teredo or ())]
    return [each for each in carried if each is not None] or [given]
