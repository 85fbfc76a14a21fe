"""Send requests over ``urllib3``: verbatim, without redirects, cookies, ``.netrc`` or retries of its own.

``requests``, on the same connections, spends a third of a millisecond of processor more on every request, and loads the
certificate authorities again for every connection.
"""

from __future__ import annotations

import http.client
import logging
import re
import ssl
import time
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any
from urllib.parse import unquote, urlsplit

import urllib3
from urllib3.util import make_headers

from canvas_exports.core.canvas.http.messages import Failure, PreparedRequest, Response, Result, lower_case
from canvas_exports.core.canvas.http.transports.environment import Proxies, authorities, tls_context
from canvas_exports.core.canvas.http.transports.response_body import ResponseBody
from canvas_exports.core.canvas.http.transports.response_deadline import DeadlineResponse, with_deadline
from canvas_exports.core.canvas.http.transports.timeouts import Timeouts
from canvas_exports.errors import InputError

# Kept open per host: requests in flight and packages under way. Opening a new one for each halves throughput over TLS.
_CONNECTIONS = 80
_STEP = 64 * 1024  # bytes of a response read at once
_LONGEST_FILL = 1.0  # seconds after which the bytes of a package that have arrived are returned, however few
_EARLY = (
    urllib3.exceptions.LocationValueError,
    urllib3.exceptions.ConnectTimeoutError,
    urllib3.exceptions.NewConnectionError,
    urllib3.exceptions.ProxyError,
)


@dataclass(frozen=True)
class _Route:
    """The connections to one host, and the headers for a proxy of plain requests."""

    pool: urllib3.HTTPConnectionPool
    proxy_headers: Mapping[str, str] | None = None


class Transport:
    """A pool of connections. Threads may share it.

    Args:
        verify: as for ``CanvasClient``.
        timeouts: the time limits; ``total`` counts from the end of the request.
    """

    def __init__(self, *, verify: bool | str = True, timeouts: Timeouts) -> None:
        self._authority = authorities(verify)
        self._timeouts = timeouts
        self._proxies = Proxies()
        self._routes: dict[tuple[str, str], _Route] = {}
        if self._authority is False:
            # The admin asked for it, and one warning per request would flood the log.
            urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)

    def send(self, prepared: PreparedRequest) -> Result:
        """Send, and read the response; with ``stream``, leave the body of a 2xx response unread.

        An error comes back as a ``Failure``, not as an exception: those of the library hold whole URLs.
        """
        try:
            response = self._open(prepared)
            headers = lower_case((name, _utf8(value)) for name, value in response.headers.items())
            unread = Response(response.status, headers)
            if prepared.stream and unread.is_success:
                return replace(unread, stream=_ResponseStream(response))
            body = ResponseBody(response.status, headers, is_upload=prepared.upload is not None)
            try:
                _read(response, body)
            finally:
                _release(response)
            return body.result()
        except (urllib3.exceptions.HTTPError, http.client.HTTPException, OSError) as error:
            return _failure(error)

    def close(self) -> None:
        """Close every idle connection."""
        for route in self._routes.values():
            route.pool.close()

    def _open(self, prepared: PreparedRequest) -> urllib3.BaseHTTPResponse:
        parts = urlsplit(prepared.url)
        route = self._routes.get((parts.scheme, parts.netloc))
        if route is None:
            route = self._routes.setdefault((parts.scheme, parts.netloc), self._route(prepared.url))
        target, headers = prepared.url.partition("#")[0], dict(prepared.headers)
        if route.proxy_headers is None:
            target = target[len(parts.scheme) + 3 + len(parts.netloc) :]
            target = target if target.startswith("/") else f"/{target}"
        else:
            headers |= route.proxy_headers
        body: Any = prepared.body if prepared.upload is None else prepared.upload  # urllib3 takes any buffers
        return route.pool.urlopen(
            prepared.method,
            target,
            body=body,
            headers=headers,
            retries=False,
            redirect=False,
            assert_same_host=False,
            timeout=urllib3.Timeout(connect=self._timeouts.connect, read=self._timeouts.read),
            preload_content=False,
            decode_content=False,
        )

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        """One context for all connections: loading the authorities takes longer than a handshake."""
        return tls_context(self._authority) or _unverified_context()

    def _route(self, url: str) -> _Route:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
        proxy = self._proxies.of(url)
        proxy_headers = None
        pool: urllib3.HTTPConnectionPool
        if not proxy and parts.scheme == "https":
            pool = urllib3.HTTPSConnectionPool(host, port, maxsize=_CONNECTIONS, ssl_context=self._tls)
        elif not proxy:
            pool = urllib3.HTTPConnectionPool(host, port, maxsize=_CONNECTIONS)
        else:
            manager = self._manager(proxy)
            pool = manager.connection_from_host(host, port, parts.scheme)
            if parts.scheme != "https" and isinstance(manager, urllib3.ProxyManager):
                proxy_headers = _credentials(proxy)
        return _Route(with_deadline(pool, self._timeouts), proxy_headers)

    def _manager(self, proxy: str) -> urllib3.PoolManager:
        if proxy.startswith("socks"):
            try:
                from urllib3.contrib.socks import SOCKSProxyManager  # noqa: PLC0415 - PySocks, which few need
            except ImportError:
                raise InputError("proxy", "a SOCKS proxy needs the package PySocks") from None
            return SOCKSProxyManager(proxy, maxsize=_CONNECTIONS, ssl_context=self._tls)
        return urllib3.ProxyManager(
            proxy, proxy_headers=_credentials(proxy), maxsize=_CONNECTIONS, ssl_context=self._tls
        )


