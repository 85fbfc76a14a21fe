"""Put the figures of runs together from the documents that were read."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from canvas_exports.core.archive.layout import context_of
from canvas_exports.core.model.alarm import Alarm
from canvas_exports.core.reports.overview.figures import Night, PlannedDeletion, RetentionReport, RunUnderWay
from canvas_exports.core.reports.overview.reading.holding_document import rows_by_key
from canvas_exports.core.reports.overview.reading.run_documents import RunDocuments
from canvas_exports.core.reports.overview.tables import to_moment, to_seconds
from canvas_exports.core.text.wording import parse_time

_Content = Mapping[str, Any]


def runs_value(found: RunDocuments) -> str:
    """Return which documents of runs there are, as the table ``snapshot`` has it."""
    return json.dumps(
        {
            "nights": [[report.key, report.day.isoformat()] for report in found.nights],
            "under_way": [
                {
                    "day": run.day.isoformat(),
                    "dag": run.dag,
                    "run": run.run,
                    "folder": run.folder,
                    "plans": [info.key for info in run.plans],
                    "batches": [info.key for info in run.batches],
                    "last_change": to_seconds(run.last_change),
                }
                for run in found.under_way
            ],
            "retention": [info.key for info in found.retention],
        }
    )


def read_nights(connection: sqlite3.Connection, runs: str) -> tuple[Night, ...]:
    """Return the runs of the last weeks, newest first."""
    contents = _contents(connection, "report")
    return tuple(
        _night(key, date.fromisoformat(day), contents[key])
        for key, day in json.loads(runs)["nights"]
        if key in contents
    )


def read_under_way(connection: sqlite3.Connection, runs: str) -> tuple[RunUnderWay, ...]:
    """Return the runs without a report, the last change first."""
    plans, batches = _contents(connection, "plan"), _contents(connection, "batch")
    return tuple(_under_way(run, plans, batches) for run in json.loads(runs)["under_way"])


def read_retention(connection: sqlite3.Connection, runs: str) -> tuple[RetentionReport, ...]:
    """Return the newest retention run of each backup and archive."""
    contents = _contents(connection, "retention")
    return tuple(
        _retention(connection, key, contents[key]) for key in json.loads(runs)["retention"] if key in contents
    )


def newest_policies(connection: sqlite3.Connection, runs: str) -> dict[str | None, tuple[str, _Content]]:
    """Return key and content of the newest retention report of each backup; ``None`` for one about all copies."""
    contents = _contents(connection, "retention")
    found: dict[str | None, tuple[str, _Content]] = {}
    for key in json.loads(runs)["retention"]:
        content = contents.get(key)
        if content is not None and "problem" not in content:
            found.setdefault(content["backup"], (key, content))
    return found


def _contents(connection: sqlite3.Connection, kind: str) -> dict[str, _Content]:
    rows = connection.execute("SELECT key, content FROM documents WHERE kind = ?", (kind,))
    return {key: json.loads(content) for key, content in rows}


def _night(key: str, day: date, content: _Content) -> Night:
    _, _, dag, run, _ = key.split("/")
    if "problem" in content:
        return Night(day, dag, run, key, problem=content["problem"])
    max_age = content["max_age"]
    return Night(
        day=day,
        dag_id=content["dag_id"] or dag,
        run_id=content["run_id"] or run,
        report=key,
        started_at=to_moment(content["started_at"]),
        finished_at=to_moment(content["finished_at"]),
        exports=content["exports"],
        problems=content["problems"],
        bytes=content["bytes"],
        outcomes=content["outcomes"],
        max_age=None if max_age is None else timedelta(seconds=max_age),
        causes=tuple(content.get("causes", ())),  # read by an earlier release, it has none
        alarms=tuple(Alarm.from_json(each) for each in content.get("alarms", ())),
    )


def _under_way(run: _Content, plans: Mapping[str, _Content], batches: Mapping[str, _Content]) -> RunUnderWay:
    planned = [plans[key] for key in run["plans"] if "contexts" in plans.get(key, {})]
    reported = [batches[key] for key in run["batches"] if "exports" in batches.get(key, {})]
    return RunUnderWay(
        day=date.fromisoformat(run["day"]),
        dag=run["dag"],
        run=run["run"],
        folder=run["folder"],
        planned=sum(plan["contexts"] for plan in planned) if planned else None,
        batches=sum(plan["batches"] for plan in planned) if planned else None,
        batches_reported=len(reported),
        exports_reported=sum(batch["exports"] for batch in reported),
        problems=sum(batch["problems"] for batch in reported),
        bytes=sum(batch["bytes"] for batch in reported),
        last_change=_moment(run["last_change"]),
    )


def _moment(seconds: int) -> datetime:
    moment = to_moment(seconds)
    assert moment is not None
    return moment


def _retention(connection: sqlite3.Connection, key: str, content: _Content) -> RetentionReport:
    if "problem" in content:
        return RetentionReport(None, key, problem=content["problem"])
    planned = [
        PlannedDeletion(context, manifest, export_type, parse_time(created_at), locked)
        for created_at, manifest, context, export_type, locked in content["next"]
        if _is_there(connection, manifest)
    ]
    return RetentionReport(
        backup=content["backup"],
        report=key,
        made_at=to_moment(content["made_at"]),
        policy=content["policy"],
        copies=content["copies"],
        delete=content["delete"],
        locked=content["locked"],
        freed_bytes=content["frees"],
        deletes=content["deleted"] is not None,
        deleted=content["deleted"],
        next=tuple(planned),
    )


def _is_there(connection: sqlite3.Connection, manifest: str) -> bool:
    """Return whether the snapshot has the copy."""
    context = context_of(manifest)
    if context is None:
        return False
    row = connection.execute(
        "SELECT document FROM holdings WHERE context = ?", ("{}:{}".format(*context),)
    ).fetchone()
    return row is not None and manifest in rows_by_key(row["document"])
