"""Where a download may lead, and who may see the token on the way.

Canvas redirects a download to its files domain and on to storage. Each hop is a decision:

* the token goes to Canvas's own origin only; once the way has led elsewhere, it stays off, even if the way comes back;
* only ``http`` and ``https``, never from ``https`` to ``http``;
* no more than ten hops: an expired link of the files domain leads back to the start;
* Canvas's login page is the end of the way, not a package.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

from canvas_exports.core.canvas.http.origin import Origin, host_of, is_http, resolve
from canvas_exports.errors import DownloadError

MOST_HOPS = 10

_LOGIN = ("/login", "/login/")


@dataclass(frozen=True)
class Hop:
    """One stop of a download. ``bearer`` says whether the token goes along."""

    url: str
    bearer: bool
    on_canvas: bool
    number: int = 0

    def __repr__(self) -> str:
        return f"Hop({host_of(self.url)}, number={self.number})"

    @property
    def has_verifier(self) -> bool:
        """Whether the URL carries a credential of its own, so that it may work without the token."""
        return "verifier" in parse_qs(urlsplit(self.url).query)


def first_hop(origin: Origin, url: str, *, bearer: bool = True) -> Hop:
    """The start of a download, at the URL Canvas gave.

    Raises:
        DownloadError: not an ``http(s)`` URL, or one that gives up encryption.
    """
    safe = resolve(str(origin), url)
    own = origin.adopt(safe)
    if own is None:
        _check(safe, origin.scheme)
    return Hop(own or safe, bearer=bearer and own is not None, on_canvas=own is not None)


def next_hop(origin: Origin, hop: Hop, location: str | None) -> Hop:
    """The stop a redirect leads to.

    Raises:
        DownloadError: no or a forbidden destination, or too many hops.
    """
    if not location:
        raise DownloadError(f"{host_of(hop.url)} redirects without saying where to")
    if hop.number + 1 > MOST_HOPS:
        raise DownloadError(
            f"the download was redirected more than {MOST_HOPS} times, last by {host_of(hop.url)}"
        )
    url = resolve(hop.url, location)
    _check(url, urlsplit(hop.url).scheme)
    on_canvas = origin.owns(url)
    return Hop(url, bearer=hop.bearer and on_canvas, on_canvas=on_canvas, number=hop.number + 1)


def is_login(origin: Origin, url: str) -> bool:
    """Whether this is Canvas's login page."""
    path = urlsplit(url).path
    return origin.owns(url) and (path == _LOGIN[0] or path.startswith(_LOGIN[1]))


def _check(url: str, from_scheme: str) -> None:
    if not is_http(url):
        raise DownloadError("the download leads to an address that is not plain http or https")
    if (from_scheme, urlsplit(url).scheme) == ("https", "http"):
        raise DownloadError(
            f"the download leads to {host_of(url)} without encryption; that is never followed"
        )
