"""Check where the access token may be sent: to Canvas's own scheme, host and port, and nowhere else."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import SplitResult, quote, urljoin, urlsplit

from canvas_exports.errors import InputError

_DEFAULT_PORTS = {"https": 443, "http": 80}
_HOST = re.compile(r"[a-z0-9_]([a-z0-9._-]*[a-z0-9_])?|[0-9a-f.]*:[0-9a-f:.]*")
_ASCII = "".join(map(chr, range(128)))
_ACCEPTED = "canvas.example.edu, https://canvas.example.edu or https://canvas.example.edu:8443"


@dataclass(frozen=True)
class Origin:
    """Scheme, host and port of a Canvas. ``str()`` gives ``https://canvas.example.edu``, safe to log."""

    scheme: str
    host: str
    port: int

    @classmethod
    def parse(cls, text: str, *, field: str = "host") -> Origin:
        """Parse a host as a person writes it. Plain ``http`` only where it is spelt out.

        Raises:
            InputError: not a host name, or with a path, a query or a password.
        """
        raw = text.strip()
        parts = _split(raw if "://" in raw else f"https://{raw}")
        if parts.scheme not in _DEFAULT_PORTS:
            raise InputError(field, "not the address of a Canvas", accepted=_ACCEPTED)
        if parts.username is not None or parts.query or parts.fragment or parts.path not in ("", "/"):
            raise InputError(
                field, "only a host name belongs here, no path, query or password", accepted=_ACCEPTED
            )
        host = _ascii(parts.hostname or "")
        if not _HOST.fullmatch(host):
            raise InputError(field, "not the address of a Canvas", accepted=_ACCEPTED)
        return cls(parts.scheme, host, _port(parts))

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}" + (
            "" if self.port == _DEFAULT_PORTS[self.scheme] else f":{self.port}"
        )

    def owns(self, url: str) -> bool:
        """Return whether an absolute URL is of this origin: same scheme, host and port, and no password in it."""
        parts = _split(url)
        return self._has_own_host(parts) and (parts.scheme, _port(parts)) == (self.scheme, self.port)

    def own_url(self, url: str) -> str | None:
        """Return a URL as one of this origin, or ``None`` where it belongs to another.

        A Canvas behind a proxy that ends TLS may write ``http`` links to itself; those are returned as ``https``.
        """
        if self.owns(url):
            return url
        parts = _split(url)
        plain = (parts.scheme, self.scheme) == ("http", "https") and parts.port in (None, 80, self.port)
        if not plain or not self._has_own_host(parts):
            return None
        return f"{self}{parts._replace(scheme='', netloc='', fragment='').geturl()}"

    def _has_own_host(self, parts: SplitResult) -> bool:
        return parts.username is None and _ascii(parts.hostname or "") == self.host


def host_of(url: str) -> str:
    """Return the host name in a URL, for messages; never its path or query."""
    return _split(url).hostname or "an unreadable address"


def is_http(url: str) -> bool:
    """Return whether this is an absolute ``http`` or ``https`` URL without a password."""
    parts = _split(url)
    return parts.scheme in _DEFAULT_PORTS and bool(parts.hostname) and parts.username is None


def resolve(base: str, link: str) -> str:
    """Return a link as an absolute URL, with its non-ASCII characters percent-encoded; empty if it cannot be parsed."""
    try:
        return quote(urljoin(base, link), safe=_ASCII, errors="replace")
    except ValueError:
        return ""


def _split(url: str) -> SplitResult:
    """Split a URL; return empty parts where HTTP libraries might read it in another way."""
    try:
        parts = urlsplit(url)
        _port(parts)
    except ValueError:
        return urlsplit("")
    return urlsplit("") if "\\" in url or " " in url or not url.isprintable() else parts


def _port(parts: SplitResult) -> int:
    return parts.port or _DEFAULT_PORTS.get(parts.scheme, 0)


def _ascii(host: str) -> str:
    try:
        return (host if host.isascii() else host.encode("idna").decode("ascii")).lower()
    except UnicodeError:
        return ""
