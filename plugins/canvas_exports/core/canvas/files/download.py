"""Download a package as one stream of blocks, and resume it where a connection breaks.

Every connection starts at Canvas's own URL, never at a storage URL of an earlier one: an expired signature is so replaced. A
broken connection is resumed where storage proves that the object is still the same. Where it cannot, ``restart`` is set on the
error, because the blocks before may be of another object.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from functools import partial

from canvas_exports.core.canvas.api.models import Attachment
from canvas_exports.core.canvas.files.download_flow import open_flow, range_flow
from canvas_exports.core.canvas.files.parallel_ranges import (
    BlockMemory,
    ParallelRanges,
    ReconnectPolicy,
    ReusedBuffer,
    StallDetector,
    download_range,
    read_some,
)
from canvas_exports.core.canvas.files.validators import (
    Validator,
    check_full_response,
    check_resumed_response,
    matches_range,
    supports_ranges,
    validator_of,
    wrong_length,
)
from canvas_exports.core.canvas.http.blocking_calls import FlowRunner
from canvas_exports.core.canvas.http.messages import Response, Stream
from canvas_exports.core.canvas.http.session import CanvasSession
from canvas_exports.errors import DownloadError, DownloadRefusedError

BLOCK = 1024 * 1024  # bytes; smaller ones cost a third of the throughput, larger ones gain nothing
DIVISIBLE = 256 * 1024 * 1024  # bytes; a smaller package is not worth more than one connection
# Seconds between two checks whether the client was stopped, while another thread renews the link.
_CHECK_INTERVAL = 0.5
_PACKAGE_STARTS = (b"PK\x03\x04", b"PK\x05\x06")  # a zip, and the empty one of 22 bytes
_PAGE_STARTS = (b"<!doctype", b"<html", b"<?xml", b"<error", b"{", b"[")


class Download:
    """One download of one attachment.

    Args:
        session: the Canvas it comes from.
        attachment: the package as Canvas describes it.
        runner: runs flows, and waits.
        refresh: asks Canvas for the attachment again.
    """

    def __init__(
        self,
        session: CanvasSession,
        attachment: Attachment,
        *,
        runner: FlowRunner,
        refresh: Callable[[FlowRunner], Attachment],
    ) -> None:
        self._session = session
        self._attachment = attachment
        self._runner = runner
        self._refresh = refresh
        self._offset = 0
        self._validator: Validator | None = None
        self._source: str | None = None
        self._supports_ranges = False
        self._renewing = threading.Lock()

    @property
    def size(self) -> int:
        """Bytes, as Canvas announces them."""
        return self._attachment.size

    def blocks(self, memory: BlockMemory | None = None, connections: int = 1) -> Iterator[memoryview]:
        """Yield the package in blocks of at most 1 MiB, or of the memory; each is valid until the next is asked for.

        Args:
            memory: memory for the blocks; see ``CanvasClient.download``.
            connections: to storage, if the package is large and storage serves ranges of it.

        Raises:
            DownloadError: bounded attempts failed. With ``restart``, a new download may start right away; with ``spoiled``,
                another export has to be made if it stays so.
            Stopped: the client was stopped.
        """
        memory = memory or ReusedBuffer(BLOCK)
        reconnects = ReconnectPolicy(self._attachment.size, self._session)
        while True:
            before = self._offset
            body = self._open(self._runner)
            try:
                divisible = self._supports_ranges and self._attachment.size > DIVISIBLE
                if (
                    connections > 1
                    and divisible
                    and (yield from self._in_parallel(body, memory, connections))
                ):
                    return
                slow = yield from self._read_body(body, memory)
            finally:
                body.close()
            if self._offset == self._attachment.size:
                return
            if body.is_complete:
                raise wrong_length(self._offset, self._attachment.size)
            pause = reconnects.after(0 if slow else self._offset - before)
            if pause is None:
                raise DownloadError(f"{self._broken()}, again and again")
            if self._offset and not self._validator:
                raise DownloadError(
                    f"{self._broken()}, and storage offers nothing to resume by", restart=True
                )
            self._runner.stop_signal.wait(pause)

    def _read_body(self, body: Stream, memory: BlockMemory) -> Generator[memoryview, None, bool]:
        """Yield the bytes of one connection until it ends, breaks or stalls. Return whether it stalled."""
        stalls = StallDetector(self._session.clock)
        while not stalls.is_stalled:
            self._runner.stop_signal.check()
            view = self._target(memory)
            with stalls:
                stalls.received = count = read_some(body, view)
            if not count:
                return False
            self._inspect(view[:count])
            self._offset += count
            yield view[:count]
        return True

    def read_range(self, start: int, stop: int) -> bytes | None:
        """Return a range of the package, or ``None`` where its storage does not serve ranges.

        Raises:
            DownloadError: bounded attempts failed.
        """
        if self._source is None:
            self._open(self._runner).close()
        if not self._supports_ranges:
            return None
        found = bytearray(stop - start)
        come = download_range(
            memoryview(found), start, partial(self._open_range, self._runner), self._runner, self._session
        )
        return bytes(found) if come else None

    def _target(self, memory: BlockMemory) -> memoryview:
        """Return memory for the next bytes; after the last one, for the one byte that would be too many."""
        return (
            memory.free_space()[:BLOCK] if self._offset < self._attachment.size else memoryview(bytearray(1))
        )

    def _in_parallel(
        self, body: Stream, memory: BlockMemory, connections: int
    ) -> Generator[memoryview, None, bool]:
        """Yield the package over several connections. Return ``False`` if it has to come over the one that is open."""
        first = memory.acquire(wait=True)
        if first is None:
            return False
        second: Stream | None = None
        try:
            second = self._open_range(self._runner, len(first), min(2 * len(first), self._attachment.size))
        except DownloadError:
            pass
        finally:  # whatever happened, no other code knows the block yet
            if second is None:
                memory.release(first)
        if second is None:
            return False
        runner = self._runner.branch()
        parts = ParallelRanges(
            self._attachment.size,
            memory,
            partial(self._open_range, runner),
            runner=runner,
            session=self._session,
        )
        begun = {0: body, len(first): second}
        with closing(parts.in_order(first, begun, connections)) as blocks:
            for block in blocks:
                self._runner.stop_signal.check()
                self._inspect(block)
                self._offset += len(block)
                yield block
        return True

    def _open_range(self, runner: FlowRunner, start: int, stop: int) -> Stream | None:
        """Open a range of the object from which the package comes; ``None`` if storage has another one, or serves no ranges."""
        size = self._attachment.size
        status = 0
        for _ in range(self._session.attempts):
            url = self._source or ""
            response = runner.run(range_flow(self._session, url, start, stop, self._validator))
            if response.stream is not None:
                if matches_range(response, start, stop, size, self._validator):
                    return response.stream
                response.stream.close()
                return None
            status = response.status
            self._renew_link(runner, url)
        raise DownloadError(f"storage refused ranges of the package, again and again (HTTP {status})")

    def _renew_link(self, runner: FlowRunner, url: str) -> None:
        """Replace a link that was refused, unless another thread has done so meanwhile."""
        while not self._renewing.acquire(timeout=_CHECK_INTERVAL):
            runner.stop_signal.check()
        try:
            if self._source == url:
                fresh = self._follow(runner)
                assert fresh.stream is not None
                fresh.stream.close()
                self._source = fresh.source
        finally:
            self._renewing.release()

    def _open(self, runner: FlowRunner) -> Stream:
        response = self._follow(runner)
        assert response.stream is not None
        try:
            if self._offset:
                check_resumed_response(response, self._offset, self._attachment.size, self._validator)
            else:
                check_full_response(response, self._attachment.size)
                self._validator = validator_of(response)
                self._source = response.source
                self._supports_ranges = supports_ranges(response, self._validator)
        except DownloadError:
            response.stream.close()
            raise
        return response.stream

    def _follow(self, runner: FlowRunner) -> Response:
        """Return the response at the end of the redirects, by a new link where the first one is refused.

        Canvas's file pages answer a token that they no longer know with a login page. Asking for the link renews such a token,
        and the new one is worth another try.
        """
        for _ in range(self._session.attempts):
            token = self._session.tokens.current()
            try:
                return runner.run(
                    open_flow(self._session, self._attachment.url, self._offset, self._validator)
                )
            except DownloadRefusedError:
                self._replace(self._refresh(runner))
                if self._session.tokens.current() == token:
                    break
        return runner.run(open_flow(self._session, self._attachment.url, self._offset, self._validator))

    def _replace(self, attachment: Attachment) -> None:
        if self._offset and (attachment.id, attachment.size) != (self._attachment.id, self._attachment.size):
            raise DownloadError("Canvas replaced the package meanwhile", restart=True)
        self._attachment = attachment

    def _inspect(self, block: memoryview) -> None:
        if self._offset == 0 and not bytes(block[:4]).startswith(_PACKAGE_STARTS):
            head = bytes(block[:64]).lstrip(b"\xef\xbb\xbf \t\r\n").lower()
            if head.startswith(_PAGE_STARTS):
                raise DownloadError(
                    "a page came instead of the package; the token's user may not be allowed to download it"
                )
        if self._offset + len(block) > self._attachment.size:
            raise DownloadError(
                f"the package is longer than announced: more bytes came than the {self._attachment.size} that Canvas names",
                spoiled=True,
            )

    def _broken(self) -> str:
        return f"the download broke off after {self._offset} of {self._attachment.size} bytes"
