"""Putting a reply on the wire."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from email.utils import formatdate

from aiohttp import web
from multidict import CIMultiDict

from canvas_sandbox.packages.virtual_file import BLOCK
from canvas_sandbox.records import RequestRecord
from canvas_sandbox.web.http.reply import Reply

_DRIPS_PER_SECOND = 20


class Sender:
    """Writes replies, in lower-case header names if the switches say so, and counts the bytes of bodies."""

    def __init__(self, *, lowercase_headers: bool, server: str, clock: Callable[[], float]) -> None:
        self._lower = lowercase_headers
        self._server = server
        self._clock = clock
        self._date = (0, "")

    async def send(self, request: web.BaseRequest, reply: Reply, record: RequestRecord) -> web.StreamResponse:
        """Send; the response for aiohttp to end."""
        if reply.drop:
            _hang_up(request)
            return web.Response()
        headers = self._headers(reply)
        if reply.package is None and reply.cut_after is None and reply.rate is None:
            record.bytes = len(reply.body)
            return web.Response(status=reply.status, body=reply.body, headers=headers)
        response = web.StreamResponse(status=reply.status, headers=headers)
        await response.prepare(request)
        if request.method != "HEAD":
            await self._stream(request, response, reply, record)
        return response

    async def _stream(
        self, request: web.BaseRequest, response: web.StreamResponse, reply: Reply, record: RequestRecord
    ) -> None:
        stop = reply.length if reply.cut_after is None else min(reply.cut_after, reply.length)
        step = BLOCK if reply.rate is None else max(1, int(reply.rate / _DRIPS_PER_SECOND))
        for block in _blocks(reply, stop, step):
            # Counted first, so that a client which has read everything finds everything counted.
            record.bytes += len(block)
            try:
                await response.write(block)
            except ConnectionError:
                record.bytes -= len(block)
                return
            if reply.rate is not None:
                await asyncio.sleep(len(block) / reply.rate)
        if stop < reply.length:
            _hang_up(request)

    def _headers(self, reply: Reply) -> CIMultiDict[str]:
        second = int(self._clock())
        if self._date[0] != second:
            self._date = (second, formatdate(second, usegmt=True))
        named = {
            "Content-Type": reply.content_type,
            **({} if reply.chunked else {"Content-Length": str(reply.length)}),
            "Date": self._date[1],
            "Server": self._server,
            **reply.headers,
        }
        if self._lower:
            named = {name.lower(): value for name, value in named.items()}
        return CIMultiDict(named)


def _blocks(reply: Reply, stop: int, step: int) -> Iterator[bytes | memoryview]:
    if reply.package is not None:
        return reply.package.blocks(0, stop, step)
    return (reply.body[start : min(start + step, stop)] for start in range(0, stop, step))


def _hang_up(request: web.BaseRequest) -> None:
    """Close the connection; what was written still goes out."""
    if request.transport is not None:
        request.transport.close()
