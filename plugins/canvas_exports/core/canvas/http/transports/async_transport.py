"""Send requests over ``aiohttp``: verbatim, without redirects, cookies or ``.netrc``, and never blocking the event loop."""

from __future__ import annotations

import asyncio
from weakref import WeakKeyDictionary

import aiohttp
from yarl import URL

from canvas_exports.core.canvas.http.messages import Failure, PreparedRequest, Result, lower_case
from canvas_exports.core.canvas.http.transports.environment import Proxies, authorities, tls_context
from canvas_exports.core.canvas.http.transports.response_body import ResponseBody
from canvas_exports.core.canvas.http.transports.timeouts import Timeouts

_CONNECTIONS = 20  # more never helped; the rate limiter allows fewer anyway
_LONGEST_LINE = 64 * 1024  # bytes of a header, as for the other client
_EARLY = (
    aiohttp.ClientConnectorError,
    aiohttp.ClientHttpProxyError,
    aiohttp.ConnectionTimeoutError,
    aiohttp.InvalidURL,
)

_PoolKey = tuple[bool | str, Timeouts]


class AsyncTransport:
    """Sends on the event loop of its first request, over connections that all transports of that loop share.

    A hundred triggers open no more connections than one, and read the certificate authorities once. A connection knows no
    token: each request carries its own.

    aiohttp by itself sends a GET once more when the server closed the connection on it; this cannot be turned off.

    Args:
        verify: as for ``CanvasClient``.
        timeouts: the time limits; ``total`` counts from the first attempt to connect.
    """

    def __init__(self, *, verify: bool | str = True, timeouts: Timeouts) -> None:
        self._key = (authorities(verify), timeouts)
        self._proxies = Proxies()
        self._pool: _Pool | None = None

    async def send(self, prepared: PreparedRequest) -> Result:
        """Send, and read the whole response. An error comes back as a ``Failure``, not as an exception."""
        try:
            if self._pool is None:
                self._pool = _join(self._key)
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
                body = ResponseBody(response.status, headers)
                async for arrived in response.content.iter_any():
                    if not body.add(arrived):
                        response.close()
                        break
                return body.result()
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
    """The connections of one event loop that trust the same authorities, with a count of their users."""

    def __init__(self, key: _PoolKey) -> None:
        self.session: aiohttp.ClientSession | None = None
        self.users = 0
        self._key = key
        self._opening = asyncio.Lock()

    async def open(self) -> aiohttp.ClientSession:
        """Return the session; the first user opens it."""
        verify, timeouts = self._key
        async with self._opening:
            if self.session is None:
                context = await asyncio.to_thread(tls_context, verify)
                self.session = aiohttp.ClientSession(
                    connector=aiohttp.TCPConnector(limit=_CONNECTIONS, ssl=context),
                    timeout=aiohttp.ClientTimeout(
                        total=timeouts.total, sock_connect=timeouts.connect, sock_read=timeouts.read
                    ),
                    auto_decompress=False,
                    max_line_size=_LONGEST_LINE,
                    max_field_size=_LONGEST_LINE,
                    cookie_jar=aiohttp.DummyCookieJar(),
                )
            return self.session

    async def leave(self) -> None:
        """Count one user less; the last one closes the session."""
        self.users -= 1
        if self.users == 0 and self.session is not None:
            session, self.session = self.session, None
            await session.close()


open_pools: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[_PoolKey, _Pool]] = WeakKeyDictionary()


def _join(key: _PoolKey) -> _Pool:
    """Return the pool of the running loop, and count one user more."""
    pool = open_pools.setdefault(asyncio.get_running_loop(), {}).setdefault(key, _Pool(key))
    pool.users += 1
    return pool


def _utf8(value: str) -> str:
    """Return a header without the lone surrogates as which aiohttp reads bytes that are not UTF-8."""
    return value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
