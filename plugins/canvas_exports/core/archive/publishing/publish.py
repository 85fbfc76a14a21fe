"""Store a package and write its manifest last, in an order that survives a kill between any two steps."""

from __future__ import annotations

import logging
import time
from collections import deque
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timezone

from canvas_exports.core.archive.layout import manifest_key
from canvas_exports.core.archive.manifest import Manifest, ManifestDraft, PackageFacts
from canvas_exports.core.archive.publishing.package_source import PackageSource, ProvenStream
from canvas_exports.core.archive.publishing.package_stream import PackageStream
from canvas_exports.core.archive.publishing.published import (
    Published,
    accept_published,
    published_of,
    read_published,
)
from canvas_exports.core.archive.publishing.references import write_reference
from canvas_exports.core.archive.publishing.unchanged import (
    Baseline,
    ProbeCheck,
    Unchanged,
    abort_if_unchanged,
    raise_if_unchanged,
)
from canvas_exports.core.model.proof_levels import PROOF_LEVELS, ProofLevel
from canvas_exports.core.packages import content_digest
from canvas_exports.core.packages.digests import algorithms_to_check, algorithms_to_make, mismatch
from canvas_exports.core.packages.proof import Proof
from canvas_exports.core.packages.prove_stored import prove_stored
from canvas_exports.core.packages.random_access import BytesNotKeptError, StoredPackage
from canvas_exports.core.storage.store import Store
from canvas_exports.errors import (
    AlreadyStoredError,
    ArchiveError,
    ArchiveUnavailableError,
    CorruptPackageError,
    ObjectNotFoundError,
    PackageError,
)

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/zip"  # of cartridges, too: the type of the export says what is inside

_ATTEMPTS = 3  # after another task has stored or removed something under the same key
# Passes over one package: one as a rule; a second for a directory longer than the tail; a third for a manifest before both.
_PASSES = 3
_SWEPT = "the package was swept before it had its manifest; it will be downloaded again"
_CONTRADICTION = "the store says the manifest is there, and that it is not"
_RECHECK_AFTER = 3600.0  # seconds between package and manifest after which the package may have been swept


def publish(
    store: Store,
    *,
    draft: ManifestDraft,
    source: PackageSource,
    baseline: Baseline | None = None,
    check: ProbeCheck | None = None,
) -> Published:
    """Store one package and its manifest, unless they are already there.

    The order: open the stream, put it (it ends well only if the package is proven), read it back if a full proof is asked
    for, lock it, and write the manifest last. A package without a manifest is no backup; ``sweep`` removes it.

    Whether the package is stored already is looked up first, so that it is not downloaded for nothing. For a small one
    (see ``PackageSource.looks_first``) the look-ups would cost more than the download. It is downloaded, proven and put, and the
    store refuses it if the key is taken: only then the manifest is read. So nothing is replaced, and nothing is stored twice:
    a small package that turns out to be stored under another key is removed again (see ``accept_published``).

    Args:
        store: the archive.
        draft: the facts of the manifest that are known before the transfer.
        source: reads the package; not used if the package is already stored.
        baseline: finds the copy that the package is compared with; without it, every package is stored.
        check: compares the probe of the draft with the package; without it, the manifest states the probe as it is.

    Raises:
        AlreadyStoredError: the key holds another export (permanent).
        CorruptPackageError: nothing was published (retryable).
        WrongPackageError: nothing was published (permanent).
        ArchiveDeniedError: no right to store (permanent).
        ArchiveUnavailableError: the store failed (retryable).
    """
    looks_first = source.looks_first
    for _ in range(_ATTEMPTS):
        if looks_first and (published := read_published(store, draft)) is not None:
            return _lock_manifest(store, published)
        adopted = False
        try:
            package = _put_package(store, draft.key, source, baseline and baseline(), looks_first=looks_first)
        except Unchanged as unchanged:
            with source.stage("publish"):
                published = _refer_to_copy(store, _checked(draft, unchanged.proof, check), unchanged)
            if published is not None:
                return _lock_manifest(store, published)
            baseline = None  # the copy that it finds is gone
            looks_first = True
            continue
        except AlreadyStoredError:  # a killed task left it, or another attempt at the same export was quicker
            if not looks_first and (published := read_published(store, draft)) is not None:
                return _lock_manifest(store, published)
            looks_first = True
            leftover = _adopt_leftover(store, draft.key, source)
            if leftover is None:
                continue
            package, adopted = leftover, True
        proof = _prove_stored(store, draft.key, package, source)
        proven_at = time.time()
        with source.stage("publish"):
            published = _write_manifest(store, _checked(draft, proof, check), package, proof, adopted=adopted)
        if not published.was_stored and (adopted or time.time() - proven_at > _RECHECK_AFTER):
            _recheck_package(store, published)
        return _lock_manifest(store, published)
    raise AlreadyStoredError("another attempt keeps storing the same package", key=draft.key)


