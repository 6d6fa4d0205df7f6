"""Addresses, networks and URLs in CEL rules (k8s.io/apiserver pkg/cel/library: ip, cidr, urls)."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

_IP = "ip"
_CIDR = "cidr"
_URL = "url"

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Interface | ipaddress.IPv6Interface


def _parse_ip(text: str) -> Address:
    address = ipaddress.ip_address(text)
    if "%" in text or (isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped):
        raise ValueError("zones and mapped addresses are not taken")
    return address


def ip(text: str) -> dict[str, Any]:
    """An address. Raises ValueError."""
    return {_IP: str(_parse_ip(text))}


def is_canonical(text: str) -> bool:
    """Whether an address is written in its one canonical form. Raises ValueError."""
    return str(_parse_ip(text)) == text


def _address(value: Mapping[str, Any]) -> Address:
    return ipaddress.ip_address(value[_IP])


def family(value: Mapping[str, Any]) -> int:
    """4 or 6."""
    return _address(value).version


def _is_global(address: Address) -> bool:
    broadcast = ipaddress.IPv4Address("255.255.255.255")
    return not (
        address.is_unspecified
        or address.is_loopback
        or address.is_multicast
        or address.is_link_local
        or address == broadcast
    )


def _is_link_local_multicast(address: Address) -> bool:
    if isinstance(address, ipaddress.IPv4Address):
        return address in ipaddress.IPv4Network("224.0.0.0/24")
    return address.packed[0] == 0xFF and address.packed[1] & 0x0F == 0x02


PREDICATES: Mapping[str, Callable[[Address], bool]] = {
    "isUnspecified": lambda address: address.is_unspecified,
    "isLoopback": lambda address: address.is_loopback,
    "isLinkLocalMulticast": _is_link_local_multicast,
    "isLinkLocalUnicast": lambda address: address.is_link_local,
    "isGlobalUnicast": _is_global,
}


def about(name: str) -> Callable[[Mapping[str, Any]], bool]:
    """One of PREDICATES, of an address as a rule holds it."""
    predicate = PREDICATES[name]
    return lambda value: predicate(_address(value))


def cidr(text: str) -> dict[str, Any]:
    """A network, the address in it kept. Raises ValueError."""
    address, slash, length = text.partition("/")
    if not slash or not length.isascii() or not length.isdigit() or (length != str(int(length))):
        raise ValueError("must be ADDRESS/LENGTH")
    _parse_ip(address)
    return {_CIDR: str(ipaddress.ip_interface(text))}


def _interface(value: Mapping[str, Any]) -> Network:
    return ipaddress.ip_interface(value[_CIDR])


def ip_of(value: Mapping[str, Any]) -> dict[str, Any]:
    """The address of a network as it was written."""
    return {_IP: str(_interface(value).ip)}


def prefix_length(value: Mapping[str, Any]) -> int:
    """How many bits of a network are fixed."""
    return int(_interface(value).network.prefixlen)


def masked(value: Mapping[str, Any]) -> dict[str, Any]:
    """The network with its first address."""
    return {_CIDR: str(_interface(value).network)}


def contains_ip(value: Mapping[str, Any], address: Mapping[str, Any]) -> bool:
    """Whether an address is in a network."""
    return _address(address) in _interface(value).network


def contains_cidr(value: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether a network is within another."""
    whole, part = _interface(value).network, _interface(other).network
    return (
        whole.version == part.version
        and part.prefixlen >= whole.prefixlen
        and part.network_address in whole
    )


# Where Go and Python surely agree; of anything else only the server can tell.
_PLAIN_URL = re.compile(
    r"[a-z][a-z0-9+.-]*://[A-Za-z0-9._-]+(?::[0-9]{1,5})?(?:/[A-Za-z0-9._~!$&'()*+,;=:@/-]*)?"
)
_SURELY_NO_URL = re.compile(r"(?![A-Za-z][A-Za-z0-9+.-]*:)[^/].*|", re.DOTALL)


def is_url(text: str) -> bool:
    """Whether a text is an absolute URI or path. Raises ValueError where that is not sure."""
    if _PLAIN_URL.fullmatch(text):
        return True
    if _SURELY_NO_URL.fullmatch(text):
        return False
    raise ValueError("not sure")


def url(text: str) -> dict[str, Any]:
    """A URL. Raises ValueError for all but plain ones."""
    if not _PLAIN_URL.fullmatch(text):
        raise ValueError("not sure")
    return {_URL: text}


def _hostname(text: str) -> str:
    return urlsplit(text).netloc.partition(":")[0]


URL_PARTS: Mapping[str, Callable[[str], str]] = {
    "getScheme": lambda text: urlsplit(text).scheme,
    "getHost": lambda text: urlsplit(text).netloc,
    "getHostname": _hostname,
    "getPort": lambda text: urlsplit(text).netloc.partition(":")[2],
    "getEscapedPath": lambda text: urlsplit(text).path,
}


def url_part(name: str) -> Callable[[Mapping[str, Any]], str]:
    """One of URL_PARTS, of a URL as a rule holds it."""
    part = URL_PARTS[name]
    return lambda value: part(value[_URL])
