"""List the open alarms of courses, and those of the last runs."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from datetime import timedelta

from canvas_exports.core.model.alarm import Alarm
from canvas_exports.core.reports.overview.figures import Night, OpenAlarm
from canvas_exports.core.reports.overview.tables import to_moment

MOST_OPEN = 100
#: Alarms of a run are shown for so long after it, counted from the newest run of its DAG.
_LATELY = timedelta(days=7)


def read_alarms(connection: sqlite3.Connection, nights: Iterable[Night]) -> tuple[OpenAlarm, ...]:
    """Return the alarms of runs and of courses.

    Args:
        connection: to the snapshot.
        nights: the runs of the last weeks, newest first.
    """
    rows = connection.execute(
        "SELECT context, at, document FROM alarms ORDER BY at DESC, context, number LIMIT ?", (MOST_OPEN,)
    )
    return (*_of_runs(nights), *_open_alarms(rows))[:MOST_OPEN]


def alarms_of(connection: sqlite3.Connection, context: str) -> tuple[OpenAlarm, ...]:
    """Return the open alarms of one context, newest first."""
    rows = connection.execute(
        "SELECT context, at, document FROM alarms WHERE context = ? ORDER BY number LIMIT ?",
        (context, MOST_OPEN),
    )
    return tuple(_open_alarms(rows))


def _open_alarms(rows: Iterable[tuple[str, int, str]]) -> Iterator[OpenAlarm]:
    for context, at, document in rows:
        yield OpenAlarm(context, to_moment(at), Alarm.from_json(json.loads(document)))


def _of_runs(nights: Iterable[Night]) -> Iterator[OpenAlarm]:
    newest: dict[str, Night] = {}
    for night in nights:
        last = newest.setdefault(night.dag_id, night)
        if last.day - night.day < _LATELY:
            yield from (OpenAlarm(night.dag_id, night.finished_at, alarm) for alarm in night.alarms)
