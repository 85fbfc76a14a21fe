"""A package that holds what a stored one holds already is not stored again: its manifest refers to that one.

Whether it does is told by the package's end. Where that can be fetched alone, the rest never comes; elsewhere it is known
at the last byte, before the store commits, and leaving the stream by an exception is the abort.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from canvas_exports.core.archive.manifest import Manifest
from canvas_exports.core.archive.publishing.package_stream import Pipeline
from canvas_exports.core.packages.proof import Proof, Verdict
from canvas_exports.core.storage.store import Block

Known = Callable[[], Manifest | None]
"""Finds the copy that tonight's package may repeat: of the same context, and beyond doubt. ``None``: there is none.

Must answer with the newest proven copy. That one's package is never deleted by retention, nor swept: so nothing that is
referred to goes away between the look and the manifest. (Should it, by other hands, ``publish`` finds out.)

Asked before the package comes: while a store takes a stream, it may not be able to answer.
"""


class NothingNew(Exception):  # noqa: N818 - not an error: leaving a stream by an exception aborts its upload
    """The package need not be stored.

    Attributes:
        copy: the manifest whose package holds the same.
        proof: of the package of tonight.
    """

    def __init__(self, copy: Manifest, proof: Proof) -> None:
        super().__init__(copy.package.key)
        self.copy = copy
        self.proof = proof


def end_if_repeated(copy: Manifest | None, proof: Proof | None) -> None:
    """Say that a package need not be stored, if it is whole and holds what the copy holds.

    Raises:
        NothingNew: that.
    """
    if (
        copy is not None
        and proof is not None
        and proof.verdict is Verdict.WHOLE
        and copy.package.content_digest == proof.content_digest
    ):
        raise NothingNew(copy, proof)


def unless_repeated(blocks: Iterator[Block], pipeline: Pipeline, copy: Manifest | None) -> Iterator[Block]:
    """Pass a stream on, and end it by ``NothingNew`` if it is whole and holds what the copy holds."""
    yield from blocks
    end_if_repeated(copy, pipeline.proof)
