"""A package's way from its source to whoever stores it: one pass as a rule, more where the proof asks for it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, nullcontext

from canvas_exports.archive.blocks import BlockBudget, Filling
from canvas_exports.archive.held import OutOfReachError
from canvas_exports.archive.pipeline import Pipeline, Stage
from canvas_exports.archive.proof.model import Expectation, ProofLevel
from canvas_exports.archive.store import Block
from canvas_exports.errors import CorruptPackageError

log = logging.getLogger(__name__)

Source = Callable[[Filling], Iterator[Block]]
"""Starts a download, whose blocks may lie in the space that it is offered."""

Put = Callable[[Iterator[Block], Pipeline], None]
"""Stores a stream, of which the pipeline knows everything once it has ended. The stream ends well only if it may be kept."""

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
    """

    def __init__(
        self,
        source: Source,
        expect: Expectation,
        budget: BlockBudget,
        *,
        stage: Stage = nullcontext,
        level: ProofLevel = ProofLevel.DIRECTORY,
    ) -> None:
        self.source = source
        self.expect = expect
        self.budget = budget
        self.stage = stage
        self.level = level

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
                except OutOfReachError as error:
                    log.info("the package is fetched once more: its proof needs %s", error)
                    windows += error.missing
                    continue
            return pipeline
        raise CorruptPackageError("every download of the package looks different")