def _checked(draft: ManifestDraft, proof: Proof, check: ProbeCheck | None) -> ManifestDraft:
    """Return the draft with its probe compared with the package."""
    if check is None:
        return draft
    return replace(draft, probe=check(draft.probe, proof))


def _put_package(
    store: Store, key: str, source: PackageSource, copy: Manifest | None, *, looks_first: bool
) -> ProvenStream:
    """Stream the package into the store, which shows it only once it is proven. Check that the store kept all of it.

    A package that is not looked up first is put as a whole, by a request that is refused if the key is taken. Its size is looked
    up only where the answer to that request does not show that all of it was kept.

    A proof that needs bytes which were not kept takes another pass that keeps them.

    Raises:
        Unchanged: it has the content of the copy; nothing was stored.
        AlreadyStoredError: the key is taken; nothing was stored.
    """
    if copy is not None:
        raise_if_unchanged(copy, source.peek())
    windows: tuple[range, ...] = ()
    is_kept = False
    for _ in range(_PASSES):
        with source.open_stream(windows, algorithms=_algorithms(store)) as stream:
            blocks = abort_if_unchanged(stream, copy)
            try:
                if looks_first:
                    store.put(key, blocks)
                else:
                    is_kept = store.put_small(key, b"".join(blocks))
            except BytesNotKeptError as error:
                log.info("the package is downloaded once more: its proof needs %s", error)
                windows += error.missing
                continue
        if not is_kept:
            _check_size(store, key, stream.size)
        return stream
    raise CorruptPackageError("every download of the package looks different")


def _algorithms(store: Store) -> tuple[str, ...]:
    return algorithms_to_make(store.required_digest, is_hashed=store.signs_payloads)


def _check_size(store: Store, key: str, size: int) -> None:
    info = store.stat(key)
    if info is None or info.size != size:
        # The first problem is the one to report; a leftover is proven before it is used.
        with suppress(ArchiveError):
            store.delete(key)
        raise ArchiveUnavailableError(f"the store did not keep the {size:,} bytes it accepted", key=key)


def _adopt_leftover(store: Store, key: str, source: PackageSource) -> PackageStream | None:
    """Prove the package that a killed task left under the key, instead of downloading it again. Remove it if it is another one."""
    info = store.stat(key)
    if info is None:
        return None
    stream = PackageStream(
        lambda _: store.blocks(key),
        source.expect,
        source.pool,
        algorithms=algorithms_to_make(store.required_digest),
        stored=StoredPackage(store, key, info.size),
        stage=source.stage,
    )
    try:
        deque(stream, maxlen=0)
    except PackageError as error:
        log.warning(
            "%s was left without a manifest and is not the package (%s): storing it again", key, error
        )
        store.delete(key)
        return None
    except ObjectNotFoundError:
        return None  # another attempt has removed it meanwhile
    return stream


def _prove_stored(store: Store, key: str, package: ProvenStream, source: PackageSource) -> Proof:
    """Return the proof that the manifest will state, of a package that is stored and has no manifest yet.

    At level ``directory`` that is the proof made in the stream. At level ``full`` the stored package is read once more. If
    it is not the package, it is removed again: nothing was published.

    Raises:
        CorruptPackageError: a member is damaged, or the store returns other bytes than it was given (retryable).
        WrongPackageError: see ``prove_stored`` (permanent).
        ArchiveUnavailableError: the store failed, or the object has vanished (retryable).
    """
    if source.level is ProofLevel.DIRECTORY:
        return package.proof
    try:
        with source.stage("proof"):
            stored = prove_stored(
                store,
                key,
                replace(source.expect, size=package.size),
                level=source.level,
                algorithms=algorithms_to_check(package.digests, store.required_digest),
            )
        if stored.digests is not None and mismatch(stored.digests, package.digests):
            raise CorruptPackageError("the store gives back other bytes than it was given")
    except ObjectNotFoundError:
        raise ArchiveUnavailableError("the package vanished before it was proven", key=key) from None
    except PackageError:
        # A store that fails now, or locks the object, does not hide the problem of the package. If there is a manifest,
        # another attempt has published the package meanwhile: it stays.
        with suppress(ArchiveError):
            if store.stat(manifest_key(key)) is None:
                store.delete(key)
        raise
    return stored.proof


