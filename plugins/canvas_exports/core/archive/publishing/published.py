"""Find out what is published under the name of an export already: by an earlier attempt, or by a quicker one."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

from canvas_exports.core.archive.layout import manifest_key
from canvas_exports.core.archive.manifest import Manifest, ManifestDraft, PackageFacts, read_manifest
from canvas_exports.core.archive.publishing.references import is_there
from canvas_exports.core.packages.digests import Hasher, mismatch
from canvas_exports.core.packages.proof import Finding, Verdict
from canvas_exports.core.storage.store import Store
from canvas_exports.errors import (
    AlreadyStoredError,
    ArchiveDeniedError,
    ArchiveError,
    ArchiveUnavailableError,
    ObjectNotFoundError,
    UnreadableDocumentError,
)

log = logging.getLogger(__name__)

_PACKAGE_GONE = "the manifest is there but its package is gone or cut: restore it, or delete the manifest to store it again"


@dataclass(frozen=True)
class Published:
    """A stored package.

    Attributes:
        key: of the package.
        manifest_key: of the manifest, which lies under the name of this export.
        was_stored: both were there before, and nothing was transferred.
        unchanged: the package is that of an earlier export with the same content.
    """

    key: str
    manifest_key: str
    size: int
    digests: Mapping[str, str]
    verdict: Verdict
    findings: tuple[Finding, ...]
    was_stored: bool
    unchanged: bool
    manifest: Manifest


def read_published(store: Store, draft: ManifestDraft) -> Published | None:
    """Return the published package; ``None`` if it has no manifest yet, or one whose package is gone."""
    marker = manifest_key(draft.key)
    try:
        manifest = read_manifest(store, marker)
    except ObjectNotFoundError:
        return None
    if not _is_same_export(manifest, draft):
        raise AlreadyStoredError(
            f"the key holds export {manifest.export.id} of {manifest.export.canvas_host}; "
            "use another archive for another Canvas",
            key=draft.key,
            export_id=draft.export.id,
        )
    if is_there(store, manifest.package):
        return published_of(draft, manifest, was_stored=True)
    if manifest.package.key != draft.key:
        log.warning("%s refers to %s, which is gone: storing the package again", marker, manifest.package.key)
        store.delete(marker)
        return None
    raise ArchiveError(_PACKAGE_GONE, key=draft.key, export_id=draft.export.id)


def accept_published(store: Store, draft: ManifestDraft, package: PackageFacts | None) -> Published | None:
    """Return what has been published under the name already. Remove the package that this attempt has stored for nothing.

    It was stored for nothing if the manifest that is there names another one: that of an earlier copy with the same content,
    or that of another export. No manifest names the new one, and the sweep never removes a package beside a manifest.

    Args:
        store: the archive.
        draft: of the manifest that was refused.
        package: stored by this attempt; ``None``: it was there before.

    Returns:
        It; ``None`` if there is no manifest any more.

    Raises:
        ArchiveError: as ``read_published``.
    """
    try:
        published = read_published(store, draft)
    except (ArchiveDeniedError, ArchiveUnavailableError, UnreadableDocumentError):
        raise  # it may name the package
    except ArchiveError:
        if package is not None:
            _remove_own(store, package)
        raise
    if published is None or package is None:
        return published
    named = published.manifest.package
    if (named.key, named.size) == (package.key, package.size) and not _differ(named, package):
        return published
    if _remove_own(store, package) and named.key == package.key:
        raise ArchiveError(_PACKAGE_GONE, key=draft.key, export_id=draft.export.id)
    return published


def _differ(named: PackageFacts, package: PackageFacts) -> bool:
    """Return whether two packages are known to differ, by digests that both have."""
    common = named.digests.keys() & package.digests.keys()
    return bool(common) and mismatch(named.digests, package.digests) is not None


def _remove_own(store: Store, package: PackageFacts) -> bool:
    """Remove a package that no manifest names, if what lies under its key is still what this attempt has stored there.

    Returns whether it was.
    """
    hasher = Hasher(package.digests)
    with suppress(ArchiveError):  # what it was stored for nothing for is the one to report
        for block in store.blocks(package.key):
            hasher.update(block)
        if hasher.hexdigests() == package.digests:
            log.warning(
                "%s is removed again: the manifest under its name is about another package", package.key
            )
            store.delete(package.key)
            return True
    return False


def _is_same_export(manifest: Manifest, draft: ManifestDraft) -> bool:
    def identity(facts: Manifest | ManifestDraft) -> tuple[object, ...]:
        return (
            facts.context.kind,
            facts.context.id,
            facts.export.type,
            facts.export.id,
            facts.export.canvas_host,
        )

    return identity(manifest) == identity(draft)


def published_of(draft: ManifestDraft, manifest: Manifest, *, was_stored: bool) -> Published:
    """Return the published package that a manifest under the name of a draft describes."""
    return Published(
        key=manifest.package.key,
        manifest_key=manifest_key(draft.key),
        size=manifest.package.size,
        digests=manifest.package.digests,
        verdict=manifest.proof.verdict,
        findings=manifest.proof.findings,
        was_stored=was_stored,
        unchanged=manifest.package.key != draft.key,
        manifest=manifest,
    )
