"""The one way out of the house: a POST to an address that a project's admin gave, and to public machines alone.

A name is resolved once, every address that it gives must be public, and the connection goes to one of those very
addresses, with the name in the Host header and in the TLS handshake: a name that points elsewhere a moment later
changes nothing. No redirect is followed, no proxy of the environment is asked, the answer's body is never read, and a
watch ends whoever answers by the drop. Nothing switches this off.
"""

import contextlib
import http.client
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

PORTS = (443, 8443)
LONGEST = 500
TRIED = 2  # addresses of a name: one may have sixty, each of which answers nothing
CONNECT_SECONDS, WHOLE_SECONDS = 3.0, 10.0
INTERNET = ipaddress.ip_network("2000::/3")  # outside of it are mapped IPv4, NAT64, private and link-local addresses
TUNNELS = [ipaddress.ip_network(one) for one in ("2001::/32", "2002::/16")]  # Teredo and 6to4 lead to an IPv4 address

Address = tuple[socket.AddressFamily, tuple]


class Refused(ValueError):
    """The address may not be sent to, in a sentence for the person who gave it."""


FAILURES = (OSError, ValueError, http.client.HTTPException)  # what `post` raises, Refused among them


@dataclass(frozen=True)
class Target:
    host: str  # without the brackets of IPv6
    port: int
    path: str  # with the query

    @property
    def name(self) -> str:
        """As the Host header names it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == 443 else f"{host}:{self.port}"


def target_of(url: str) -> Target:
    """The parts of an address that may be sent to as far as can be told without asking anybody; Refused otherwise."""
    if len(url) > LONGEST or not url.isascii() or not all(" " < char != "\x7f" for char in url):
        raise Refused(f"An address has at most {LONGEST} plain ASCII characters and no spaces.")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, 443 if parts.port is None else parts.port
    except ValueError:
        raise Refused("This is not an address.") from None
    if parts.scheme != "https" or not host:
        raise Refused("The address must begin with https:// and a name.")
    if "@" in parts.netloc or "#" in url or "\\" in url:
        raise Refused("No user, password, fragment or backslash in the address: the signature says who sends.")
    if port not in PORTS:
        raise Refused(f"Only ports {PORTS[0]} and {PORTS[1]} are sent to.")
    _refuse_private_literal(host)
    return Target(host, port, (parts.path or "/") + (f"?{parts.query}" if parts.query else ""))


def _refuse_private_literal(host: str) -> None:
    """Names are looked at when they are resolved; so are 0x7f.1 and other spellings, which only the resolver reads."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return
    if not is_public(host):
        raise Refused(NOT_PUBLIC)


NOT_PUBLIC = "The address is not public: nothing is sent to this machine, its network or any other private one."


def is_public(address: str) -> bool:
    """Whether anybody on the internet would reach the same machine there. What cannot be read is not public."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    if not ip.is_global or ip.is_multicast or ip.is_reserved:
        return False
    return ip.version == 4 or (ip in INTERNET and not any(ip in tunnel for tunnel in TUNNELS))


def resolve(target: Target) -> list[Address]:
    """Where the name points, now. Refused unless every address is public; OSError where there is none."""
    found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    addresses = [(family, address) for family, _, _, _, address in found]
    if not all(is_public(address[0]) for _, address in addresses):
        raise Refused(NOT_PUBLIC)
    return addresses


def post(url: str, body: bytes, headers: Mapping[str, str]) -> int:
    """Send and return the status of the answer. Raises one of FAILURES."""
    target, started = target_of(url), time.monotonic()
    with (
        contextlib.closing(_connected(resolve(target))) as plain,
        _ended_after(WHOLE_SECONDS - (time.monotonic() - started), plain),
        tls().wrap_socket(plain, server_hostname=target.host) as link,
    ):
        talk = http.client.HTTPConnection(target.host, target.port)
        talk.sock = link  # connected already: http.client looks nothing up
        talk.request("POST", target.path, body, {"Host": target.name, "Connection": "close", **headers})
        return talk.getresponse().status


def tls() -> ssl.SSLContext:
    """Certificates of the system's authorities; the name must match."""
    return ssl.create_default_context()


def _connected(addresses: list[Address]) -> socket.socket:
    """To the first of a few that answers, by number: no name is looked up a second time."""
    for family, address in addresses[:TRIED]:
        link = socket.socket(family, socket.SOCK_STREAM)
        link.settimeout(CONNECT_SECONDS)
        try:
            link.connect(address)
        except OSError as error:
            link.close()
            last = error
        else:
            return link
    raise last


@contextlib.contextmanager
def _ended_after(seconds: float, link: socket.socket) -> Iterator[None]:
    """Each read has its own time-out; this is the one of all reads together."""
    spare = link.dup()  # TLS takes the socket itself
    watch = threading.Timer(seconds, _hang_up, [spare])
    watch.start()
    try:
        yield
    finally:
        watch.cancel()
        spare.close()


def _hang_up(link: socket.socket) -> None:
    with contextlib.suppress(OSError):
        link.shutdown(socket.SHUT_RDWR)


def words(error: Exception) -> str:
    """Why it failed, for a person; never what the other side wrote."""
    if isinstance(error, Refused):
        return str(error)
    if isinstance(error, socket.gaierror):
        return "The name is not known."
    if isinstance(error, ssl.SSLCertVerificationError):
        return "The certificate is not valid for this name."
    if isinstance(error, ssl.SSLError):
        return "No TLS there."
    if isinstance(error, TimeoutError):
        return "No answer in time."
    return "Nobody listens there." if isinstance(error, ConnectionRefusedError) else "The connection broke."
