"""Storing one package, in the one order that survives being killed between any two steps."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import partial

from canvas_exports.core.archive.layout import manifest_key
from canvas_exports.core.archive.manifest import Manifest, ManifestDraft, PackageFacts, read_manifest
from canvas_exports.core.archive.publishing.package_source import Delivery
from canvas_exports.core.archive.publishing.package_stream import Pipeline
from canvas_exports.core.archive.publishing.proving import proof_of_stored
from canvas_exports.core.archive.publishing.unchanged import (
    Known,
    NothingNew,
    end_if_repeated,
    unless_repeated,
)
from canvas_exports.core.packages import content_digest
from canvas_exports.core.packages.proof import Finding, Proof, ProofLevel, Verdict
from canvas_exports.core.packages.random_access import StoredPackage
from canvas_exports.core.storage.store import Block, Store
from canvas_exports.errors import (
    AlreadyStoredError,
    ArchiveError,
    ArchiveUnavailableError,
    ObjectNotFoundError,
    PackageError,
)

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/zip"  # of cartridges too: what is inside is said by the export's type

_ROUNDS = 3
_SWEPT = "the package was swept before it had its manifest; it will be fetched again"

_LONG = 3600.0  # seconds between package and manifest after which the package may have been swept


@dataclass(frozen=True)
class Published:
    """A stored package.

    Attributes:
        key: of the package.
        manifest_key: of the manifest, which lies under the name of this export.
        already: both were there before, and nothing was transferred.
        unchanged: the package is that of an earlier export, which held the same.
    """

    key: str
    manifest_key: str
    size: int
    sha256: str
    verdict: Verdict
    findings: tuple[Finding, ...]
    already: bool
    unchanged: bool
    manifest: Manifest


def publish(
    store: Store,
    *,
    draft: ManifestDraft,
    delivery: Delivery,
    known: Known | None = None,
) -> Published:
    """Store one package and its manifest, unless they are already there.

    Args:
        store: the archive.
        draft: what the manifest says beside what is found out here.
        delivery: brings the package; not asked for it when it is already stored.
        known: finds the copy that this package may merely repeat; without it, every package is stored.

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
            return _locked(store, stored)
        adopted: Pipeline | None = None
        try:
            copy = known and known()
            if copy is not None:
                end_if_repeated(copy, delivery.at_a_glance())
            passed = delivery.to(partial(_put, store, draft.key, copy))
        except NothingNew as news:
            with delivery.stage("publish"):
                referring = _refer(store, draft, news)
            if referring is not None:
                return _locked(store, referring)
            known = None  # what it knew is gone
            continue
        except AlreadyStoredError:
            # A killed run left it, or another attempt at the same export was quicker.
            adopted = _adopt(store, draft.key, delivery)
            if adopted is None:
                continue
            passed = adopted
        proof = proof_of_stored(store, draft.key, passed, delivery)
        seen_at = time.time()
        with delivery.stage("publish"):
            published = _seal(store, draft, passed, proof)
        if not published.already and (adopted is not None or time.time() - seen_at > _LONG):
            _look_back(store, published)
        return _locked(store, published)
    raise AlreadyStoredError("another attempt keeps storing the same package", key=draft.key)


def _stored(store: Store, draft: ManifestDraft) -> Published | None:
    """The package, if it is already there with its manifest."""
    marker = manifest_key(draft.key)
    try:
        manifest = read_manifest(store, marker)
    except ObjectNotFoundError:
        return None
    if not _same(manifest, draft):
        raise AlreadyStoredError(
            f"the key holds export {manifest.export.id} of {manifest.export.canvas_host}; "
            "use another archive for another Canvas",
            key=draft.key,
            export_id=draft.export.id,
        )
    if _is_there(store, manifest.package):
        return _published(draft, manifest, already=True)
    if manifest.package.key != draft.key:
        log.warning("%s refers to %s, which is gone: storing it anew", marker, manifest.package.key)
        store.delete(marker)
        return None
    raise ArchiveError(
        "the manifest is there but its package is gone or cut: restore it, or delete the manifest to store it again",
        key=draft.key,
        export_id=draft.export.id,
    )


def _is_there(store: Store, package: PackageFacts) -> bool:
    info = store.stat(package.key)
    return info is not None and info.size == package.size


