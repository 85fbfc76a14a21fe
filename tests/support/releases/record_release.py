"""Record what this release writes down, for the tests of the next: ``python -m tests.support.releases.record_release FOLDER``.

Everything is written by real tasks against the sandbox: two nights, a verification, a drill, a restore and a gate fill the
archive; batches and restores that are killed or deferred leave their checkpoints and trigger rows.
"""

# ruff: noqa: I001 - Airflow is isolated before it is imported
from __future__ import annotations

import tests.support.airflow.isolated_airflow  # noqa: F401

import contextlib
import io
import json
import os
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from airflow.models.xcom import XComModel
from airflow.sdk.execution_time.comms import DeferTask
from tests.support.airflow.moved_names import deserialize
from airflow.utils.db import initdb
from airflow.utils.session import create_session
from tests.support.airflow.task_runner import TaskRun
from tests.support.releases.previous_release import (
    ARCHIVE,
    EMPTY,
    HOST,
    campus,
    copy_archive,
    host,
    next_attempts,
    outcomes,
    replace_text,
    set_age,
    task,
)
from tests.support.releases.public_surface import nightly, surface
from tests.support.airflow.short_waits import short_waits

from canvas_exports.cli.main import main as canvas_archive
from canvas_exports.core.archive import schemas
from canvas_exports.dags.restore_drill import canvas_restore_drill
from canvas_exports.dags.restore import canvas_restore
from canvas_exports.dags.verify import canvas_verify
from canvas_exports.operators.archive_gate import CanvasArchiveGateOperator
from canvas_sandbox import Sandbox

QUESTIONS = (
    ("missing",),
    ("history", "course:101"),
    ("history", "course:102"),
    ("history", "course:105"),
    ("runs",),
    ("ages",),
    ("compare", "course:102"),
    ("retention", "--keep-last", "1"),
    ("hold",),
)
BATCH = {"courses": ["101", "103", "107"], "max_in_flight": 2, "fail_on": "never"}
RESTORE = {"course": "course:101", "into": str(EMPTY)}
#: What is killed, and at which of its writes of the checkpoint.
KILLED: tuple[tuple[str, dict[str, Any], Sequence[int]], ...] = (
    ("export", BATCH, (1, 2, 4, 8, 10, 12, 13, 17, 19, 23, 24)),
    ("restore", RESTORE, range(1, 5)),
    ("drill", RESTORE, range(1, 7)),
)


def record(folder: Path) -> None:
    """Write all of it into a folder, which is emptied before."""
    shutil.rmtree(folder, ignore_errors=True)
    archive = folder / "archive"
    folder.mkdir(parents=True)

    def write(name: str, document: Any) -> None:
        text = json.dumps(document, indent=1).replace(archive.as_uri(), ARCHIVE)
        (folder / name).write_text(f"{text}\n", encoding="utf-8")

    write("public_surface.json", surface())
    (folder / "schemas").mkdir()
    for schema in files(schemas).iterdir():
        if schema.name.endswith(".schema.json"):
            (folder / "schemas" / schema.name).write_text(schema.read_text("utf-8"), encoding="utf-8")
    with short_waits():
        with campus() as canvas, tempfile.TemporaryDirectory() as name:
            written = Path(name) / "archive"
            written.mkdir()
            nights(written, canvas)
            replacements = {written.as_uri(): ARCHIVE, host(canvas): HOST}
            write("xcoms.json", xcoms(replacements))
            shutil.copytree(written, archive)
            replace_text(archive, replacements)
            set_age(archive)
        write("answers.json", {" ".join(asked): answer(archive, asked) for asked in QUESTIONS})
        moments = [moment for what in KILLED for moment in killed(archive, *what)]
        write("checkpoints.json", [*moments, failed(archive)])
        write("triggers.json", [row for kind, given, _ in KILLED for row in deferrals(archive, kind, given)])


def nights(archive: Path, canvas: Sandbox) -> None:
    """Fill the archive through the DAGs that are shipped."""
    initdb()
    os.environ["AIRFLOW_VAR_CANVAS_ARCHIVE"] = archive.as_uri()
    connection = {"conn_type": "canvas", "host": canvas.url, "password": canvas.token}
    os.environ["AIRFLOW_CONN_CANVAS_DEFAULT"] = json.dumps(connection)
    nightly().test()
    canvas.edit_course(102)
    nightly().test()
    answer(archive, ("hold", "course:102", "--tag", "legal"))
    canvas_verify().test()
    canvas_restore_drill().test(run_conf={"into": [str(EMPTY)], "seed": "a"})
    canvas_restore().test(run_conf={"course": "course:101", "into": str(EMPTY + 1)})
    courses = ["101", "102", "105"]
    gate = TaskRun(
        lambda: CanvasArchiveGateOperator(task_id="gate", archive=archive.as_uri(), courses=courses), {}
    )
    assert gate.run_segment() == "failed"
    del os.environ["AIRFLOW_CONN_CANVAS_DEFAULT"]  # in which the tasks below would find this Canvas


