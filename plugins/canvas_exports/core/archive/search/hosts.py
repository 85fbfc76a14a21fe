"""The hosts that addresses in a package lead to, and the tools that they open."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from urllib.parse import parse_qsl, urlsplit

from canvas_exports.errors import InputError

_LONGEST_ADDRESS = 8_000
_LONGEST = 253
_NAME = re.compile(
    r"(?=.{1,253}\Z)[a-z0-9_](?:[a-z0-9_-]{0,62}[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]{0,62}[a-z0-9_])?)*"
)
_IPV6 = re.compile(r"[0-9a-f:.]{2,45}")
#: How Canvas embeds an external tool in a page: the address of the tool is an argument.
_RETRIEVES = "external_tools/retrieve"


def host_of(address: str) -> str | None:
    """Return the host of a web address, in lower case and ASCII (IDNA); ``None`` if it has none, or no legal one."""
    if "//" not in address[:_LONGEST_ADDRESS]:
        return None
    try:
        host = urlsplit(address[:_LONGEST_ADDRESS].strip()).hostname
    except ValueError:
        return None
    return None if host is None else _legal(host)


def tool_hosts_of(address: str) -> Iterator[str]:
    """Yield the hosts of the external tools that an address of Canvas opens."""
    begin = address[:_LONGEST_ADDRESS]
    if _RETRIEVES in begin:
        try:
            arguments = parse_qsl(urlsplit(begin).query, max_num_fields=50)
        except ValueError:
            return
        for name, value in arguments:
            if name == "url" and (host := host_of(value)):
                yield host


def hosts_of(addresses: Iterable[str]) -> set[str]:
    """Return the hosts that addresses lead to."""
    return {host for address in addresses if (host := host_of(address)) is not None}


def read_host(text: str, *, field: str) -> str:
    """Read the name of a host that a person wrote, or an address on it.

    Raises:
        InputError: it is none (permanent).
    """
    written = text.strip()
    host = host_of(written) if "//" in written else host_of(f"//{written}")
    if host is None:
        raise InputError(field, "is no host", accepted="the name of a host, such as video.example.edu")
    return host


def reversed_name(host: str) -> str:
    """Return a host with its labels in reverse order, so that the hosts of one domain begin alike."""
    return host if ":" in host else ".".join(reversed(host.split(".")))


def _legal(host: str) -> str | None:
    host = host.rstrip(".")
    if not host or len(host) > _LONGEST:  # beyond it, the codec takes long
        return None
    if not host.isascii():
        try:
            host = host.encode("idna").decode("ascii")
        except UnicodeError:
            return None
    host = host.lower()
    return host if _NAME.fullmatch(host) or (":" in host and _IPV6.fullmatch(host)) else None
