"""Send packages and files of an archive: a few at a time, each read as the browser takes it, none that holds its place for ever."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor

from starlette.responses import StreamingResponse
from starlette.types import Message, Receive, Scope, Send

from canvas_exports.errors import ArchiveUnavailableError

#: Of one archive. Each keeps a block or two of at most 4 MiB.
MOST_TRANSFERS = 16

_THREADS = 4  # that read for them
_PATIENCE = 30.0  # seconds that one waits for a place: a page may have a hundred pictures
_LONGEST_STALL = 300.0  # seconds for one block: a film that is paused asks again for what it has not got
_END = object()


class Transfer:
    """Bytes that are being sent; an iterator over blocks, which reads on as they are taken. Close it.

    Args:
        blocks: yields the bytes; its empty blocks are left out.
        first: the first block.
        threads: that read.
        release: called once, when it is closed.
    """

    def __init__(
        self,
        blocks: Iterator[bytes],
        first: object,
        threads: ThreadPoolExecutor,
        release: Callable[[], None],
    ) -> None:
        self._blocks = blocks
        self._next = first
        self._threads = threads
        self._release: Callable[[], None] | None = release

    def __aiter__(self) -> Transfer:
        return self

    async def __anext__(self) -> bytes:
        found = b""
        while not found:
            if self._next is None:
                loop = asyncio.get_running_loop()
                self._next = await loop.run_in_executor(self._threads, next, self._blocks, _END)
            if self._next is _END:
                raise StopAsyncIteration
            found, self._next = bytes(self._next), None  # type: ignore[call-overload] # a store may use its buffer again
        return found

    def close(self) -> None:
        """Give its place to another, and stop reading. Again: does nothing."""
        if self._release is not None:
            self._release()
            self._release = None
            if (close := getattr(self._blocks, "close", None)) is not None:
                self._threads.submit(close)


class Transfers:
    """What is being sent from one archive.

    Args:
        name: of the archive, for the names of threads.
    """

    def __init__(self, name: str) -> None:
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix=f"transfer-{name}")
        self._places = asyncio.Semaphore(MOST_TRANSFERS)

    async def start(self, open_blocks: Callable[[], Iterable[bytes]]) -> Transfer:
        """Wait for a place and start reading in a thread.

        The first block is read before this returns, so that its errors can still be answered.

        Raises:
            ArchiveUnavailableError: no place is free for half a minute (retryable).
            CanvasExportsError: what ``open_blocks``, or the first block, raises.
        """
        try:
            await asyncio.wait_for(self._places.acquire(), _PATIENCE)
        except asyncio.TimeoutError:
            raise ArchiveUnavailableError(
                f"{MOST_TRANSFERS} downloads from this archive are under way; try again later"
            ) from None
        loop = asyncio.get_running_loop()
        try:
            blocks = await loop.run_in_executor(self._threads, lambda: iter(open_blocks()))
            first = await loop.run_in_executor(self._threads, next, blocks, _END)
        except BaseException:
            self._places.release()
            raise
        return Transfer(blocks, first, self._threads, self._places.release)


class TransferResponse(StreamingResponse):
    """Sends a transfer, and closes it however the request ends: also if the browser left before the first byte.

    Args:
        transfer: the bytes.
        status_code: of the response.
        headers: likewise.
    """

    def __init__(self, transfer: Transfer, *, status_code: int, headers: dict[str, str]) -> None:
        super().__init__(transfer, status_code=status_code, headers=headers)
        self._transfer = transfer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the response. A browser that takes no bytes for five minutes is left alone.

        Raises:
            asyncio.TimeoutError: it took none.
        """

        async def send_in_time(message: Message) -> None:
            await asyncio.wait_for(send(message), _LONGEST_STALL)

        try:
            await super().__call__(scope, receive, send_in_time)
        finally:
            self._transfer.close()