def xcoms(replacements: dict[str, str]) -> list[dict[str, Any]]:
    """What the tasks of those runs have left for each other, for links and for pages."""
    with create_session() as session:
        rows = session.query(XComModel).order_by(XComModel.dag_run_id, XComModel.task_id, XComModel.map_index)
        names = ("dag_id", "run_id", "task_id", "map_index", "key")
        left = [
            {
                **{name: getattr(row, name) for name in names},
                "value": XComModel.deserialize_value(row),
            }
            for row in rows
        ]
    text = json.dumps(left)
    for old, new in replacements.items():
        text = text.replace(old, new)
    read: list[dict[str, Any]] = json.loads(text)
    return read


def answer(archive: Path, asked: Sequence[str]) -> dict[str, Any]:
    """What ``canvas-archive`` says."""
    with contextlib.redirect_stdout(io.StringIO()) as said:
        status = canvas_archive([*asked, "--archive", archive.as_uri(), "--json"])
    return {"status": status, "answer": json.loads(said.getvalue() or "null")}


def killed(
    archive: Path, kind: str, given: dict[str, Any], writes: Sequence[int]
) -> Iterator[dict[str, Any]]:
    """A task whose worker dies right after each of these writes."""
    for write in writes:
        with begun(archive, kind, given) as (canvas, task_run):
            task_run.supervisor.kill_after_writes = write
            if task_run.run_to_end() != "killed":
                return
            left = moment(canvas, task_run, kind, given, f"{kind}, killed at write {write}", write=write)
            task_run.supervisor.kill_after_writes = None
            yield continued(canvas, task_run, left)


def failed(archive: Path) -> dict[str, Any]:
    """A batch that has failed for good, because Canvas has failed an export, and that a person clears."""
    given = {"courses": ["101", "105"]}
    with begun(archive, "export", given) as (canvas, task_run):
        assert task_run.run_to_end() == "failed"
        left = moment(canvas, task_run, "export", given, "export, failed and cleared", cleared=True)
        return continued(canvas, task_run, left)


def deferrals(archive: Path, kind: str, given: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every trigger row of a task, with what it tells: by itself, and once the token has been revoked."""
    rows: list[dict[str, Any]] = []
    with begun(archive, kind, given) as (canvas, task_run):
        while (state := task_run.run_segment()) == "deferred":
            row = waiting(canvas, task_run, kind, given, len(rows) + 1)
            row["events"] = [task_run.run_trigger()]
            rows.append(row)
        end = ending(canvas, task_run, state)
    with begun(archive, kind, given) as (canvas, task_run):
        task_run.run_segment()
        canvas.revoke(canvas.token)
        rows[0]["events"].append(task_run.run_trigger())
    yield from ({**row, "end": end} for row in rows)


@contextlib.contextmanager
def begun(archive: Path, kind: str, given: dict[str, Any]) -> Iterator[tuple[Sandbox, TaskRun]]:
    """A task before its first segment; a restore finds the copies of the nights, an export writes into a fresh archive."""
    with campus() as canvas, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        used = folder if kind == "export" else copy_archive(folder, canvas, source=archive)
        yield canvas, task(canvas, used, kind, given)


def moment(
    canvas: Sandbox, task_run: TaskRun, kind: str, given: dict[str, Any], name: str, **more: Any
) -> dict[str, Any]:
    """Where a task stands."""
    return {
        "name": name,
        "kind": kind,
        "arguments": given,
        "at": time.time(),
        "try_number": task_run.try_number,
        "exports": [[export.id, export.context] for export in canvas.exports],
        "migrations": [migration.id for migration in canvas.migrations],
        "checkpoint": task_run.checkpoint,
        **more,
    }


def waiting(
    canvas: Sandbox, task_run: TaskRun, kind: str, given: dict[str, Any], number: int
) -> dict[str, Any]:
    """Where a task stands that has deferred itself, with its trigger row."""
    assert isinstance(task_run.message, DeferTask)
    kwargs: Any = task_run.message.trigger_kwargs
    return moment(
        canvas,
        task_run,
        kind,
        given,
        f"{kind}, deferral {number}",
        deferral=number,
        trigger={"classpath": task_run.message.classpath, "kwargs": deserialize(kwargs)},
        next_method=task_run.message.next_method,
    )


def continued(canvas: Sandbox, task_run: TaskRun, left: dict[str, Any]) -> dict[str, Any]:
    """The same with the end of the next attempts."""
    return {**left, "end": ending(canvas, task_run, next_attempts(task_run, cleared="cleared" in left))}


def ending(canvas: Sandbox, task_run: TaskRun, state: str) -> dict[str, Any]:
    """What a task has come to, and what Canvas had to do for it."""
    return {
        "state": state,
        "outcomes": outcomes(task_run),
        "exports": Counter(export.context for export in canvas.exports),
        "migrations": len(canvas.migrations),
    }


if __name__ == "__main__":
    record(Path(sys.argv[1]).resolve())
