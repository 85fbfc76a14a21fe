"""Sending over ``aiohttp``: verbatim, without redirects, cookies or ``.netrc``, and never blocking the event loop."""

from __future__ import annotations

import asyncio

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
    """A pool of connections that belongs to the event loop of its first request.

    aiohttp by itself sends a GET once more when the server closed the connection on it; this cannot be turned off.
    """

    def __init__(self, *, verify: bool | str = True, connect_timeout: float, read_timeout: float) -> None:
        self._verify = authorities(verify)
        self._timeout = aiohttp.ClientTimeout(
            total=None, sock_connect=connect_timeout, sock_read=read_timeout
        )
        self._proxies = Proxies()
        self._session: aiohttp.ClientSession | None = None
        self._opening = asyncio.Lock()

    async def send(self, outgoing: Outgoing) -> Reply:
        """Send, and read the whole answer. What goes wrong comes back as a ``Fault``, not as an exception."""
        try:
            session = await self._open()
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
        """Close every connection."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def _open(self) -> aiohttp.ClientSession:
        async with self._opening:
            if self._session is None:
                context = await asyncio.to_thread(tls_context, self._verify)
                self._session = aiohttp.ClientSession(
                    connector=aiohttp.TCPConnector(limit=_CONNECTIONS, ssl=context),
                    timeout=self._timeout,
                    cookie_jar=aiohttp.DummyCookieJar(),
                )
            return self._session
