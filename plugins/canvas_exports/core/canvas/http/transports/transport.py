"""Sending over ``urllib3``: verbatim, without redirects, cookies, ``.netrc`` or retries of its own.

Not over ``requests``, on the same connections: it spends a third of a millisecond of processor more on every request, and
loads the certificate authorities anew for every connection.
"""

from __future__ import annotations

import http.client
import logging
import re
import ssl
import time
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import unquote, urlsplit

import urllib3
from urllib3.util import make_headers

from canvas_exports.core.canvas.http.messages import Failure, PreparedRequest, Response, Result, lower_case
from canvas_exports.core.canvas.http.transports.environment import Proxies, authorities, tls_context
from canvas_exports.core.canvas.http.transports.response_body import LARGEST, LARGEST_ERROR, Body
from canvas_exports.core.canvas.http.transports.response_deadline import TimedResponse, timed
from canvas_exports.errors import InputError

# Kept open per host: requests in flight and packages under way. Opening one anew for each halves throughput over TLS.
_CONNECTIONS = 80
_STEP = 64 * 1024  # bytes of an answer read at once
_MOMENT = 1.0  # seconds after which what has arrived of a package is handed on, however little
_OK, _REDIRECT = 200, 300
_EARLY = (
    urllib3.exceptions.LocationValueError,
    urllib3.exceptions.ConnectTimeoutError,
    urllib3.exceptions.NewConnectionError,
    urllib3.exceptions.ProxyError,
)


@dataclass(frozen=True)
class _Way:
    """To one host: its connections, and what a proxy of plain requests wants to be told."""

    pool: urllib3.HTTPConnectionPool
    by_proxy: Mapping[str, str] | None = None


class Transport:
    """A pool of connections. Threads may share it.

    Args:
        verify: as for ``CanvasClient``.
        connect_timeout: seconds until a connection must stand.
        read_timeout: seconds without a byte after which a connection counts as broken.
        total_timeout: seconds from the end of a request to that of its answer; the body of a package has no such end.
    """

    def __init__(
        self,
        *,
        verify: bool | str = True,
        connect_timeout: float,
        read_timeout: float,
        total_timeout: float | None = None,
    ) -> None:
        self._authority = authorities(verify)
        self._times = (read_timeout, 2 * read_timeout if total_timeout is None else total_timeout)
        self._timeout = urllib3.Timeout(connect=connect_timeout, read=read_timeout)
        self._proxies = Proxies()
        self._ways: dict[tuple[str, str], _Way] = {}
        if self._authority is False:
            # Somebody asked for it; one warning per request would drown the log.
            urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)

    def send(self, prepared: PreparedRequest) -> Result:
        """Send, and read the answer; with ``stream``, leave the body of a 2xx answer unread.

        What goes wrong comes back as a ``Failure``, not as an exception: those of the library hold whole URLs.
        """
        try:
            response = self._open(prepared)
            headers = lower_case((name, _utf8(value)) for name, value in response.headers.items())
            fine = _OK <= response.status < _REDIRECT
            if prepared.stream and fine:
                return Response(response.status, headers, stream=_Arriving(response))
            # Nobody reads what storage says to an upload.
            most = LARGEST if fine and prepared.upload is None else LARGEST_ERROR
            body = Body(headers.get("content-encoding", ""), most)
            try:
                _read(response, body)
            finally:
                _let_go(response)
            if body.is_full and most == LARGEST:
                return Failure.TOO_LARGE
            return Response(response.status, headers, body.found)
        except (urllib3.exceptions.HTTPError, http.client.HTTPException, OSError) as error:
            return _failure(error)

    def close(self) -> None:
        """Close every idle connection."""
        for way in self._ways.values():
            way.pool.close()

    def _open(self, prepared: PreparedRequest) -> urllib3.BaseHTTPResponse:
        parts = urlsplit(prepared.url)
        way = self._ways.get((parts.scheme, parts.netloc))
        if way is None:
            way = self._ways.setdefault((parts.scheme, parts.netloc), self._way(prepared.url))
        target, headers = prepared.url.partition("#")[0], dict(prepared.headers)
        if way.by_proxy is None:
            target = target[len(parts.scheme) + 3 + len(parts.netloc) :]
            target = target if target.startswith("/") else f"/{target}"
        else:
            headers |= way.by_proxy
        body: Any = prepared.body if prepared.upload is None else prepared.upload  # urllib3 takes any buffers
        return way.pool.urlopen(
            prepared.method,
            target,
            body=body,
            headers=headers,
            retries=False,
            redirect=False,
            assert_same_host=False,
            timeout=self._timeout,
            preload_content=False,
            decode_content=False,
        )

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        """One context for all connections: loading the authorities takes longer than a handshake."""
        return tls_context(self._authority) or _unchecked()

    def _way(self, url: str) -> _Way:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
        proxy = self._proxies.of(url)
        by_proxy = None
        pool: urllib3.HTTPConnectionPool
        if not proxy and parts.scheme == "https":
            pool = urllib3.HTTPSConnectionPool(host, port, maxsize=_CONNECTIONS, ssl_context=self._tls)
        elif not proxy:
            pool = urllib3.HTTPConnectionPool(host, port, maxsize=_CONNECTIONS)
        else:
            manager = self._manager(proxy)
            pool = manager.connection_from_host(host, port, parts.scheme)
            if parts.scheme != "https" and isinstance(manager, urllib3.ProxyManager):
                by_proxy = _credentials(proxy)
        silence, total = self._times
        return _Way(timed(pool, silence=silence, total=total), by_proxy)

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