class _ResponseStream:
    """The body of a response as a ``Stream``. http.client reads from the socket straight into the caller's memory."""

    def __init__(self, response: urllib3.BaseHTTPResponse) -> None:
        self._response = response
        self._inner = _inner(response)
        self._inner.remove_deadline()
        self._broken = False

    @property
    def is_complete(self) -> bool:
        return self._inner.is_complete

    def readinto(self, target: memoryview) -> int:
        filled, until = 0, time.monotonic() + _LONGEST_FILL
        while filled < len(target) and time.monotonic() < until:
            count = self._next(target[filled:])
            if not count:
                break
            filled += count
        if self._broken and not filled:
            raise ConnectionError("the connection broke")
        return filled

    def _next(self, target: memoryview) -> int:
        if self._broken:
            return 0
        try:
            return self._inner.read_available(target)
        except (http.client.HTTPException, OSError, ValueError):
            self._broken = True  # bytes that arrived before are returned first, so the next call raises
            return 0

    def close(self) -> None:
        _release(self._response)


def _inner(response: urllib3.BaseHTTPResponse) -> DeadlineResponse:
    inner: Any = getattr(response, "_fp", None)
    assert isinstance(inner, DeadlineResponse)
    return inner


def _read(response: urllib3.BaseHTTPResponse, body: ResponseBody) -> None:
    inner, buffer = _inner(response), memoryview(bytearray(_STEP))
    while (count := inner.read_available(buffer)) and body.add(bytes(buffer[:count])):
        continue


def _release(response: urllib3.BaseHTTPResponse) -> None:
    """Return the connection to the pool if the response is complete, else close it."""
    if not response.closed:
        response.close()
    response.release_conn()


def _credentials(proxy: str) -> dict[str, str]:
    """Return the ``Proxy-Authorization`` header for the credentials in a proxy's URL."""
    parts = urlsplit(proxy)
    if not parts.username:
        return {}
    return dict(make_headers(proxy_basic_auth=f"{unquote(parts.username)}:{unquote(parts.password or '')}"))


def _unverified_context() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


class _WithoutQueries(logging.Filter):
    """Removes the query from every URL that urllib3 logs at level DEBUG: it may be a signature."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(
                re.sub(r"\?.*", "?...", arg) if isinstance(arg, str) else arg for arg in record.args
            )
        return True


logging.getLogger("urllib3.connectionpool").addFilter(_WithoutQueries())


def _utf8(value: str) -> str:
    """Return a header as UTF-8, which it nearly always is; http.client reads every one as Latin-1."""
    return value.encode("latin-1", "replace").decode("utf-8", "replace")


def _failure(error: BaseException) -> Failure:
    causes = list(_causes(error))
    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in causes):
        return Failure.UNTRUSTED
    unsent = any(isinstance(cause, _EARLY) or _in_handshake(cause) for cause in causes)
    return Failure.NOT_SENT if unsent else Failure.LOST


def _in_handshake(error: BaseException) -> bool:
    """Return whether TLS was still being negotiated; the libraries raise the same types then as during the request."""
    return any(frame.f_code.co_name == "do_handshake" for frame, _ in traceback.walk_tb(error.__traceback__))


def _causes(error: Any) -> list[BaseException]:
    """Return the error and those it wraps; the libraries keep the reason in arguments rather than in ``__cause__``."""
    found: list[BaseException] = []
    waiting = [error]
    while waiting:
        current = waiting.pop()
        if isinstance(current, BaseException) and current not in found:
            found.append(current)
            waiting += [
                *current.args,
                getattr(current, "reason", None),
                current.__cause__,
                current.__context__,
            ]
    return found
