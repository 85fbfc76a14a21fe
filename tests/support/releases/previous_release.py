"""Replay what another release wrote down: recorded rows, moved to the present, beside a Canvas in the same state."""

from __future__ import annotations

import json
import os
import shutil
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.support.airflow.task_runner import TaskRun

from canvas_exports.operators.content_export import CanvasContentExportOperator
from canvas_exports.operators.drill import CanvasRestoreDrillOperator
from canvas_exports.operators.restore import CanvasRestoreOperator
from canvas_sandbox import Course, Fault, Sandbox, Switches, Term

DATA = Path(__file__).parents[2] / "data" / "previous_release"

OPERATORS: dict[str, Any] = {
    "export": CanvasContentExportOperator,
    "restore": CanvasRestoreOperator,
    "drill": CanvasRestoreDrillOperator,
}
#: What stands in recorded documents for the root of the archive and the host of Canvas.
ARCHIVE, HOST = "file:///archive", "canvas.example.edu"
RETRIES = 2
EMPTY = 300
_EPOCH = range(1_700_000_000, 2_500_000_000)


def campus(**switches: Any) -> Sandbox:
    """The university whose nights are recorded: the same ids, packages and faults each time."""
    faults: dict[int, list[Any]] = {
        101: [],
        102: [],
        103: [Fault.INCOMPLETE],
        104: [Fault.VANISHED],
        105: [Fault.EXPORT_FAILS],
        106: [Fault.EMPTY],
        107: [Fault.EXPORT_FAILS.times(1)],
    }
    courses = [
        Course(
            id=number,
            name=f"Biology {number}",
            course_code=f"BIO-{number}",
            sis_course_id=f"BIO/{number}",
            size=1_000,
            term_id=1,
            faults=trouble,
        )
        for number, trouble in faults.items()
    ]
    drills = [Course(id=number, term_id=2, state="claimed", size=0) for number in (EMPTY, EMPTY + 1)]
    terms = [Term(1, "Autumn", starts=-10, ends=10), Term(2, "Drills")]
    usual = {"job_workers": 20, "duration": 0.4, "import_duration": 0.4, "throttle": False}
    return Sandbox([*courses, *drills], terms=terms, switches=Switches(**{**usual, **switches}))


def task(canvas: Sandbox, archive: Path, kind: str, arguments: Mapping[str, Any]) -> TaskRun:
    """A task instance of one of the ``OPERATORS`` before its first segment."""
    connections = {"canvas_default": {"conn_type": "canvas", "host": canvas.url, "password": canvas.token}}
    values: dict[str, Any] = {
        "task_id": kind,
        "archive": archive.as_uri(),
        "deferrable": True,
        "poll_shortest": 0.2,
        "poll_longest": 0.3,
        "retries": RETRIES,
        **arguments,
    }
    return TaskRun(lambda: OPERATORS[kind](**values), connections, RETRIES)


def host(canvas: Sandbox) -> str:
    """What documents call a Canvas."""
    return canvas.url.partition("://")[2]


def replace_text(archive: Path, changes: Mapping[str, str]) -> None:
    """Replace text in the documents of an archive."""
    for path in sorted(archive.rglob("*")):
        if path.suffix in (".json", ".html"):
            text = path.read_text(encoding="utf-8")
            for old, new in changes.items():
                text = text.replace(old, new)
            path.write_text(text, encoding="utf-8")


def set_age(archive: Path, at: float = 1_790_000_000) -> None:
    """Give all files one time of change, as a checkout does not: the index goes by it."""
    for path in archive.rglob("*.*"):
        os.utime(path, (at, at))


def copy_archive(folder: Path, canvas: Sandbox | None = None, *, source: Path = DATA / "archive") -> Path:
    """A copy of the recorded archive in a folder; of this Canvas, if one is given, and then without index."""
    archive = folder / "archive"
    shutil.copytree(source, archive)
    if canvas is None:
        set_age(archive)
    else:
        replace_text(archive, {HOST: host(canvas)})
        set_age(archive, 1_830_000_000)  # no manifest is written before its export was created
    return archive


def next_attempts(task_run: TaskRun, *, cleared: bool = False) -> str:
    """Attempts until there is no further one; the state of the last."""
    state = "up_for_retry"
    if cleared:
        task_run.clear()
        state = task_run.run_to_end()
    while state == "up_for_retry":
        task_run.retry()
        state = task_run.run_to_end()
    return state


def outcomes(task_run: TaskRun) -> dict[str, Any]:
    """What became of each course; of a restore and a drill, what the task returned about it."""
    if "items" in task_run.checkpoint:
        return {item["context"]: item["outcome"] for item in task_run.checkpoint["items"]}
    return {
        name: task_run.receipt[name] for name in ("outcome", "passed", "copy") if name in task_run.receipt
    }


def recorded(name: str) -> Any:
    """A recorded JSON document."""
    return json.loads((DATA / name).read_text(encoding="utf-8"))


def moved(value: Any, seconds: float) -> Any:
    """A recorded value whose times, seconds since the epoch, lie this much later."""
    if isinstance(value, dict):
        return {name: moved(each, seconds) for name, each in value.items()}
    if isinstance(value, list):
        return [moved(each, seconds) for each in value]
    return value + seconds if isinstance(value, float) and int(value) in _EPOCH else value


def create_exports(canvas: Sandbox, exports: list[list[Any]]) -> None:
    """Have Canvas create the recorded exports, under the recorded ids, as ``[id, context]`` in their order."""
    for export_id, context in exports:
        request = urllib.request.Request(  # noqa: S310 - the sandbox's own address
            f"{canvas.url}/api/v1/courses/{context.partition(':')[2]}/content_exports",
            data=b"export_type=common_cartridge&skip_notifications=true",
            headers={"Authorization": f"Bearer {canvas.token}", "User-Agent": "tests"},
        )
        with urllib.request.urlopen(request) as response:  # noqa: S310 - likewise
            assert json.load(response)["id"] == export_id
