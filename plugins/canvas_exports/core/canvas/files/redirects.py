"""Follow the redirects of a download or an upload, and decide at each hop whether the access token goes along.

* The token is sent to Canvas's own origin only.
* A download that has left Canvas goes on without the token, even where a redirect leads back.
* An upload begins without the token. Where storage redirects to Canvas, the confirmation carries it.
* Only ``http`` and ``https`` are followed, never from ``https`` to ``http``. Canvas's links to itself are read as ``https``.
* No more than ten hops: an expired link of the files domain leads back to the start.
* Canvas's login page ends a download: it is no package.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from urllib.parse import parse_qs, urlsplit

from canvas_exports.core.canvas.http.flow import Flow, Wait, send_flow, send_without_token
from canvas_exports.core.canvas.http.messages import PreparedRequest, Response
from canvas_exports.core.canvas.http.origin import Origin, host_of, is_http, resolve
from canvas_exports.core.canvas.http.responses import temporary_error
from canvas_exports.core.canvas.http.retry import RetryPolicy
from canvas_exports.core.canvas.http.session import CanvasSession
from canvas_exports.errors import CanvasError, DownloadError, UploadError

MOST_HOPS = 10
REDIRECTS = frozenset({301, 302, 303, 307, 308})

_LOGIN = ("/login", "/login/")


@dataclass(frozen=True)
class Hop:
    """One request of a transfer.

    Attributes:
        url: a secret; it may be signed.
        bearer: the token goes along.
        on_canvas: it goes to Canvas's own origin.
        number: redirects before it.
    """

    url: str
    bearer: bool
    on_canvas: bool
    number: int = 0

    def __repr__(self) -> str:
        return f"Hop({host_of(self.url)}, number={self.number})"

    @property
    def has_verifier(self) -> bool:
        """Return whether the URL carries a credential of its own, so that it may work without the token."""
        return "verifier" in parse_qs(urlsplit(self.url).query)


@dataclass(frozen=True)
class Redirects:
    """The redirect policy of one transfer.

    Args:
        origin: Canvas.
        transfer: the kind of transfer: ``DownloadError`` or ``UploadError`` is raised.
    """

    origin: Origin
    transfer: Literal["download", "upload"] = "download"

    def start(self, url: str, *, bearer: bool = True) -> Hop:
        """Return the first hop, at the URL that Canvas gave.

        Raises:
            DownloadError, UploadError: not an ``http(s)`` URL, or one that gives up encryption.
        """
        return self._hop(resolve(str(self.origin), url), self.origin.scheme, bearer=bearer)

    def follow(self, hop: Hop, location: str | None) -> Hop:
        """Return the hop that a redirect leads to.

        Raises:
            DownloadError, UploadError: no or a forbidden destination, or too many hops.
        """
        if not location:
            raise self._error(f"{host_of(hop.url)} redirects without saying where to")
        if hop.number >= MOST_HOPS:
            raise self._error(
                f"the {self.transfer} was redirected more than {MOST_HOPS} times, last by {host_of(hop.url)}"
            )
        bearer = hop.bearer or self.transfer == "upload"
        url = resolve(hop.url, location)
        return self._hop(url, urlsplit(hop.url).scheme, bearer=bearer, number=hop.number + 1)

    def leads_to_login(self, hop: Hop, location: str | None) -> bool:
        """Return whether a redirect leads to Canvas's login page."""
        url = resolve(hop.url, location or "")
        path = urlsplit(url).path
        return self.origin.owns(url) and (path == _LOGIN[0] or path.startswith(_LOGIN[1]))

    def _hop(self, url: str, from_scheme: str, *, bearer: bool, number: int = 0) -> Hop:
        own = self.origin.own_url(url)
        url = own or url
        if not is_http(url):
            raise self._error(f"the {self.transfer} leads to an address that is not plain http or https")
        if (from_scheme, urlsplit(url).scheme) == ("https", "http"):
            raise self._error(
                f"the {self.transfer} leads to {host_of(url)} without encryption; that is never followed"
            )
        return Hop(url, bearer=bearer and own is not None, on_canvas=own is not None, number=number)

    def _error(self, problem: str) -> DownloadError | UploadError:
        return DownloadError(problem) if self.transfer == "download" else UploadError(problem)


def send_hop(
    session: CanvasSession, hop: Hop, prepared: PreparedRequest, retries: RetryPolicy
) -> Flow[Response | CanvasError]:
    """Send one request of a transfer, and repeat it while that may help.

    Requests to Canvas pass the rate limiter. All others are sent at once and without the token.

    Returns:
        The response, or the temporary error after which the policy gives up.
    """
    while True:
        if hop.on_canvas:
            result = yield from send_flow(prepared, session, bearer=hop.bearer)
        else:
            result = yield from send_without_token(prepared)
        error = temporary_error(result, host_of(hop.url), on_canvas=hop.on_canvas)
        if error is None:
            assert isinstance(result, Response)
            return result
        wait = retries.after(error)
        if wait is None:
            return error
        if wait:
            yield Wait(wait)
