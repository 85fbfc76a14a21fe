"""The producer's side of ``Store.put``."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from canvas_exports.core.storage.store import Block


class Producer:
    """An iterator over a producer's blocks that remembers the producer's own error.

    A store translates what goes wrong with storing, but an error of the producer is its way to abort, and reaches
    the caller unchanged, even if the abort fails too. Empty blocks are left out. No reference to a block is kept: see ``BufferPool``.

    Args:
        blocks: the stream.
        prepare: applied to every block.
    """

    def __init__(
        self, blocks: Iterable[Block], prepare: Callable[[Block], Block] = lambda block: block
    ) -> None:
        self._blocks = iter(blocks)
        self._prepare = prepare
        self._error: BaseException | None = None

    def blame(self) -> None:
        """Raise the producer's error, if it had one: whatever failed after it is only a consequence."""
        if self._error is not None:
            raise self._error

    def __iter__(self) -> Producer:
        return self

    def __next__(self) -> Block:
        try:
            while not len(block := next(self._blocks)):
                continue
        except StopIteration:
            raise
        except BaseException as error:
            self._error = error
            raise
        return self._prepare(block)
