"""Where webhooks may be sent: to public servers, and to those that the site names.

An address is looked at twice. As it is written, when it is entered and at each attempt;
and as its name is resolved, at each attempt, right before the connection is made to
the very address that was found to be public.
"""

from __future__ import annotations

import re
import socket
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from threading import Thread
from urllib.parse import urlsplit

from django.utils.encoding import iri_to_uri
from django.utils.translation import gettext as _

from ...conf import webhook_hosts


PORTS = (443, 8443)
LONGEST = 2000
LONGEST_HOST = 253
"""In characters."""
MOST_ADDRESSES = 3
"""How many addresses of one server are tried."""

# What no public server has, after the registries of IANA. Python's is_global differs
# from version to version, and knows nothing of addresses inside addresses.
_NOT_PUBLIC_4 = [
    ip_network(network)
    for network in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8"),
        *("169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24"),
        *("192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24"),
        *("203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
        "168.63.129.16/32",  # looks public, but is the host below a machine on Azure
    )
]
# Of IPv6 only this is given to servers. IPv4 addresses written as IPv6 ones, by mapping
# or NAT64, lie outside it; those by Teredo and 6to4 inside.
_PUBLIC_6 = ip_network("2000::/3")
_NOT_PUBLIC_6 = [
    ip_network(network)
    for network in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")
]

_UNPRINTABLE = re.compile(r"[\x00-\x20\x7f-\xa0\\]")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*", re.IGNORECASE)


class AddressRefused(Exception):
    """An address that nothing is sent to. The text says why, for the user."""


@dataclass(frozen=True, slots=True)
class Address:
    """A web address taken apart. ``target`` is what stands behind the host, in ASCII;
    ``is_named`` if the site has named the host in GLOSSARY_WEBHOOK_HOSTS."""

    scheme: str
    host: str
    port: int
    target: str
    is_named: bool


def read_address(url: str) -> Address:
    """Take an address apart. Raises AddressRefused if it is, as it is written, no
    address to send to; it may still lead where nothing is sent."""
    if len(url) > LONGEST or _UNPRINTABLE.search(url):
        raise AddressRefused(_("This is not an address of the web."))
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").rstrip(".")
        if ":" not in host:
            host = host.encode("idna").decode().lower()
        usual = {"https": 443, "http": 80}[parts.scheme]
        port = usual if parts.port is None else parts.port
        query = f"?{parts.query}" if parts.query else ""
        target = iri_to_uri(f"{parts.path or '/'}{query}")
    except (ValueError, KeyError) as error:  # UnicodeError is a ValueError
        raise AddressRefused(_("This is not an address of the web.")) from error
    if not 0 < len(host) <= LONGEST_HOST or "@" in parts.netloc:
        raise AddressRefused(_("An address has a host, and no user or password."))
    named = webhook_hosts()
    is_named = host in named or f"{host}:{port}" in named
    if not is_named:
        _check_unnamed(parts.scheme, host, port)
    return Address(parts.scheme, host, port, target, is_named)


def _check_unnamed(scheme: str, host: str, port: int) -> None:
    if scheme != "https":
        raise AddressRefused(_("The address has to begin with https://."))
    if port not in PORTS:
        raise AddressRefused(
            _("Nothing is sent to port %(port)d, only to %(ports)s.")
            % {"port": port, "ports": ", ".join(map(str, PORTS))}
        )
    try:
        literal = ip_address(host)
    except ValueError:
        last = host.rpartition(".")[2]
        if "." not in host or _NUMBER.fullmatch(last):
            raise AddressRefused(
                _("“%(host)s” is not the name of a public server.") % {"host": host}
            ) from None
    else:
        _check_public(literal)


def find_server(address: Address, seconds: float) -> list[str]:
    """The IP addresses to connect to, in the order to try them. Raises AddressRefused
    if any of them is not public, OSError if there is none or it takes too long."""
    found = _within(seconds, address.host, address.port)
    if not address.is_named:
        for each in found:
            _check_public(ip_address(each))
    return found[:MOST_ADDRESSES]


def lookup(host: str, port: int) -> list[str]:
    """What the name of a host stands for. Raises OSError if it is not known."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(sockaddr[0]) for *_rest, sockaddr in found))


def _within(seconds: float, host: str, port: int) -> list[str]:
    """A system's resolver takes the time it likes, so it is left behind if need be."""
    found: list[str] = []
    errors: list[Exception] = []

    def look() -> None:
        try:
            found.extend(lookup(host, port))
        except (OSError, UnicodeError) as error:
            errors.append(error)

    thread = Thread(target=look, daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        raise TimeoutError
    if not found:
        raise OSError(_("There is no server “%(host)s”.") % {"host": host}) from (
            errors[0] if errors else None
        )
    return found


def _check_public(address: IPv4Address | IPv6Address) -> None:
    if not is_public(address):
        raise AddressRefused(
            _("%(address)s is not the address of a public server.")
            % {"address": address}
        )


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether a server of the public internet can have this address."""
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _NOT_PUBLIC_4)
    return (
        address.scope_id is None
        and address in _PUBLIC_6
        and not any(address in network for network in _NOT_PUBLIC_6)
    )
