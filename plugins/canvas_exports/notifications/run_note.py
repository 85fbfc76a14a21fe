"""Write the note of a DAG run: ``34 of 40 good; 6 need attention``, which Airflow's grid shows.

A task has no way to write it: Airflow's Execution API reads a run's note and does not set one. So the task that writes the
run report leaves a line in an XCom, and this listener, which Airflow calls in the scheduler as the run ends (or in the API
server, where a person marks it), hands the line to the run in the session that is about to write the run's state. It
opens no session of its own (so there is no note under ``dag.test()``, whose run is in none), writes nothing by itself, and makes
one short query for each run of another DAG.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from airflow.listeners import hookimpl

from canvas_exports.foreign_text import harmless

if TYPE_CHECKING:
    from airflow.models.dagrun import DagRun
    from sqlalchemy.orm import Session

#: Key of the XCom in which the report's task leaves the line.
NOTE_XCOM = "canvas_run_note"

#: What ``TaskInstance.operator`` says of the task that should have left one.
_REPORTING = "CanvasRunReportOperator"

_MOST_LINE = 200  # characters
_MOST_NOTE = 1000  # characters; of Airflow's column
_NO_REPORT = "no run report"
_OURS = re.compile(rf"(?:[0-9,]+ of [0-9,]+ good|nothing was exported|{_NO_REPORT})(?:[;:] .*)?")
_MOST_NAMED = 3
_ENDED = ("success", "failed")

_log = logging.getLogger(__name__)


@hookimpl
def on_dag_run_success(dag_run: DagRun, msg: str) -> None:  # noqa: ARG001 - Airflow names the arguments
    """Report a run that ended well: Airflow calls this listener."""
    note_run(dag_run)


@hookimpl
def on_dag_run_failed(dag_run: DagRun, msg: str) -> None:  # noqa: ARG001 - as above
    """Report a run that failed: Airflow calls this listener."""
    note_run(dag_run)


def note_run(dag_run: DagRun) -> None:
    """Write the note of a run that has a run report, or should have one. Never raises.

    Keeps text that people wrote above the line; replaces a line from before a Clear.
    """
    try:
        line = _line(dag_run)
        if line is not None and (note := merged(dag_run.note, line)) != dag_run.note:
            dag_run.note = note
    except Exception:  # noqa: BLE001 - logged with its traceback, because this runs in the scheduler
        _log.exception("cannot write the note of run %s of %s", dag_run.run_id, dag_run.dag_id)


def merged(note: str | None, line: str) -> str | None:
    """Return the note with our line at its end, which replaces an earlier one; unchanged if it would be too long."""
    kept = [each for each in (note or "").splitlines() if not _OURS.fullmatch(each)]
    whole = "\n".join([*kept, line])
    return whole if len(whole) <= _MOST_NOTE else note


def _line(dag_run: DagRun) -> str | None:
    """Return the line of a run; ``None`` for a run of other DAGs."""
    from sqlalchemy.orm import object_session  # only processes with a database get here

    session = object_session(dag_run)
    if session is None:
        return None
    # The scheduler decides when its own changes are written.
    with session.no_autoflush:
        reporting = _reporting(session, dag_run)
        if not reporting:
            return None
        lines = [line for line in reporting if isinstance(line, str) and line]
        if lines:
            return harmless("; ".join(lines), most=_MOST_LINE)
        failed = _failed(session, dag_run)
    more = " and others" if len(failed) > _MOST_NAMED else ""
    return f"{_NO_REPORT}: {', '.join(failed[:_MOST_NAMED])}{more} failed" if failed else _NO_REPORT


def _reporting(session: Session, dag_run: DagRun) -> list[object]:
    """Return the result of each reporting task of the run; ``None`` if it has none in this attempt."""
    from airflow.models.taskinstance import TaskInstance  # as above
    from airflow.models.xcom import XComModel
    from sqlalchemy import and_, or_, select

    left = and_(
        XComModel.dag_run_id == dag_run.id,
        XComModel.task_id == TaskInstance.task_id,
        XComModel.map_index == TaskInstance.map_index,
        XComModel.key == NOTE_XCOM,
    )
    rows: Iterable[tuple[str | None, XComModel | None]] = session.execute(
        select(TaskInstance.state, XComModel)
        .outerjoin(XComModel, left)
        .where(TaskInstance.dag_id == dag_run.dag_id, TaskInstance.run_id == dag_run.run_id)
        .where(or_(TaskInstance.operator == _REPORTING, XComModel.key.is_not(None)))
        .order_by(TaskInstance.task_id, TaskInstance.map_index)
    ).tuples()
    return [
        XComModel.deserialize_value(found) if found is not None and state in _ENDED else None
        for state, found in rows
    ]


def _failed(session: Session, dag_run: DagRun) -> list[str]:
    """Return the first tasks of the run that failed, by name."""
    from airflow.models.taskinstance import TaskInstance  # as above
    from sqlalchemy import select

    return list(
        session.scalars(
            select(TaskInstance.task_id)
            .where(TaskInstance.dag_id == dag_run.dag_id, TaskInstance.run_id == dag_run.run_id)
            .where(TaskInstance.state == "failed")
            .distinct()
            .order_by(TaskInstance.task_id)
            .limit(_MOST_NAMED + 1)
        )
    )
