"""The source of ``Store.put``: the blocks of a caller, and the error of the caller if there was one."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from canvas_exports.core.storage.store import Block


class PutSource:
    """Iterate over the blocks of a caller, and remember the error that the caller raises.

    A store translates the errors of storing. An error of the caller aborts the upload, and reaches the caller unchanged, even
    if the abort fails, too. Empty blocks are left out. No reference to a block is kept: see ``BufferPool``.

    Args:
        blocks: the stream.
        prepare: applied to every block.

    Attributes:
        error: of the caller; ``None`` if there was none.
    """

    def __init__(
        self, blocks: Iterable[Block], prepare: Callable[[Block], Block] = lambda block: block
    ) -> None:
        self._blocks = iter(blocks)
        self._prepare = prepare
        self.error: BaseException | None = None

    def reraise(self) -> None:
        """Raise the error of the caller, if there was one: all that failed after it is only a consequence."""
        if self.error is not None:
            raise self.error

    def __iter__(self) -> PutSource:
        return self

    def __next__(self) -> Block:
        try:
            while not len(block := next(self._blocks)):
                continue
        except StopIteration:
            raise
        except BaseException as error:
            self.error = error
            raise
        return self._prepare(block)
