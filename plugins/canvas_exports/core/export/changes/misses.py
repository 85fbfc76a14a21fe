"""Check a probe against the truth: at an export that its probe calls needless, compare the new package with the copy before.

A *miss* is another content under an equal probe. The manifest of each copy carries how many there were of its course, so that
the limit of that course can be shortened.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from canvas_exports.core.canvas.http.bounded_values import parse_iso_time
from canvas_exports.core.export.baseline import CopyBefore
from canvas_exports.core.export.changes.last_export import last_export
from canvas_exports.core.export.changes.rule import ExportReason, NextExport, reason_to_export
from canvas_exports.core.model.probes import EQUAL, MISS, ProbeFacts
from canvas_exports.core.packages import content_digest
from canvas_exports.core.packages.proof import Proof, Verdict
from canvas_exports.errors import CanvasExportsError

_log = logging.getLogger(__name__)

_MOST = 1_000_000  # checks of one course: what a manifest states beyond that is not carried on


def check_probe(
    tonight: ProbeFacts,
    before: CopyBefore | None,
    proof: Proof,
    wanted: NextExport,
    read_again: Callable[[], ProbeFacts | None],
) -> ProbeFacts:
    """Return the probe with the result of the comparison, and with the counts of its course carried on.

    Nothing is compared unless both packages are whole, every condition but the limit allowed to skip the export, and their
    content digests were made by the same rules. If the content differs, the course is read again: an edit while Canvas built the
    package shows by then, and is no miss.

    Args:
        tonight: what was read of the course before the export.
        before: the newest copy before it; ``None`` if there is none.
        proof: of the new package.
        wanted: the export.
        read_again: reads the course now; ``None`` if Canvas does not tell.
    """
    known = before.manifest.probe if before is not None else None
    carried = tonight if known is None else _with_counts(tonight, known)
    if before is None or proof.verdict is not Verdict.WHOLE:
        return carried
    package = before.manifest.package
    reason = reason_to_export(last_export(before), tonight, wanted, limit=timedelta.max, now=tonight.read_at)
    if reason not in (None, ExportReason.LIMIT) or package.content_digest_version != content_digest.VERSION:
        return carried
    is_miss = package.content_digest != proof.content_digest
    if is_miss and not _is_same(tonight, _read(read_again)):
        return carried
    return replace(
        carried,
        check=MISS if is_miss else EQUAL,
        checks=carried.checks + 1,
        misses=carried.misses + is_miss,
    )


def carried_counts(before: CopyBefore | None) -> ProbeFacts | None:
    """Return what the next copy states if nothing was read before its export: the counts of its course; ``None`` without misses.

    An export by hand between two nights must not lengthen the limit of its course.
    """
    known = before.manifest.probe if before is not None else None
    return None if known is None or not known.misses else _with_counts(ProbeFacts(known.read_at), known)


def _with_counts(probe: ProbeFacts, known: ProbeFacts) -> ProbeFacts:
    return replace(probe, check=None, misses=min(known.misses, _MOST), checks=min(known.checks, _MOST))


def _read(read_again: Callable[[], ProbeFacts | None]) -> ProbeFacts | None:
    """Read a course again. Whatever goes wrong, its package is to be stored, so it only remains unknown whether this is a miss."""
    try:
        return read_again()
    except Exception as error:  # noqa: BLE001 - as above
        known = isinstance(error, CanvasExportsError)
        _log.warning(
            "it is unknown whether a course was edited meanwhile: %s",
            error if known else type(error).__name__,
        )
        return None


def _is_same(before: ProbeFacts, after: ProbeFacts | None) -> bool:
    """Return whether two probes of one night say the same. A list states the moment of ``updated_at`` in another text."""
    return after is not None and _said(before) == _said(after)


def _said(probe: ProbeFacts) -> tuple[object, ...]:
    moment = parse_iso_time(probe.updated_at)
    return moment, probe.fingerprint, probe.fingerprint_version, probe.new_quizzes
