"""List what became much smaller although nothing failed."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator

from canvas_exports.core.model.runs import MANUAL_EXPORT
from canvas_exports.core.reports.overview.figures import Alarm, Night
from canvas_exports.core.reports.overview.reading.shrinkage import is_shrunk_list
from canvas_exports.core.reports.overview.tables import to_moment

MOST_ALARMS = 100


def read_alarms(connection: sqlite3.Connection, nights: Iterable[Night]) -> tuple[Alarm, ...]:
    """Return the alarms of lists and courses.

    Args:
        connection: to the snapshot.
        nights: the runs of the last weeks, newest first; the newest two of each DAG are compared.
    """
    rows = connection.execute(
        "SELECT context, name, newest, shrunk FROM assessed WHERE shrunk <> '' "
        "ORDER BY newest DESC, context, type LIMIT ?",
        (MOST_ALARMS,),
    )
    courses = [Alarm(context, name, to_moment(newest), text) for context, name, newest, text in rows]
    return (*_shrunk_lists(nights), *courses)[:MOST_ALARMS]


def _shrunk_lists(nights: Iterable[Night]) -> Iterator[Alarm]:
    newest: dict[str, list[Night]] = {}
    for night in nights:
        if night.problem is None and night.dag_id != MANUAL_EXPORT:
            newest.setdefault(night.dag_id, []).append(night)
    for dag_id, (after, *earlier) in newest.items():
        if earlier and is_shrunk_list(earlier[0].exports, after.exports):
            text = f"{after.exports:,} exports, after {earlier[0].exports:,} in the run of {earlier[0].day}"
            yield Alarm(dag_id, None, after.started_at, text)
