"""Which copies a drill tries: at random, those that were never restored first of all."""

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


def draw(
    store: Store,
    count: int,
    *,
    seed: str,
    now: datetime,
    export_type: str = "common_cartridge",
    leave_out: Container[int] = (),
) -> list[Copy]:
    """The newest proven copy of so many courses, or of fewer where there are no more.

    The chance of a course grows with the days since its last drill; one that never had any counts as ten years. The same
    seed draws the same courses from the same archive. One listing of all courses; manifests only of those that are drawn.

    Args:
        store: the archive.
        count: courses.
        seed: any text, such as the id of a run.
        now: the time to count days to.
        export_type: which kind of package.
        leave_out: courses that are not drawn, such as those that are restored into.

    Raises:
        ArchiveDeniedError: no right to list (permanent).
        ArchiveUnavailableError: the store failed (retryable).
    """
    drawn: list[Copy] = []
    for course in _order(_last_drills(store, now), seed, now):
        if len(drawn) == count:
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
            drawn.append(found)
    return drawn


def _last_drills(store: Store, now: datetime) -> dict[int, datetime | None]:
    """Every course in the archive, and when a copy of it was last restored for trial."""
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
    """All courses, drawn without putting back, by their weights."""

    def turn(course: int) -> float:
        at = last[course]
        days = _NEVER if at is None else min(max((now - at).total_seconds() / _DAY, 1.0), _NEVER)
        chance = random.Random(f"{seed}:{course}").random()  # noqa: S311 - a draw that can be repeated, no secret
        return -math.log(1.0 - chance) / days

    yield from sorted(last, key=lambda course: (turn(course), course))
