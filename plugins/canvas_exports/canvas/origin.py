"""Where Canvas is: the one place the token may be sent to."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from canvas_exports.errors import InputError

_DEFAULT_PORTS = {"https": 443, "http": 80}
_HOST = re.compile(r"[a-z0-9_]([a-z0-9._-]*[a-z0-9_])?|[0-9a-f:.]*:[0-9a-f:.]*")
_ACCEPTED = "canvas.example.edu, https://canvas.example.edu or https://canvas.example.edu:8443"


@dataclass(frozen=True)
class Origin:
    """Scheme, host and port of a Canvas. ``str()`` gives ``https://canvas.example.edu``, safe to log."""

    scheme: str
    host: str
    port: int

    @classmethod
    def parse(cls, text: str, *, field: str = "host") -> Origin:
        """Read a host as a person writes it. Plain ``http`` only where it is spelt out.

        Raises:
            InputError: not a host name, or with a path, a query or a password.
        """
        raw = text.strip()
        parts = _split(raw if "://" in raw else f"https://{raw}")
        if parts is None or parts.scheme not in _DEFAULT_PORTS:
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
        """Whether an absolute URL lies on this very origin: same scheme, host and port, and no password in it."""
        parts = _split(url)
        return (
            parts is not None
            and parts.username is None
            and (parts.scheme, _ascii(parts.hostname or "")) == (self.scheme, self.host)
            and _port(parts) == self.port
        )

    def adopt(self, url: str) -> str | None:
        """The URL as one of this origin, or ``None`` where it belongs to another.

        A Canvas behind a proxy that ends TLS may write ``http`` links to itself; those come back as ``https``.
        """
        parts = _split(url)
        if parts is None:
            return None
        if self.scheme == "https" and parts.scheme == "http" and parts.port in (None, 80, self.port):
            parts = parts._replace(
                scheme="https", netloc=urlsplit(str(self)).netloc if _same(parts, self) else parts.netloc
            )
        whole = parts._replace(fragment="").geturl()
        return whole if self.owns(whole) else None


def host_of(url: str) -> str:
    """The host name in a URL, for messages; never its path or query."""
    parts = _split(url)
    return (parts.hostname if parts else None) or "an unreadable address"


def _same(parts: SplitResult, origin: Origin) -> bool:
    return parts.username is None and _ascii(parts.hostname or "") == origin.host


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        _port(parts)
    except ValueError:
        return None
    return parts


def _port(parts: SplitResult) -> int:
    return parts.port or _DEFAULT_PORTS.get(parts.scheme, 0)


def _ascii(host: str) -> str:
    try:
        return (host if host.isascii() else host.encode("idna").decode("ascii")).lower()
    except UnicodeError:
        return ""
