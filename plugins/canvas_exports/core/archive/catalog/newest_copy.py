"""Find the newest copy of a context with few requests."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta

from canvas_exports.core.archive.catalog.copies import Copy, oldest_first
from canvas_exports.core.archive.layout import context_folder, manifest_key
from canvas_exports.core.archive.manifest import Manifest, load_manifest
from canvas_exports.core.archive.records import RecordName, is_manifest_key, read_record_name
from canvas_exports.core.storage.object_keys import is_key
from canvas_exports.core.storage.store import Store
from canvas_exports.errors import ArchiveDeniedError, ObjectNotFoundError, UnreadableDocumentError

log = logging.getLogger(__name__)

# How far Canvas's clock may be ahead of the store's.
_CLOCK_TOLERANCE = timedelta(hours=12)


def newest_copy(
    store: Store, kind: str, canvas_id: int, like: Callable[[Manifest], bool]
) -> tuple[Copy, Manifest] | None:
    """Return the newest copy of a context that ``like`` accepts, and its manifest; ``None`` if it is absent or unknown.

    The time of a copy is when Canvas created its export, or when it was confirmed without one; its manifest states it, and was
    written after it. So manifests are read in the order in which they were written, last first, and reading ends at a manifest that
    was written before the newest copy found so far was created. It takes one listing of the context's folder and usually
    one or two small reads, however many copies there are.

    The newest copy is unknown if a manifest cannot be read: it may be the manifest of the newest copy.

    Args:
        store: the archive.
        kind: ``course``, ``group`` or ``user``.
        canvas_id: Canvas's number.
        like: returns whether a copy counts.

    Raises:
        ArchiveDeniedError: no right to list (permanent).
        ArchiveUnavailableError: the store failed (retryable).
    """
    folder = context_folder(kind, canvas_id)
    objects = {info.key: info for info in store.list(folder)}
    found: tuple[Copy, Manifest] | None = None
    written = sorted(
        (info for info in objects.values() if is_manifest_key(info.key) and is_key(info.key)),
        key=lambda info: info.modified,
        reverse=True,
    )
    for info in written:
        if found is not None and info.modified + _CLOCK_TOLERANCE < found[0].created_at:
            break
        try:
            manifest = load_manifest(store, info.key, size=info.size)
        except ObjectNotFoundError:
            continue  # deleted since it was listed
        except (UnreadableDocumentError, ArchiveDeniedError) as error:
            log.warning("%s:%d: its newest copy is unknown: %s", kind, canvas_id, error)
            return None
        if (manifest.context.kind, manifest.context.id) != (kind, canvas_id) or not like(manifest):
            continue
        if wrong := manifest.placement_problem(info.key):
            log.warning(
                "%s:%d: its newest copy is unknown: %s: %s",
                kind,
                canvas_id,
                info.key,
                wrong,
            )
            return None
        copy = Copy.of(info.key, manifest)
        if found is None or oldest_first([found[0], copy])[-1] is copy:
            found = copy, manifest
    if found is None:
        return None
    package = found[1].package
    stored = objects.get(package.key)
    records = [record for key in objects if (record := read_record_name(key)) is not None]
    return (
        Copy.of(
            found[0].key,
            found[1],
            is_present=stored is not None and stored.size == package.size,
            records=_about(package.key, records),
        ),
        found[1],
    )


def _about(package: str, records: list[RecordName]) -> list[RecordName]:
    return [record for record in records if record.manifest == manifest_key(package)]
