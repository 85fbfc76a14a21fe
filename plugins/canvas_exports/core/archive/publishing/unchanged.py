"""Deduplication: a package with the content of a stored one is not stored again. Its manifest refers to the stored one.

Whether it has the same content is known from the end of the package. Where that can be read alone, the rest is never
downloaded. Elsewhere it is known at the last byte, before the store commits, and an exception in the stream aborts the upload.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from canvas_exports.core.archive.manifest import Manifest
from canvas_exports.core.archive.publishing.package_source import ProvenStream
from canvas_exports.core.model.probes import ProbeFacts
from canvas_exports.core.packages.proof import Proof, Verdict
from canvas_exports.core.storage.store import Block

Baseline = Callable[[], Manifest | None]
"""Find the copy that a new package is compared with: of the same course, group or user. ``None``: there is none.

It must return the newest proven copy. Retention and the sweep never delete that package, so it is still there when the manifest
that refers to it is written. (``publish`` notices if it was deleted by other means.)

Called before the package is streamed: while a store takes a stream, it may not be able to answer.
"""

ProbeCheck = Callable[[ProbeFacts | None, Proof], ProbeFacts | None]
"""Compare a change probe with the truth: given what was read of a course before its export, if anything was, and the proof of
its new package, return what the manifest states of the probe.
"""


class Unchanged(Exception):  # noqa: N818 - not an error: an exception in a stream aborts its upload
    """The package need not be stored.

    Attributes:
        copy: the manifest whose package has the same content.
        proof: of the new package.
    """

    def __init__(self, copy: Manifest, proof: Proof) -> None:
        super().__init__(copy.package.key)
        self.copy = copy
        self.proof = proof


def raise_if_unchanged(copy: Manifest | None, proof: Proof | None) -> None:
    """Compare a proof with a copy.

    Raises:
        Unchanged: the package is whole and has the content of the copy.
    """
    if (
        copy is not None
        and proof is not None
        and proof.verdict is Verdict.WHOLE
        and copy.package.content_digest == proof.content_digest
    ):
        raise Unchanged(copy, proof)


def abort_if_unchanged(stream: ProvenStream, copy: Manifest | None) -> Iterator[Block]:
    """Pass a stream on, and end it with ``Unchanged`` if its package is whole and has the content of the copy."""
    yield from stream
    raise_if_unchanged(copy, stream.proof)
