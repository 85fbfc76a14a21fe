"""Sending over ``aiohttp``: verbatim, without redirects, cookies or ``.netrc``, and never blocking the event loop."""

from __future__ import annotations

import asyncio
from weakref import WeakKeyDictionary

import aiohttp
from yarl import URL

from canvas_exports.canvas.environment import Proxies, authorities, tls_context
from canvas_exports.canvas.wire import Answer, Fault, Outgoing, Reply, lower_case

_CONNECTIONS = 20  # more never helped; the rate budget allows fewer anyway

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

    aiohttp by itself sends a GET once more when the server closed the connection on it; this cannot be turned off.
    """

    def __init__(self, *, verify: bool | str = True, connect_timeout: float, read_timeout: float) -> None:
        self._way = (authorities(verify), connect_timeout, read_timeout)
        self._proxies = Proxies()
        self._pool: _Pool | None = None

    async def send(self, outgoing: Outgoing) -> Reply:
        """Send, and read the whole answer. What goes wrong comes back as a ``Fault``, not as an exception."""
        try:
            if self._pool is None:
                self._pool = _join(self._way)
            session = self._pool.session or await self._pool.open()
            async with session.request(
                outgoing.method,
                URL(outgoing.url, encoded=True),
                headers=outgoing.headers,
                data=outgoing.body,
                allow_redirects=False,
                proxy=self._proxies.of(outgoing.url),
            ) as response:
                return Answer(response.status, lower_case(response.headers.items()), await response.read())
        except aiohttp.ClientConnectorCertificateError:
            return Fault.UNTRUSTED
        except _EARLY:
            return Fault.NOT_SENT
        except (aiohttp.ClientError, asyncio.TimeoutError, OSError):
            return Fault.LOST

    async def close(self) -> None:
        """Send no more; the last transport of a loop closes the connections."""
        pool, self._pool = self._pool, None
        if pool is not None:
            await pool.leave()


class _Pool:
    """The connections of one event loop to wherever the same authorities are trusted, and how many use them."""

    def __init__(self, way: tuple[bool | str, float, float]) -> None:
        self.session: aiohttp.ClientSession | None = None
        self.users = 0
        self._way = way
        self._opening = asyncio.Lock()

    async def open(self) -> aiohttp.ClientSession:
        """The session, opened by whoever comes first."""
        verify, connect_timeout, read_timeout = self._way
        async with self._opening:
            if self.session is None:
                context = await asyncio.to_thread(tls_context, verify)
                self.session = aiohttp.ClientSession(
                    connector=aiohttp.TCPConnector(limit=_CONNECTIONS, ssl=context),
                    timeout=aiohttp.ClientTimeout(
                        total=None, sock_connect=connect_timeout, sock_read=read_timeout
                    ),
                    cookie_jar=aiohttp.DummyCookieJar(),
                )
            return self.session

    async def leave(self) -> None:
        """One user less."""
        self.users -= 1
        if self.users == 0 and self.session is not None:
            session, self.session = self.session, None
            await session.close()


_pools: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[tuple[bool | str, float, float], _Pool]] = (
    WeakKeyDictionary()
)


def _join(way: tuple[bool | str, float, float]) -> _Pool:
    """The pool of the running loop, with one user more."""
    pool = _pools.setdefault(asyncio.get_running_loop(), {}).setdefault(way, _Pool(way))
    pool.users += 1
    return pool
