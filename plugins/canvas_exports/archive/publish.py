"""Storing one package, in the one order that survives being killed between any two steps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from canvas_exports.archive.manifest import Manifest, ManifestDraft
from canvas_exports.archive.pipeline import BlockBudget
from canvas_exports.archive.proof import Expectation, Finding, Verdict
from canvas_exports.archive.store import Block, Store


@dataclass(frozen=True)
class Published:
    """A stored package. ``already`` tells that it was there before and nothing was transferred."""

    key: str
    manifest_key: str
    size: int
    sha256: str
    verdict: Verdict
    findings: tuple[Finding, ...]
    already: bool
    manifest: Manifest


def publish(
    store: Store,
    *,
    blocks: Callable[[], Iterator[Block]],
    draft: ManifestDraft,
    expect: Expectation,
    budget: BlockBudget,
) -> Published:
    """Store one package and its manifest, unless they are already there.

    Args:
        store: the archive.
        blocks: starts a download. Called once as a rule, not at all when the package is already stored, and again
            (at most twice) for the rare package whose proof needs bytes that were not kept as they passed.
        draft: what the manifest says beside what is found out here.
        expect: what the package must be.
        budget: the memory all packages of a task share.

    Raises:
        AlreadyStoredError: the key holds another export (permanent).
        CorruptPackageError: nothing was published (retryable).
        WrongPackageError: nothing was published (permanent).
        ArchiveDeniedError: no right to store (permanent).
        ArchiveUnavailableError: the store failed (retryable).
    """
    raise NotImplementedError
