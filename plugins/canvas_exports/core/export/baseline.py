"""Find the stored copy that a new package may repeat, or that may be confirmed without an export."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from canvas_exports.core.archive.catalog.newest_copy import newest_copy
from canvas_exports.core.archive.manifest import Manifest, ManifestDraft
from canvas_exports.core.archive.publishing.unchanged import Baseline
from canvas_exports.core.model.proof_levels import ProofLevel
from canvas_exports.core.storage.store import Store

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class CopyBefore:
    """The newest stored copy of what an export is of.

    Attributes:
        manifest: of the copy. If that was confirmed without an export, it repeats the manifest of the export.
        is_proven: whether it is a whole copy, proven as deeply as the new one would be, with its package in the archive.
    """

    manifest: Manifest
    is_proven: bool


@dataclass(frozen=True)
class Wanted:
    """What an export is of. Copies of the same context, export type, Canvas and selection are of the same.

    Attributes:
        kind, id: of the context.
        export_type: ``common_cartridge``, ``qti`` or ``zip``.
        canvas_host: host name.
        select: the selected objects; ``None`` for everything.
    """

    kind: str
    id: int
    export_type: str
    canvas_host: str
    select: Mapping[str, Any] | None = None

    @classmethod
    def of(cls, draft: ManifestDraft) -> Wanted:
        """Return what the manifest of a draft is of."""
        context, export = draft.context, draft.export
        return cls(context.kind, context.id, export.type, export.canvas_host, export.select)

    def is_in(self, manifest: Manifest) -> bool:
        """Return whether a manifest of the same context is of the same."""
        export = manifest.export
        return (export.type, export.canvas_host, export.select) == (
            self.export_type,
            self.canvas_host,
            self.select,
        )


def copy_before(store: Store, wanted: Wanted, level: ProofLevel) -> CopyBefore | None:
    """Return the newest stored copy; ``None`` if there is none, or the archive cannot tell.

    Storing a package once too often is safe, so whatever is wrong with an earlier copy is only logged.

    Args:
        store: the archive.
        wanted: what the export is of.
        level: the proof level of the batch.
    """
    try:
        found = newest_copy(store, wanted.kind, wanted.id, wanted.is_in)
    except Exception as error:  # noqa: BLE001 - whatever is wrong with an earlier copy, a new one can be made
        _log.warning("%s:%d: its newest copy is unknown: %s", wanted.kind, wanted.id, error)
        return None
    if found is None:
        return None
    copy, manifest = found
    return CopyBefore(manifest, copy.is_proven_to(level.value))


def newest_proven(store: Store, draft: ManifestDraft, level: ProofLevel) -> Baseline:
    """Return a function that finds the newest stored copy of what a draft describes, if it is proven. See ``copy_before``."""

    def find() -> Manifest | None:
        found = copy_before(store, Wanted.of(draft), level)
        return found.manifest if found is not None and found.is_proven else None

    return find
