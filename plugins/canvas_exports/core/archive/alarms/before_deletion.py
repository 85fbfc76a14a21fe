"""Hold the copies from before a loss that no report has told, before a retention run plans what it deletes."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing
from datetime import datetime

from canvas_exports.core.archive.alarms.hold_copies import is_missed, record_alarms
from canvas_exports.core.archive.alarms.judge_course import judge_course
from canvas_exports.core.archive.catalog.future_dates import without_future_dates
from canvas_exports.core.archive.catalog.read import Holding, copies_of
from canvas_exports.core.storage.store import Store


def hold_before_deletion(
    store: Store, holdings: Generator[Holding, None, None], *, now: datetime
) -> Generator[Holding, None, None]:
    """Yield the copies of each context, with a hold on those from before a loss of the last days.

    Reports hold them, too; this is for runs without a report. A context without such a loss costs no request.

    Args:
        store: the archive.
        holdings: the copies of each context; closed here.
        now: the time.

    Raises:
        ArchiveDeniedError: no right to write a hold (permanent).
        ArchiveUnavailableError: the store failed (retryable).
    """
    with closing(holdings):
        for holding in holdings:
            known = without_future_dates(holding, now=now)
            found = [each for each in judge_course(known.copies) if is_missed(each, known.copies, now)]
            if found:
                record_alarms(store, found, at=now)
                yield copies_of(store, holding.kind, holding.id)
            else:
                yield holding
