"""Write a response to the connection."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from email.utils import formatdate

from aiohttp import web
from multidict import CIMultiDict

from canvas_sandbox.packages.virtual_file import BLOCK
from canvas_sandbox.records import RequestRecord
from canvas_sandbox.web.http.messages import Response

_DRIPS_PER_SECOND = 20


class ResponseWriter:
    """Writes responses, optionally with lower-case header names, and counts the bytes of bodies."""

    def __init__(self, *, lowercase_headers: bool, server: str, clock: Callable[[], float]) -> None:
        self._lower = lowercase_headers
        self._server = server
        self._clock = clock
        self._date = (0, "")

    async def send(
        self, request: web.BaseRequest, response: Response, record: RequestRecord
    ) -> web.StreamResponse:
        """Write a response, and return what aiohttp has to finish."""
        if response.drop:
            _hang_up(request)
            return web.Response()
        headers = self._headers(response)
        if response.package is None and response.cut_after is None and response.rate is None:
            record.bytes = len(response.body)
            return web.Response(status=response.status, body=response.body, headers=headers)
        stream = web.StreamResponse(status=response.status, headers=headers)
        await stream.prepare(request)
        if request.method != "HEAD":
            await self._stream(request, stream, response, record)
        return stream

    async def _stream(
        self, request: web.BaseRequest, stream: web.StreamResponse, response: Response, record: RequestRecord
    ) -> None:
        stop = response.length if response.cut_after is None else min(response.cut_after, response.length)
        step = BLOCK if response.rate is None else max(1, int(response.rate / _DRIPS_PER_SECOND))
        for block in _blocks(response, stop, step):
            # Counted first, so that a client which has read everything finds everything counted.
            record.bytes += len(block)
            try:
                await stream.write(block)
            except ConnectionError:
                record.bytes -= len(block)
                return
            if response.rate is not None:
                await asyncio.sleep(len(block) / response.rate)
        if stop < response.length:
            _hang_up(request)

    def _headers(self, response: Response) -> CIMultiDict[str]:
        second = int(self._clock())
        if self._date[0] != second:
            self._date = (second, formatdate(second, usegmt=True))
        named = {
            "Content-Type": response.content_type,
            **({} if response.chunked else {"Content-Length": str(response.length)}),
            "Date": self._date[1],
            "Server": self._server,
            **response.headers,
        }
        if self._lower:
            named = {name.lower(): value for name, value in named.items()}
        return CIMultiDict(named)


def _blocks(response: Response, stop: int, step: int) -> Iterator[bytes | memoryview]:
    if response.package is not None:
        return response.package.blocks(0, stop, step)
    return (response.body[start : min(start + step, stop)] for start in range(0, stop, step))


def _hang_up(request: web.BaseRequest) -> None:
    """Close the connection. Bytes that were written are still sent."""
    if request.transport is not None:
        request.transport.close()
