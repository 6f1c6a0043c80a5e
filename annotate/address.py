"""Where a request comes from: what the connection says, and a proxy's word only where the proxy is trusted."""

from collections.abc import Sequence
from functools import cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

UNIX = "unix"  # the peer at the other end of a Unix socket, which has no address


def client_address(peer: str, forwarded: str, trusted: Sequence[str]) -> str:
    """The last address that no trusted proxy vouches for: X-Forwarded-For is read from its end, hop by hop."""
    here = peer or UNIX
    for hop in reversed(forwarded.split(",")):
        if not _is_trusted(here, tuple(trusted)) or not _is_address(hop.strip()):
            break
        here = hop.strip()
    return here


def network_of(address: str) -> str:
    """What one household or machine has: an IPv4 address, or the /64 of an IPv6 one."""
    if not _is_address(address):
        return address
    found = ip_address(address)
    found = getattr(found, "ipv4_mapped", None) or found
    return str(found) if found.version == 4 else str(ip_network((int(found), 64), strict=False))


@cache
def networks(trusted: tuple[str, ...]) -> list[IPv4Network | IPv6Network]:
    """The networks among the trusted; ValueError for what is none."""
    return [ip_network(text) for text in trusted if text != UNIX]


def _is_trusted(address: str, trusted: tuple[str, ...]) -> bool:
    if address == UNIX:
        return UNIX in trusted
    return _is_address(address) and any(ip_address(address) in network for network in networks(trusted))


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
