"""A task goes on from the checkpoint that the previous release wrote, and asks Canvas for nothing twice."""

from __future__ import annotations

import json
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from tests.support.releases.previous_release import (
    copy_archive,
    create_exports,
    moved,
    next_attempts,
    outcomes,
    recorded,
    task,
)

from canvas_sandbox import Sandbox

CHECKPOINTS: list[dict[str, Any]] = recorded("checkpoints.json")


@pytest.mark.parametrize("left", CHECKPOINTS, ids=lambda left: left["name"])
def test_the_next_attempt_comes_to_the_same_end(
    left: dict[str, Any], canvas: Sandbox, tmp_path: Path
) -> None:
    if left["kind"] == "export":
        task_run = task(canvas, tmp_path, "export", left["arguments"])
        later = time.time() - left["at"]
        create_exports(canvas, left["exports"])
    else:
        task_run = task(canvas, copy_archive(tmp_path, canvas), left["kind"], left["arguments"])
        later = time.time() - left["at"]
        task_run.supervisor.kill_after_writes = left["write"]
        assert task_run.run_to_end() == "killed", "Canvas is to be in the state in which it was"
        task_run.supervisor.kill_after_writes = None
    assert [migration.id for migration in canvas.migrations] == left["migrations"]
    checkpoint = moved(left["checkpoint"], later)
    task_run.supervisor.state_store["canvas_exports"] = json.dumps(checkpoint)
    assert next_attempts(task_run, cleared="cleared" in left) == left["end"]["state"]
    assert outcomes(task_run) == left["end"]["outcomes"]
    if "started_at" in checkpoint:
        assert task_run.checkpoint["started_at"] == checkpoint["started_at"], "it was read, not begun anew"
    assert Counter(export.context for export in canvas.exports) == left["end"]["exports"]
    assert len(canvas.migrations) == left["end"]["migrations"] == (left["kind"] != "export")


def test_every_state_of_an_export_is_among_them() -> None:
    items = [item for left in CHECKPOINTS if left["kind"] == "export" for item in left["checkpoint"]["items"]]
    states = {item.get("state", "planned") for item in items}
    assert states == {"planned", "intended", "requested", "ready", "done"}
    assert {"stored", "incomplete", "failed"} <= {item.get("outcome") for item in items}
