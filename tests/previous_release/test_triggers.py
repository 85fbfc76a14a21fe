"""A trigger row of the previous release runs in the present triggerer, and its events, old and new, are understood."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from airflow.jobs.triggerer_job_runner import TriggerRunner
from airflow.models.trigger import Trigger
from tests.support.airflow.task_runner import TaskRun
from tests.support.releases.previous_release import (
    copy_archive,
    create_exports,
    moved,
    outcomes,
    recorded,
    task,
)

from canvas_sandbox import Sandbox

ROWS: list[dict[str, Any]] = recorded("triggers.json")
PRESENT_NAMES = {"sightings": "poll_result"}


async def first_event(row: dict[str, Any]) -> Any:
    """The event of a trigger that was stored in Airflow's database and is made again from there."""
    stored = Trigger(classpath=row["trigger"]["classpath"], kwargs=row["trigger"]["kwargs"])
    trigger: Any = TriggerRunner().get_trigger_by_classpath(stored.classpath)(**stored.kwargs)
    assert trigger.serialize()[0] == stored.classpath
    (event,) = [event async for event in trigger.run()]
    return event.payload


def waiting(row: dict[str, Any], canvas: Sandbox, folder: Path) -> tuple[TaskRun, dict[str, Any]]:
    """A task that the previous release has deferred, with its row at the present time, beside a Canvas of that state."""
    if row["kind"] == "export":
        task_run = task(canvas, folder, "export", row["arguments"])
        create_exports(canvas, row["exports"])
        later = time.time() - row["at"]
    else:
        task_run = task(canvas, copy_archive(folder, canvas), row["kind"], row["arguments"])
        for number in range(row["deferral"]):
            if number:
                task_run.run_trigger()
            assert task_run.run_segment() == "deferred"
        later = time.time() - row["at"]
    present = moved(row, later)
    task_run.supervisor.state_store["canvas_exports"] = json.dumps(present["checkpoint"])
    task_run.try_number = row["try_number"]
    return task_run, present


def ends_as_recorded(task_run: TaskRun, row: dict[str, Any], event: Any, canvas: Sandbox) -> None:
    """The task wakes with an event, and comes to its end without asking Canvas for anything twice."""
    task_run.next_method, task_run.next_kwargs = row["next_method"], {"event": event}
    assert task_run.run_to_end() == row["end"]["state"]
    assert outcomes(task_run) == row["end"]["outcomes"]
    assert Counter(export.context for export in canvas.exports) == row["end"]["exports"]
    assert len(canvas.migrations) == row["end"]["migrations"]


@pytest.fixture(autouse=True)
def _connected(canvas: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """The triggerer's connection."""
    connection = {"conn_type": "canvas", "host": canvas.url, "password": canvas.token}
    monkeypatch.setenv("AIRFLOW_CONN_CANVAS_DEFAULT", json.dumps(connection))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["name"])
def test_a_row_runs_and_the_task_goes_on_with_its_event(
    row: dict[str, Any], canvas: Sandbox, tmp_path: Path
) -> None:
    task_run, present = waiting(row, canvas, tmp_path)
    event = asyncio.run(first_event(present))
    before = {PRESENT_NAMES.get(name, name): value for name, value in row["events"][0].items()}
    assert event.keys() == before.keys()
    assert {**event, "poll_result": None} == {**before, "poll_result": None}
    seen, seen_before = event.get("poll_result", {}), before.get("poll_result", {})
    assert seen.keys() == seen_before.keys()
    assert any(seen.values()) == any(seen_before.values()), "the row was understood"
    ends_as_recorded(task_run, row, event, canvas)


@pytest.mark.parametrize(
    ("row", "event"),
    [
        pytest.param(row, event, id=f"{row['name']}, {event['status']}")
        for row in ROWS
        for event in row["events"]
    ],
)
def test_the_task_goes_on_with_a_recorded_event(
    row: dict[str, Any], event: dict[str, Any], canvas: Sandbox, tmp_path: Path
) -> None:
    task_run, _ = waiting(row, canvas, tmp_path)
    canvas.advance(5.0)  # until what the event calls ready is so
    ends_as_recorded(task_run, row, moved(event, time.time() - row["at"]), canvas)
