"""Which copy a package of tonight may merely repeat."""

from __future__ import annotations

import logging

from canvas_exports.core.archive.catalog.newest_copy import newest_copy
from canvas_exports.core.archive.manifest import Manifest, ManifestDraft
from canvas_exports.core.archive.publishing.unchanged import Baseline
from canvas_exports.core.model.proof_levels import ProofLevel
from canvas_exports.core.storage.store import Store

_log = logging.getLogger(__name__)


def newest_proven(store: Store, draft: ManifestDraft, level: ProofLevel) -> Baseline:
    """A look at the newest stored copy of what a draft is about, if that is proven.

    Meant is a copy of the same context, export type, Canvas and selection. It has to be proven as deeply as tonight's
    package would have to be, and its package has to be there. If the archive cannot tell, the answer is no: storing a
    package once too often is safe.

    Args:
        store: the archive.
        draft: of tonight's manifest.
        level: that is asked of what is stored now.
    """

    def is_like(manifest: Manifest) -> bool:
        ours, theirs = draft.export, manifest.export
        return (ours.type, ours.canvas_host, ours.select) == (theirs.type, theirs.canvas_host, theirs.select)

    def known() -> Manifest | None:
        try:
            found = newest_copy(store, draft.context.kind, draft.context.id, is_like)
        except Exception as error:  # noqa: BLE001 - whatever is odd about an earlier copy, tonight's is to be stored
            _log.warning("no telling whether %s is unchanged (%s): storing it", draft.key, error)
            return None
        if found is None:
            return None
        copy, manifest = found
        return manifest if copy.is_proven_to(level.value) else None

    return known
