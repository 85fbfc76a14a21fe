"""Sample copies for drills at random, with a preference for courses whose last drill is long ago."""

from __future__ import annotations

import math
import random
from collections.abc import Container, Iterator
from datetime import datetime

from canvas_exports.core.archive.catalog.copies import Copy, newest
from canvas_exports.core.archive.catalog.future_dates import is_in_future, without_future_dates
from canvas_exports.core.archive.catalog.read import copies_of
from canvas_exports.core.archive.layout import context_of
from canvas_exports.core.archive.records import RecordKind, read_record_name
from canvas_exports.core.storage.store import Store

_NEVER = 3650.0  # days since the last drill of a course that had none
_FOLDER = "courses/"
_DAY = 86_400.0


def sample_copies(
    store: Store,
    count: int,
    *,
    seed: str,
    now: datetime,
    export_type: str = "common_cartridge",
    leave_out: Container[int] = (),
) -> list[Copy]:
    """Return the newest proven copies of ``count`` random courses, or of fewer if there are not so many.

    The weight of a course grows with the days since its last drill; a course without a drill counts as ten years. The same
    seed samples the same courses from the same archive. Lists all courses once; reads the manifests of sampled courses only.

    Args:
        store: the archive.
        count: number of courses.
        seed: any text, such as the id of a run.
        now: end of the days that are counted.
        export_type: of the packages.
        leave_out: ids of courses that are not sampled, such as target courses.

    Raises:
        ArchiveDeniedError: no right to list (permanent).
        ArchiveUnavailableError: the store failed (retryable).
    """
    sampled: list[Copy] = []
    for course in _order(_last_drills(store, now), seed, now):
        if len(sampled) == count:
            break
        if course in leave_out:
            continue
        copies = without_future_dates(copies_of(store, "course", course), now=now).copies
        found = newest(
            copy
            for copy in copies
            if copy.is_proven and copy.export.type == export_type and copy.export.select is None
        )
        if found is not None:
            sampled.append(found)
    return sampled


def _last_drills(store: Store, now: datetime) -> dict[int, datetime | None]:
    """Return every course in the archive with the time of its last drill."""
    last: dict[int, datetime | None] = {}
    for info in store.list(_FOLDER):
        if (context := context_of(info.key)) is None:
            continue
        number = context[1]
        known = last.setdefault(number, None)
        record = read_record_name(info.key)
        if record is None or record.kind is not RecordKind.DRILL or is_in_future(record.at, now):
            continue
        if known is None or record.at > known:
            last[number] = record.at
    return last


def _order(last: dict[int, datetime | None], seed: str, now: datetime) -> Iterator[int]:
    """Yield all courses in a weighted random order without replacement."""

    def rank(course: int) -> float:
        at = last[course]
        days = _NEVER if at is None else min(max((now - at).total_seconds() / _DAY, 1.0), _NEVER)
        chance = random.Random(f"{seed}:{course}").random()  # noqa: S311 - a repeatable sample, not a secret
        return -math.log(1.0 - chance) / days

    yield from sorted(last, key=lambda course: (rank(course), course))