def _write_manifest(
    store: Store, draft: ManifestDraft, stream: ProvenStream, proof: Proof, *, adopted: bool
) -> Published:
    """Write the manifest: from here on the package is a backup.

    Args:
        store: the archive.
        draft: of the manifest.
        stream: the package, stored under its key.
        proof: of the package.
        adopted: it was there before.
    """
    package = PackageFacts(
        key=draft.key,
        size=stream.size,
        digests={
            name: digest for name, digest in stream.digests.items() if store.required_digest in (None, name)
        },
        content_digest=stream.proof.content_digest,
        member_count=stream.proof.member_count,
        media_type=MEDIA_TYPE,
        content_digest_version=content_digest.VERSION,
    )
    for _ in range(2):  # the first may be refused by a manifest that has to go
        try:
            published = _lock_and_write_manifest(store, draft, package, proof)
        except ObjectNotFoundError:
            raise ArchiveUnavailableError(_SWEPT, key=draft.key) from None
        published = published or accept_published(store, draft, None if adopted else package)
        if published is not None:
            return published
    raise ArchiveUnavailableError(_CONTRADICTION, key=draft.key)


def _refer_to_copy(store: Store, draft: ManifestDraft, unchanged: Unchanged) -> Published | None:
    """Write a manifest that names the package of the copy; ``None`` if that is not there before and after.

    If the package of the copy has been proven more deeply, the manifest states that proof: the content is the same.
    """
    deepest = max(
        (unchanged.proof, unchanged.copy.proof), key=lambda proof: PROOF_LEVELS.index(proof.level.value)
    )
    manifest = _manifest(draft, unchanged.copy.package, deepest)
    try:
        if write_reference(store, manifest_key(draft.key), manifest):
            return published_of(draft, manifest, was_stored=False)
    except ObjectNotFoundError:
        return None
    published = read_published(store, draft)
    if published is None:
        raise ArchiveUnavailableError(_CONTRADICTION, key=draft.key)
    return published


def _lock_and_write_manifest(
    store: Store, draft: ManifestDraft, package: PackageFacts, proof: Proof
) -> Published | None:
    """Lock the package, where the archive locks, and then write its manifest. ``None`` if there is one under this name.

    So a package without a manifest is locked for as long as one request takes, and the sweep never meets it.

    Raises:
        ObjectNotFoundError: the package is gone.
    """
    store.lock(package.key)
    manifest = _manifest(draft, package, proof)
    if store.put_if_absent(manifest_key(draft.key), manifest.to_json()):
        return published_of(draft, manifest, was_stored=False)
    return None  # another attempt at the same export was quicker, or another export has the key


def _manifest(draft: ManifestDraft, package: PackageFacts, proof: Proof) -> Manifest:
    return Manifest(
        context=draft.context,
        export=draft.export,
        package=package,
        proof=proof,
        run=draft.run,
        stored_at=datetime.now(timezone.utc),
        probe=draft.probe,
    )


def _lock_manifest(store: Store, published: Published) -> Published:
    """Lock the manifest, too. Also if it was there already: the task that wrote it may have been killed before it locked it."""
    store.lock(published.manifest_key)
    return published


def _recheck_package(store: Store, published: Published) -> None:
    """Check that the package was still there when its manifest was written, or delete the manifest.

    A package without a manifest is swept after days. The package that an earlier run left may be swept at this moment, and so
    may that of a process that was suspended.
    """
    if store.stat(published.key) is None:
        store.delete(published.manifest_key)
        raise ArchiveUnavailableError(_SWEPT, key=published.key)
