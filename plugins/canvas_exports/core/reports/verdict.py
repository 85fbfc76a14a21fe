"""Find the few causes behind the many problems of a run. No I/O."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from canvas_exports.core.archive.run_report import OutcomeRecord
from canvas_exports.core.model.causes import MOST_CAUSES, MOST_SAMPLED, Cause, RunCause

_CAUSES = {cause.value: cause for cause in Cause}
_FEW = 2  # exports that Canvas or the archive may have failed each for a reason of its own
_MAY_BE_ONE_EXPORT = (Cause.CANVAS_UNAVAILABLE, Cause.ARCHIVE_UNAVAILABLE)


def find_causes(records: Sequence[OutcomeRecord]) -> tuple[RunCause, ...]:
    """Return the causes that ended exports of a run, those of most exports first.

    An export that no cause explains is named by itself (``unexplained``): one whose cause is of a later version, or that is one
    of two that could not be reached.

    Args:
        records: every row of the run.
    """
    causes = [
        RunCause(
            cause.value,
            cause.sentence,
            cause.next_step,
            len(rows),
            tuple(dict.fromkeys(row.context for row in rows))[:MOST_SAMPLED],
        )
        for cause, rows in sorted(_by_cause(records).items(), key=lambda pair: -len(pair[1]))
    ]
    return tuple(causes[:MOST_CAUSES])


def unexplained(records: Iterable[OutcomeRecord], causes: Iterable[RunCause]) -> list[OutcomeRecord]:
    """Return the rows that none of the causes explains."""
    codes = {cause.code for cause in causes if cause.exports}
    return [record for record in records if not record.problem or record.cause not in codes]


def _by_cause(records: Sequence[OutcomeRecord]) -> dict[Cause, list[OutcomeRecord]]:
    found: dict[Cause, list[OutcomeRecord]] = {}
    for record in records:
        if record.problem and (cause := _CAUSES.get(record.cause or "")) is not None:
            found.setdefault(cause, []).append(record)
    return {
        cause: rows
        for cause, rows in found.items()
        if cause not in _MAY_BE_ONE_EXPORT or len(rows) > _FEW or len(rows) == len(records)
    }
