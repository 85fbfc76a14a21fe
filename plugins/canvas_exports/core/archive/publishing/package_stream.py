"""Stream a package once: count and hash its bytes, keep those that the proof needs, and prove it before the stream ends.

A store makes an object visible only if its stream ends well. Every problem is raised before that end, so a broken package is
never visible, and there is no commit flag to forget.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from itertools import islice

from canvas_exports.core.packages.digests import Hasher
from canvas_exports.core.packages.proof import Expectation, Proof
from canvas_exports.core.packages.prove_directory import prove_directory
from canvas_exports.core.packages.random_access import TAIL, RandomAccess, TailBuffer
from canvas_exports.core.packages.zip.format import check_start
from canvas_exports.core.storage.buffers import BlockWriter, BufferPool, SingleBuffer, close, is_small
from canvas_exports.core.storage.store import Block
from canvas_exports.errors import CorruptPackageError

Download = Callable[[BlockWriter], Iterator[Block]]
"""Start a download. It may write its blocks in place, into the memory that the writer offers."""

Stage = Callable[[str], AbstractContextManager[object]]
"""Surround a step of the work with a span: ``proof`` or ``publish``."""


class PackageStream:
    """The blocks of a package, in buffers of the pool, in one pass. Close it to end the download.

    A block of the download need only stay unchanged until the next one is requested.

    Iterating raises what the download raises, and:
        CorruptPackageError: see ``prove_directory``; raised at the first byte that shows it.
        WrongPackageError: see ``prove_directory``.
        BytesNotKeptError: the proof needs bytes that were not kept; a pass with these ``windows`` keeps them.

    Args:
        download: starts the download.
        expect: what the package must be.
        pool: the buffers that all packages of a task share.
        windows: byte ranges that the proof needs besides the tail.
        algorithms: of the digests to make; see ``core.packages.digests``.
        stored: random access for the proof, if the package can be read again.
        stage: surrounds the proof.

    Attributes:
        size: bytes that passed. This and the two below are known once the iteration has ended well.
        digests: of these bytes, hexadecimal, by algorithm.
        proof: what the proof found.
    """

    size: int
    digests: Mapping[str, str]
    proof: Proof

    def __init__(
        self,
        download: Download,
        expect: Expectation,
        pool: BufferPool,
        *,
        windows: Sequence[range] = (),
        algorithms: Iterable[str] = (),
        stored: RandomAccess | None = None,
        stage: Stage = nullcontext,
    ) -> None:
        self._expect = expect
        self._windows = windows
        self._hasher = Hasher(algorithms := tuple(algorithms))
        self._stored = stored
        self._stage = stage
        small = is_small(expect.size)
        self._hash = _hash_inline if small or not algorithms else hash_in_thread
        self._writer = BlockWriter(SingleBuffer(expect.size or 0) if small else pool)
        self._download = download(self._writer)
        self._blocks = self._run()

    def __iter__(self) -> Iterator[Block]:
        return self._blocks

    def close(self) -> None:
        """End the stream and its download, and release the buffers."""
        self._blocks.close()
        close(self._download)

    def _run(self) -> Generator[Block, None, None]:
        size = self._expect.size
        tail = TailBuffer(size, self._windows, min(TAIL, size) if size else TAIL)
        blocks = self._writer.blocks(tail.record(check_bytes(self._download, size)))
        yield from self._hash(blocks, self._hasher.update)
        self.size = tail.size
        self.digests = self._hasher.hexdigests()
        with self._stage("proof"):
            self.proof = prove_directory(self._stored or tail, self._expect)


def check_bytes(source: Iterator[Block], expected: int | None) -> Iterator[Block]:
    """Pass a stream on, and stop at the first byte that cannot belong to the package: no zip, a web page, too many bytes.

    Raises:
        CorruptPackageError: that (retryable).
    """
    arrived = 0
    try:
        for block in source:
            if not arrived:
                check_start(bytes(block[:64]))
            arrived += len(block)
            if expected is not None and arrived > expected:
                raise CorruptPackageError(f"more bytes arrived than the {expected:,} that Canvas announced")
            yield block
    finally:
        close(source)


def hash_in_thread(blocks: Iterator[memoryview], update: Callable[[memoryview], object]) -> Iterator[Block]:
    """Hash every block in a thread of its own, while the store takes it and the download fills the next one."""
    with ThreadPoolExecutor(1, thread_name_prefix="digest") as thread:
        done: Future[object] | None = None
        while only := list(islice(blocks, 1)):
            if done is not None:
                done.result()  # or blocks would pile up behind a hash that is slower than the store
            done = thread.submit(update, only[0])
            yield only.pop()


def _hash_inline(blocks: Iterator[memoryview], update: Callable[[memoryview], object]) -> Iterator[Block]:
    """Hash every block in this thread: for a small package a second thread costs more than the hash."""
    while only := list(islice(blocks, 1)):
        update(only[0])
        yield only.pop()  # a block that is kept here is missing to the pool, which may have no other