class _Arriving:
    """The rest of a response, as a ``Stream``. http.client reads from the socket straight into our memory."""

    def __init__(self, response: urllib3.BaseHTTPResponse) -> None:
        self._response = response
        self._inner = _inner(response)
        self._inner.take_your_time()
        self._broken = False

    @property
    def is_complete(self) -> bool:
        return self._inner.is_complete

    def readinto(self, target: memoryview) -> int:
        filled, began = 0, time.monotonic()
        while filled < len(target) and time.monotonic() - began < _MOMENT:
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
            return self._inner.arrive(target)
        except (http.client.HTTPException, OSError, ValueError):
            self._broken = True  # what arrived before counts, so it is told the next time
            return 0

    def close(self) -> None:
        _let_go(self._response)


def _inner(response: urllib3.BaseHTTPResponse) -> TimedResponse:
    inner: Any = getattr(response, "_fp", None)
    assert isinstance(inner, TimedResponse)
    return inner


def _read(response: urllib3.BaseHTTPResponse, body: Body) -> None:
    """All of an answer, as far as it is wanted."""
    inner, buffer = _inner(response), memoryview(bytearray(_STEP))
    while (count := inner.arrive(buffer)) and body.take(bytes(buffer[:count])):
        continue


def _let_go(response: urllib3.BaseHTTPResponse) -> None:
    """Give the connection back if it has nothing more to say, else close it."""
    if not response.closed:
        response.close()
    response.release_conn()


def _credentials(proxy: str) -> dict[str, str]:
    """What a proxy wants to see, from its URL."""
    parts = urlsplit(proxy)
    if not parts.username:
        return {}
    return dict(make_headers(proxy_basic_auth=f"{unquote(parts.username)}:{unquote(parts.password or '')}"))


def _unchecked() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


class _WithoutQueries(logging.Filter):
    """Takes the query out of every URL that urllib3 logs at level DEBUG: it may be a signature."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(
                re.sub(r"\?.*", "?...", arg) if isinstance(arg, str) else arg for arg in record.args
            )
        return True


logging.getLogger("urllib3.connectionpool").addFilter(_WithoutQueries())


def _utf8(value: str) -> str:
    """A header as what it nearly always is; http.client reads every one as Latin-1."""
    return value.encode("latin-1", "replace").decode("utf-8", "replace")


def _failure(error: BaseException) -> Failure:
    causes = list(_causes(error))
    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in causes):
        return Failure.UNTRUSTED
    unsent = any(isinstance(cause, _EARLY) or _in_handshake(cause) for cause in causes)
    return Failure.NOT_SENT if unsent else Failure.LOST


def _in_handshake(error: BaseException) -> bool:
    """Whether TLS was still being agreed on; the libraries raise the same types then as in mid-request."""
    return any(frame.f_code.co_name == "do_handshake" for frame, _ in traceback.walk_tb(error.__traceback__))


def _causes(error: Any) -> list[BaseException]:
    """The error and what it wraps; the libraries hide the reason in arguments rather than in ``__cause__``."""
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
