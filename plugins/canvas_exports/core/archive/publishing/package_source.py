"""A package's way from its source to whoever stores it: one pass as a rule, more where the proof asks for it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, nullcontext

from canvas_exports.core.archive.publishing.package_stream import Pipeline, Stage
from canvas_exports.core.packages.proof import Expectation, Proof, ProofLevel
from canvas_exports.core.packages.prove_directory import prove_directory
from canvas_exports.core.packages.random_access import BytesNotKeptError, RandomAccess
from canvas_exports.core.storage.buffers import BlockWriter, BufferPool, MiB
from canvas_exports.core.storage.store import Block
from canvas_exports.errors import CanvasExportsError, CorruptPackageError

log = logging.getLogger(__name__)

Source = Callable[[BlockWriter], Iterator[Block]]
"""Starts a download, whose blocks may lie in the space that it is offered."""

Put = Callable[[Iterator[Block], Pipeline], None]
"""Stores a stream, of which the pipeline knows everything once it has ended. The stream ends well only if it may be kept."""

Look = Callable[[], RandomAccess | None]
"""Looks at the end of the package without fetching the rest; ``None`` where that cannot be done."""

#: Bytes of a package from which on looking first costs less than fetching it for nothing.
WORTH_A_LOOK = 16 * MiB

# One as a rule; a second for a directory longer than the tail; a third for a manifest before both.
_PASSES = 3


class Delivery:
    """What is to be stored, and what it must be.

    Args:
        source: called once as a rule, and again (at most twice) for the rare package whose proof needs bytes that were not
            kept as they passed.
        expect: what the package must be.
        budget: the memory all packages of a task share.
        stage: surrounds the proof, and the writing of the manifest.
        level: how deeply it is proven; ``full`` reads it once more when it is stored.
        look: looks at its end alone, where its size makes that worth a request or two.
    """

    def __init__(
        self,
        source: Source,
        expect: Expectation,
        budget: BufferPool,
        *,
        stage: Stage = nullcontext,
        level: ProofLevel = ProofLevel.DIRECTORY,
        look: Look | None = None,
    ) -> None:
        self.source = source
        self.expect = expect
        self.budget = budget
        self.stage = stage
        self.level = level
        self._look = look
        self._looking = threading.Lock()
        self._seen: Proof | None = None

    def at_a_glance(self) -> Proof | None:
        """What the package's own directory says, without fetching all of it. Looks once, whoever asks.

        ``None`` if the package is too small for that, its storage cannot do it, or anything is wrong: then it has to come.
        """
        with self._looking:
            if self._look is not None and (self.expect.size or 0) >= WORTH_A_LOOK:
                look, self._look = self._look, None
                try:
                    held = look()
                    self._seen = None if held is None else prove_directory(held, self.expect)
                except (CanvasExportsError, BytesNotKeptError) as error:
                    log.info("the package could not be looked at beforehand: %s", error)
            return self._seen

    def to(self, put: Put) -> Pipeline:
        """Stream, prove, commit. A proof that needs bytes which have passed asks for another pass that keeps them.

        Raises:
            CorruptPackageError: every pass was another package (retryable).
            Exception: whatever the source, the proof or ``put`` raises; nothing was stored then.
        """
        windows: tuple[range, ...] = ()
        for _ in range(_PASSES):
            pipeline = Pipeline(self.expect, self.budget, windows=windows, stage=self.stage)
            with ExitStack() as cleanup:
                source = self.source(pipeline.space)
                if isinstance(source, Generator):
                    cleanup.callback(source.close)
                stream = pipeline.run(source)
                cleanup.callback(stream.close)
                try:
                    put(stream, pipeline)
                except BytesNotKeptError as error:
                    log.info("the package is fetched once more: its proof needs %s", error)
                    windows += error.missing
                    continue
            return pipeline
        raise CorruptPackageError("every download of the package looks different")
