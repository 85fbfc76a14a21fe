"""Find the stored copy that a new package may repeat."""

from __future__ import annotations

import logging

from canvas_exports.core.archive.catalog.newest_copy import newest_copy
from canvas_exports.core.archive.manifest import Manifest, ManifestDraft
from canvas_exports.core.archive.publishing.unchanged import Baseline
from canvas_exports.core.model.proof_levels import ProofLevel
from canvas_exports.core.storage.store import Store

_log = logging.getLogger(__name__)


def newest_proven(store: Store, draft: ManifestDraft, level: ProofLevel) -> Baseline:
    """Return a function that finds the newest stored copy of what a draft describes, if it is proven.

    The copy is of the same context, export type, Canvas and selection. It is proven as deeply as the new package would be,
    and its package is present. If the archive cannot be read, there is no such copy: storing a package once too often is
    safe.

    Args:
        store: the archive.
        draft: of the new manifest.
        level: the proof level of the batch.
    """

    def is_like(manifest: Manifest) -> bool:
        ours, theirs = draft.export, manifest.export
        return (ours.type, ours.canvas_host, ours.select) == (theirs.type, theirs.canvas_host, theirs.select)

    def find() -> Manifest | None:
        try:
            found = newest_copy(store, draft.context.kind, draft.context.id, is_like)
        except Exception as error:  # noqa: BLE001 - whatever is wrong with an earlier copy, the new package is to be stored
            _log.warning("cannot find out whether %s is unchanged (%s): it is stored", draft.key, error)
            return None
        if found is None:
            return None
        copy, manifest = found
        return manifest if copy.is_proven_to(level.value) else None

    return find
