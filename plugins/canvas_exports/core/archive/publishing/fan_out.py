"""Share one download among several consumers: each gets every block, and the others go on without one that fails.

The blocks are shared and not copied: a buffer is free again when the last consumer has released it. A consumer holds one block
and has at most one waiting, so memory is that of a single consumer and does not grow with their number.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from canvas_exports.core.archive.publishing.package_source import PackageSource, ProvenStream
from canvas_exports.core.packages.proof import Proof
from canvas_exports.core.packages.random_access import BytesNotKeptError
from canvas_exports.core.storage.store import Block

_END = object()


class PassAborted(Exception):  # noqa: N818 - not an error of the consumer: ``FanOut.serve`` raises what is wrong
    """The stream ended early for every consumer: the download or the proof failed."""


class FanOut(PackageSource):
    """A package source for several consumers, each in a thread of its own, of one download.

    A consumer that opens a stream waits until every other one has opened one, too, or has left. Then one download serves all.

    Args:
        source: of the package.
        consumers: how many there are. Each calls ``leave`` in the end, however it ends.
    """

    def __init__(self, source: PackageSource, consumers: int) -> None:
        super().__init__(source.download, source.expect, source.pool, stage=source.stage, level=source.level)
        self.looks_first = source.looks_first
        self._source = source
        self._present = consumers
        self._waiting: list[_Consumer] = []
        self._changed = threading.Condition()
        self._is_over = False

    def peek(self) -> Proof | None:
        """Read the end of the package once for all consumers; see ``PackageSource.peek``."""
        return self._source.peek()

    @contextmanager
    def open_stream(
        self, windows: Sequence[range] = (), *, algorithms: Sequence[str]
    ) -> Iterator[ProvenStream]:
        """Open the stream of one of several consumers; see ``PackageSource.open_stream``.

        Raises:
            PassAborted: the stream broke; ``serve`` raises what broke it.
        """
        consumer = _Consumer(windows, algorithms, self._changed)
        with self._changed:
            self._waiting.append(consumer)
            self._changed.notify_all()
            self._changed.wait_for(lambda: consumer.has_begun or self._is_over)
        if not consumer.has_begun:
            raise PassAborted
        try:
            yield consumer
        finally:
            consumer.end()

    def leave(self) -> None:
        """Note that a consumer will not open another stream."""
        with self._changed:
            self._present -= 1
            self._changed.notify_all()

    def serve(self) -> None:
        """Stream the package to all consumers that wait for it, until all have left.

        Raises:
            Exception: what the download or the proof raised. By then all consumers have ended, and none that waited for the
                package has any of it.
        """
        try:
            while consumers := self._next_pass():
                with suppress(_NoConsumerLeft):
                    self._stream_to(consumers)
        finally:
            with self._changed:
                self._is_over = True
                self._changed.notify_all()

    def _next_pass(self) -> list[_Consumer]:
        """Wait until every consumer that has not left is waiting, and return them."""
        with self._changed:
            self._changed.wait_for(lambda: len(self._waiting) >= self._present)
            consumers, self._waiting = self._waiting, []
            return consumers

    def _stream_to(self, consumers: list[_Consumer]) -> None:
        """Stream the package once, to all consumers. Those of them that have not failed open the next stream, if one is needed."""
        windows = dict.fromkeys(window for consumer in consumers for window in consumer.windows)
        algorithms = dict.fromkeys(name for consumer in consumers for name in consumer.algorithms)
        with self._source.open_stream(tuple(windows), algorithms=tuple(algorithms)) as stream:
            for consumer in consumers:
                consumer.begin(stream)
            _check_consumers(consumers)
            blocks = iter(stream)
            try:
                while (block := next(blocks, _END)) is not _END:
                    for consumer in consumers:
                        consumer.offer(block)
                    del block  # or its buffer would not be free while the next one is waited for
                    _check_consumers(consumers)
                for consumer in consumers:
                    consumer.offer(_END)
            except BytesNotKeptError as error:
                for consumer in consumers:
                    consumer.abort(error.missing)
            except BaseException:
                for consumer in consumers:
                    consumer.abort()
                raise
            finally:
                for consumer in consumers:
                    consumer.wait()


def _check_consumers(consumers: list[_Consumer]) -> None:
    if all(consumer.has_ended for consumer in consumers):
        raise _NoConsumerLeft


class _NoConsumerLeft(Exception):  # noqa: N818 - as above
    """Every consumer has failed, so that there is no use in reading on."""


class _Consumer:
    """One consumer in one pass. Its blocks are offered by one thread and taken by another."""

    def __init__(
        self, windows: Sequence[range], algorithms: Sequence[str], changed: threading.Condition
    ) -> None:
        self.windows = windows
        self.algorithms = algorithms
        self.has_ended = False
        self._stream: ProvenStream | None = None
        self._offered: Any = None
        self._aborted: tuple[range, ...] | None = None
        self._changed = changed

    @property
    def has_begun(self) -> bool:
        """Return whether the pass has begun."""
        return self._stream is not None

    @property
    def size(self) -> int:
        """Return the bytes of the package."""
        return self._shared.size

    @property
    def digests(self) -> Mapping[str, str]:
        """Return their digests, also by algorithms that only other consumers have asked for."""
        return self._shared.digests

    @property
    def proof(self) -> Proof:
        """Return the proof of the package."""
        return self._shared.proof

    @property
    def _shared(self) -> ProvenStream:
        assert self._stream is not None  # no consumer sees itself before
        return self._stream

    def __iter__(self) -> Iterator[Block]:
        """Yield the blocks that are offered, until they end or the pass is aborted."""
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._offered is not None or self._aborted is not None)
                if self._aborted is not None:
                    raise BytesNotKeptError(*self._aborted) if self._aborted else PassAborted
                only, self._offered = [self._offered], None
                self._changed.notify_all()
            if only[0] is _END:
                return
            yield only.pop()  # nothing here keeps the block

    def begin(self, stream: ProvenStream) -> None:
        """Begin the pass."""
        with self._changed:
            self._stream = stream
            self._changed.notify_all()

    def offer(self, block: object) -> None:
        """Offer one block, or the end, once the block before has been taken. Does nothing for a consumer that has ended."""
        with self._changed:
            self._changed.wait_for(lambda: self._offered is None or self.has_ended)
            if not self.has_ended:
                self._offered = block
                self._changed.notify_all()

    def abort(self, missing: tuple[range, ...] = ()) -> None:
        """End the stream early: with ``BytesNotKeptError`` if the proof is ``missing`` bytes, else with ``PassAborted``."""
        with self._changed:
            self._offered, self._aborted = None, missing
            self._changed.notify_all()

    def end(self) -> None:
        """Note that the consumer has ended, well or not."""
        with self._changed:
            self.has_ended, self._offered = True, None
            self._changed.notify_all()

    def wait(self) -> None:
        """Wait until the consumer has ended."""
        with self._changed:
            self._changed.wait_for(lambda: self.has_ended)
