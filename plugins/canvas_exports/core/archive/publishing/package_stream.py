"""The way of a package's bytes: count, keep what the proof needs, digest, and prove before the stream may end.

A store makes an object visible only if the stream ends well. So whatever is wrong is raised here, before the end,
and nothing was ever visible: there is no commit flag to forget.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from itertools import islice

from canvas_exports.core.packages.proof import Expectation, Proof
from canvas_exports.core.packages.prove_directory import prove_directory
from canvas_exports.core.packages.random_access import TAIL, RandomAccess, TailBuffer
from canvas_exports.core.storage.buffers import BlockWriter, BufferPool, SingleBuffer, close, is_small
from canvas_exports.core.storage.store import Block
from canvas_exports.errors import CorruptPackageError

__all__ = ["BufferPool", "Pipeline", "Stage"]

Stage = Callable[[str], AbstractContextManager[object]]
"""Surrounds a piece of the work, for whoever times it: ``proof`` or ``publish``."""


class Pipeline:
    """One pass over a package. What it learned is complete once ``run`` has ended.

    Args:
        expect: what the package must be.
        budget: where the memory comes from, shared by all packages of a task.
        windows: offsets the proof will need besides the tail.
        stored: where the proof may look instead, for a package that can be read again.
        stage: surrounds the proof.

    Attributes:
        space: memory for a source that can write its bytes in place, which saves copying them.
        size: bytes that passed.
        sha256: their digest, in hexadecimal.
        proof: what the proof found.
    """

    size: int
    sha256: str
    proof: Proof

    def __init__(
        self,
        expect: Expectation,
        budget: BufferPool,
        *,
        windows: Sequence[range] = (),
        stored: RandomAccess | None = None,
        stage: Stage = nullcontext,
    ) -> None:
        self._expect = expect
        self._windows = windows
        self._stored = stored
        self._stage = stage
        self._small = is_small(expect.size)
        self.space = BlockWriter(SingleBuffer(expect.size or 0) if self._small else budget)

    def run(self, source: Iterator[Block]) -> Generator[Block, None, None]:
        """Pass a package on to a store, in blocks of the budget.

        A block of the source need only stay as it is until the next one is asked for.

        Raises:
            CorruptPackageError: see ``prove_directory``; raised at the first byte where it shows there.
            WrongPackageError: see ``prove_directory``.
            BytesNotKeptError: see ``prove_directory``.
        """
        size = self._expect.size
        kept = TailBuffer(size, self._windows, min(TAIL, size) if size else TAIL)
        digest = hashlib.sha256()
        blocks = self.space.blocks(kept.record(_plausible(source, size)))
        yield from (_digested_here if self._small else _digested)(blocks, digest.update)
        self.size = kept.size
        self.sha256 = digest.hexdigest()
        with self._stage("proof"):
            self.proof = prove_directory(self._stored or kept, self._expect)


def _plausible(source: Iterator[Block], expected: int | None) -> Iterator[Block]:
    """Stop at once what cannot become the package: a web page in its place, or too many bytes."""
    arrived = 0
    try:
        for block in source:
            if not arrived and len(block) > 1 and bytes(block[:2]) != b"PK":
                page = bytes(block[:64]).lstrip().startswith(b"<")
                raise CorruptPackageError(
                    "a web page arrived instead of the package" if page else "this is not a zip"
                )
            arrived += len(block)
            if expected is not None and arrived > expected:
                raise CorruptPackageError(f"more bytes arrived than the {expected:,} that Canvas announced")
            yield block
    finally:
        close(source)


def _digested(blocks: Iterator[memoryview], update: Callable[[memoryview], object]) -> Iterator[Block]:
    """Digest every block in a thread of its own, while the store takes it and the source fills the next one."""
    with ThreadPoolExecutor(1, thread_name_prefix="sha256") as thread:
        done: Future[object] | None = None
        while held := list(islice(blocks, 1)):
            if done is not None:
                done.result()  # or blocks would pile up behind a digest that is slower than the store
            done = thread.submit(update, held[0])
            yield held.pop()


def _digested_here(blocks: Iterator[memoryview], update: Callable[[memoryview], object]) -> Iterator[Block]:
    """The same without a thread, which would cost more than it digests."""
    for block in blocks:
        update(block)
        yield block
