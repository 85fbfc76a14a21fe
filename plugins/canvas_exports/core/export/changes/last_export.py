"""Read from a copy what the rule has to know of it."""

from __future__ import annotations

from canvas_exports.core.export.baseline import CopyBefore
from canvas_exports.core.export.changes.rule import LastExport

_NEW_QUIZZES = "new_quizzes"  # in the counts of a proof that looked for them


def last_export(before: CopyBefore) -> LastExport:
    """Return the last real export of a copy, which may have been confirmed since."""
    manifest = before.manifest
    export = manifest.export
    return LastExport(
        is_proven=before.is_proven,
        created_at=export.created_at,
        canvas_host=export.canvas_host,
        user_id=export.user_id,
        export_type=export.type,
        select=export.select,
        version=export.version,
        probe=manifest.probe,
        confirmed_at=manifest.confirmed_at,
        new_quizzes=manifest.proof.counts.get(_NEW_QUIZZES),
    )
