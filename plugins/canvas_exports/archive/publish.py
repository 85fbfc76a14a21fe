"""Storing one package, in the one order that survives being killed between any two steps."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass
from datetime import datetime, timezone

from canvas_exports.archive.blocks import Filling
from canvas_exports.archive.held import OutOfReachError, StoredBytes
from canvas_exports.archive.keys import manifest_key
from canvas_exports.archive.manifest import Manifest, ManifestDraft, PackageFacts
from canvas_exports.archive.pipeline import BlockBudget, Pipeline, Stage
from canvas_exports.archive.proof import content_digest
from canvas_exports.archive.proof.model import Expectation, Finding, Verdict
from canvas_exports.archive.store import Block, Store
from canvas_exports.errors import (
    AlreadyStoredError,
    ArchiveError,
    ArchiveUnavailableError,
    CorruptPackageError,
    PackageError,
)

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/zip"  # of cartridges too: what is inside is said by the export's type

# One as a rule; a second for a directory longer than the tail; a third for a manifest before both.
_PASSES = 3
_ROUNDS = 3

_LONG = 3600.0  # seconds between package and manifest after which the package may have been swept


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
    blocks: Callable[[Filling], Iterator[Block]],
    draft: ManifestDraft,
    expect: Expectation,
    budget: BlockBudget,
    stage: Stage = nullcontext,
) -> Published:
    """Store one package and its manifest, unless they are already there.

    Args:
        store: the archive.
        blocks: starts a download, whose blocks may lie in the space that it is offered. Called once as a rule, not at
            all when the package is already stored, and again (at most twice) for the rare package whose proof needs
            bytes that were not kept as they passed.
        draft: what the manifest says beside what is found out here.
        expect: what the package must be.
        budget: the memory all packages of a task share.
        stage: surrounds the proof, and the writing of the manifest.

    Raises:
        AlreadyStoredError: the key holds another export (permanent).
        CorruptPackageError: nothing was published (retryable).
        WrongPackageError: nothing was published (permanent).
        ArchiveDeniedError: no right to store (permanent).
        ArchiveUnavailableError: the store failed (retryable).
    """
    for _ in range(_ROUNDS):
        stored = _stored(store, draft)
        if stored is not None:
            return stored
        adopted: Pipeline | None = None
        try:
            passed = _transfer(store, draft.key, blocks, expect, budget, stage=stage)
        except AlreadyStoredError:
            # A killed run left it, or another attempt at the same export was quicker.
            adopted = _adopt(store, draft.key, expect, budget, stage)
            if adopted is None:
                continue
            passed = adopted
        seen_at = time.time()
        with stage("publish"):
            published = _seal(store, draft, passed)
        if not published.already and (adopted is not None or time.time() - seen_at > _LONG):
            _look_back(store, published)
        return published
    raise AlreadyStoredError("another attempt keeps storing the same package", key=draft.key)


def _stored(store: Store, draft: ManifestDraft) -> Published | None:
    """The package, if it is already there with its manifest."""
    marker = manifest_key(draft.key)
    try:
        manifest = Manifest.from_json(store.read(marker))
    except KeyError:
        return None
    if not _same(manifest, draft):
        raise AlreadyStoredError(
            f"the key holds export {manifest.export.id} of {manifest.export.canvas_host}; "
            "use another archive for another Canvas",
            key=draft.key,
            export_id=draft.export.id,
        )
    info = store.stat(draft.key)
    if info is None or info.size != manifest.package.size:
        raise ArchiveError(
            "the manifest is there but its package is gone or cut: restore it, or delete the manifest to store it again",
            key=draft.key,
            export_id=draft.export.id,
        )
    return _published(manifest, already=True)


def _adopt(store: Store, key: str, expect: Expectation, budget: BlockBudget, stage: Stage) -> Pipeline | None:
    """Prove what a killed run left under the key, instead of fetching it again. What is not the package is removed."""
    info = store.stat(key)
    if info is None:
        return None
    pipeline = Pipeline(expect, budget, stored=StoredBytes(store, key, info.size), stage=stage)
    try:
        deque(pipeline.run(store.blocks(key)), maxlen=0)
    except PackageError as error:
        log.warning("%s was left without a manifest and is not the package (%s): storing it anew", key, error)
        store.delete(key)
        return None
    except KeyError:
        return None  # another attempt has removed it meanwhile
    return pipeline


def _transfer(
    store: Store,
    key: str,
    blocks: Callable[[Filling], Iterator[Block]],
    expect: Expectation,
    budget: BlockBudget,
    *,
    stage: Stage,
) -> Pipeline:
    """Stream, prove, commit. A proof that needs bytes which have passed asks for another pass that keeps them."""
    windows: tuple[range, ...] = ()
    for _ in range(_PASSES):
        pipeline = Pipeline(expect, budget, windows=windows, stage=stage)
        with ExitStack() as cleanup:
            source = blocks(pipeline.space)
            if isinstance(source, Generator):
                cleanup.callback(source.close)
            stream = pipeline.run(source)
            cleanup.callback(stream.close)
            try:
                store.put(key, stream)
            except OutOfReachError as error:
                log.info("%s is fetched once more: its proof needs %s", key, error)
                windows += error.missing
                continue
        _confirm(store, key, pipeline.size)
        return pipeline
    raise CorruptPackageError("every download of the package looks different")


def _confirm(store: Store, key: str, size: int) -> None:
    info = store.stat(key)
    if info is None or info.size != size:
        store.delete(key)
        raise ArchiveUnavailableError(f"the store did not keep the {size:,} bytes it accepted", key=key)


def _seal(store: Store, draft: ManifestDraft, passed: Pipeline) -> Published:
    """Write the manifest: from here on it is a backup."""
    manifest = Manifest(
        context=draft.context,
        export=draft.export,
        package=PackageFacts(
            key=draft.key,
            size=passed.size,
            sha256=passed.sha256,
            content_digest=passed.proof.content_digest,
            member_count=passed.proof.member_count,
            media_type=MEDIA_TYPE,
            content_digest_version=content_digest.VERSION,
        ),
        proof=passed.proof,
        run=draft.run,
        stored_at=datetime.now(timezone.utc),
    )
    if store.put_if_absent(manifest_key(draft.key), manifest.to_json()):
        return _published(manifest, already=False)
    # Another attempt at the same export was quicker, or another export has the key.
    stored = _stored(store, draft)
    if stored is None:
        raise ArchiveUnavailableError(
            "the store says the manifest is there, and that it is not", key=draft.key
        )
    return stored


def _look_back(store: Store, published: Published) -> None:
    """See that the package was still there when its manifest was written.

    What lies without a manifest for days is swept. A package that an earlier run left may be, just now, and so may that
    of a process that was suspended: then the manifest, which names nothing, is taken back.
    """
    if store.stat(published.key) is None:
        store.delete(published.manifest_key)
        raise ArchiveUnavailableError(
            "the package was swept before it had its manifest; it will be fetched again", key=published.key
        )


def _same(manifest: Manifest, draft: ManifestDraft) -> bool:
    def identity(facts: Manifest | ManifestDraft) -> tuple[object, ...]:
        return (
            facts.context.kind,
            facts.context.id,
            facts.export.type,
            facts.export.id,
            facts.export.canvas_host,
        )

    return identity(manifest) == identity(draft)


def _published(manifest: Manifest, *, already: bool) -> Published:
    return Published(
        key=manifest.package.key,
        manifest_key=manifest_key(manifest.package.key),
        size=manifest.package.size,
        sha256=manifest.package.sha256,
        verdict=manifest.proof.verdict,
        findings=manifest.proof.findings,
        already=already,
        manifest=manifest,
    )