def _adopt(store: Store, key: str, delivery: Delivery) -> Pipeline | None:
    """Prove what a killed run left under the key, instead of fetching it again. What is not the package is removed."""
    info = store.stat(key)
    if info is None:
        return None
    left = StoredPackage(store, key, info.size)
    pipeline = Pipeline(delivery.expect, delivery.budget, stored=left, stage=delivery.stage)
    try:
        deque(pipeline.run(store.blocks(key)), maxlen=0)
    except PackageError as error:
        log.warning("%s was left without a manifest and is not the package (%s): storing it anew", key, error)
        store.delete(key)
        return None
    except ObjectNotFoundError:
        return None  # another attempt has removed it meanwhile
    return pipeline


def _put(store: Store, key: str, copy: Manifest | None, stream: Iterator[Block], pipeline: Pipeline) -> None:
    """Store a stream, unless it turns out to repeat a copy, and see that the store has kept all of it."""
    store.put(key, unless_repeated(stream, pipeline, copy))
    _confirm(store, key, pipeline.size)


def _confirm(store: Store, key: str, size: int) -> None:
    info = store.stat(key)
    if info is None or info.size != size:
        with suppress(
            ArchiveError
        ):  # what is wrong first is what is told; an orphan is looked at before it is used
            store.delete(key)
        raise ArchiveUnavailableError(f"the store did not keep the {size:,} bytes it accepted", key=key)


def _seal(store: Store, draft: ManifestDraft, passed: Pipeline, proof: Proof) -> Published:
    """Write the manifest: from here on it is a backup."""
    package = PackageFacts(
        key=draft.key,
        size=passed.size,
        sha256=passed.sha256,
        content_digest=passed.proof.content_digest,
        member_count=passed.proof.member_count,
        media_type=MEDIA_TYPE,
        content_digest_version=content_digest.VERSION,
    )
    try:
        return _commit(store, draft, package, proof)
    except ObjectNotFoundError:
        raise ArchiveUnavailableError(_SWEPT, key=draft.key) from None


def _refer(store: Store, draft: ManifestDraft, news: NothingNew) -> Published | None:
    """Write a manifest that names the stored package; ``None`` if that is not there before and after.

    Where the stored package has been proven more deeply, that proof is the one to tell: the content is the same.
    """
    package = news.copy.package
    if not _is_there(store, package):
        return None
    levels = list(ProofLevel)
    deepest = max((news.proof, news.copy.proof), key=lambda proof: levels.index(proof.level))
    try:
        published = _commit(store, draft, package, deepest)
    except ObjectNotFoundError:
        return None
    if published.already or _is_there(store, package):
        return published
    store.delete(published.manifest_key)
    return None


def _commit(store: Store, draft: ManifestDraft, package: PackageFacts, proof: Proof) -> Published:
    """Lock the package, where the archive locks, and then write its manifest. ``ObjectNotFoundError``: it is gone.

    So what has no manifest is locked for as long as one request takes, and the sweep never meets it.
    """
    store.lock(package.key)
    manifest = Manifest(
        context=draft.context,
        export=draft.export,
        package=package,
        proof=proof,
        run=draft.run,
        stored_at=datetime.now(timezone.utc),
    )
    if store.put_if_absent(manifest_key(draft.key), manifest.to_json()):
        return _published(draft, manifest, already=False)
    # Another attempt at the same export was quicker, or another export has the key.
    stored = _stored(store, draft)
    if stored is None:
        raise ArchiveUnavailableError(
            "the store says the manifest is there, and that it is not", key=draft.key
        )
    return stored


def _locked(store: Store, published: Published) -> Published:
    """Lock the manifest, too; once more, if it was there already: whoever wrote it may have been killed before."""
    store.lock(published.manifest_key)
    return published


def _look_back(store: Store, published: Published) -> None:
    """See that the package was still there when its manifest was written.

    What lies without a manifest for days is swept. A package that an earlier run left may be, just now, and so may that
    of a process that was suspended: then the manifest, which names nothing, is taken back.
    """
    if store.stat(published.key) is None:
        store.delete(published.manifest_key)
        raise ArchiveUnavailableError(_SWEPT, key=published.key)


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


def _published(draft: ManifestDraft, manifest: Manifest, *, already: bool) -> Published:
    return Published(
        key=manifest.package.key,
        manifest_key=manifest_key(draft.key),
        size=manifest.package.size,
        sha256=manifest.package.sha256,
        verdict=manifest.proof.verdict,
        findings=manifest.proof.findings,
        already=already,
        unchanged=manifest.package.key != draft.key,
        manifest=manifest,
    )
