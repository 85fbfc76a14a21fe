"""Sending over ``aiohttp``: verbatim, without redirects, cookies or ``.netrc``, and never blocking the event loop."""

from __future__ import annotations

import asyncio
from weakref import WeakKeyDictionary

import aiohttp
from yarl import URL

from canvas_exports.core.canvas.http.messages import Failure, PreparedRequest, Response, Result, lower_case
from canvas_exports.core.canvas.http.transports.environment import Proxies, authorities, tls_context
from canvas_exports.core.canvas.http.transports.response_body import LARGEST, LARGEST_ERROR, Body

_CONNECTIONS = 20  # more never helped; the rate budget allows fewer anyway

_LONGEST_LINE = 64 * 1024  # bytes of a header, as for the other client
_OK, _REDIRECT = 200, 300
_Way = tuple[bool | str, float, float, float]

_EARLY = (
    aiohttp.ClientConnectorError,
    aiohttp.ClientHttpProxyError,
    aiohttp.ConnectionTimeoutError,
    aiohttp.InvalidURL,
)


class AsyncTransport:
    """Sends on the event loop of its first request, over connections that all transports of that loop share.

    So a hundred triggers make no more connections than one does, and read the certificate authorities once. A connection
    knows no token: that is in each request.

    Args:
        verify: as for ``CanvasClient``.
        connect_timeout: seconds until a connection must stand.
        read_timeout: seconds without a byte after which a connection counts as broken.
        total_timeout: seconds from the first attempt to connect to the end of the answer.

    aiohttp by itself sends a GET once more when the server closed the connection on it; this cannot be turned off.
    """

    def __init__(
        self,
        *,
        verify: bool | str = True,
        connect_timeout: float,
        read_timeout: float,
        total_timeout: float | None = None,
    ) -> None:
        total = 2 * read_timeout if total_timeout is None else total_timeout
        self._way = (authorities(verify), connect_timeout, read_timeout, total)
        self._proxies = Proxies()
        self._pool: _Pool | None = None

    async def send(self, prepared: PreparedRequest) -> Result:
        """Send, and read the whole answer. What goes wrong comes back as a ``Failure``, not as an exception."""
        try:
            if self._pool is None:
                self._pool = _join(self._way)
            session = self._pool.session or await self._pool.open()
            async with session.request(
                prepared.method,
                URL(prepared.url, encoded=True),
                headers=prepared.headers,
                data=prepared.body,
                allow_redirects=False,
                proxy=self._proxies.of(prepared.url),
            ) as response:
                headers = lower_case((name, _utf8(value)) for name, value in response.headers.items())
                most = LARGEST if _OK <= response.status < _REDIRECT else LARGEST_ERROR
                body = Body(headers.get("content-encoding", ""), most)
                async for arrived in response.content.iter_any():
                    if not body.take(arrived):
                        response.close()
                        break
                if body.is_full and most == LARGEST:
                    return Failure.TOO_LARGE
                return Response(response.status, headers, body.found)
        except aiohttp.ClientConnectorCertificateError:
            return Failure.UNTRUSTED
        except _EARLY:
            return Failure.NOT_SENT
        except (aiohttp.ClientError, asyncio.TimeoutError, OSError):
            return Failure.LOST

    async def close(self) -> None:
        """Send no more; the last transport of a loop closes the connections."""
        pool, self._pool = self._pool, None
        if pool is not None:
            await pool.leave()


class _Pool:
    """The connections of one event loop to wherever the same authorities are trusted, and how many use them."""

    def __init__(self, way: _Way) -> None:
        self.session: aiohttp.ClientSession | None = None
        self.users = 0
        self._way = way
        self._opening = asyncio.Lock()

    async def open(self) -> aiohttp.ClientSession:
        """The session, opened by whoever comes first."""
        verify, connect_timeout, read_timeout, total = self._way
        async with self._opening:
            if self.session is None:
                context = await asyncio.to_thread(tls_context, verify)
                self.session = aiohttp.ClientSession(
                    connector=aiohttp.TCPConnector(limit=_CONNECTIONS, ssl=context),
                    timeout=aiohttp.ClientTimeout(
                        total=total, sock_connect=connect_timeout, sock_read=read_timeout
                    ),
                    auto_decompress=False,
                    max_line_size=_LONGEST_LINE,
                    max_field_size=_LONGEST_LINE,
                    cookie_jar=aiohttp.DummyCookieJar(),
                )
            return self.session

    async def leave(self) -> None:
        """One user less."""
        self.users -= 1
        if self.users == 0 and self.session is not None:
            session, self.session = self.session, None
            await session.close()


_pools: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[_Way, _Pool]] = WeakKeyDictionary()


def _join(way: _Way) -> _Pool:
    """The pool of the running loop, with one user more."""
    pool = _pools.setdefault(asyncio.get_running_loop(), {}).setdefault(way, _Pool(way))
    pool.users += 1
    return pool


def _utf8(value: str) -> str:
    """A header without the half characters as which aiohttp reads what is not UTF-8."""
    return value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
