"""``proof="full"`` from the operator to the manifest, for every type of export."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.support.airflow.export_task import packages, task

from canvas_sandbox import Sandbox


@pytest.mark.parametrize("level", ["directory", "full"])
def test_the_level_that_was_asked_for_stands_in_each_manifest(
    canvas: Sandbox, tmp_path: Path, level: str
) -> None:
    task_run = task(canvas, tmp_path, proof=level, export_type=["common_cartridge", "qti", "zip"])
    assert task_run.run_to_end() == "success"
    assert packages(tmp_path) == {"100": 3, "101": 3}
    proofs = [json.loads(path.read_bytes())["proof"] for path in tmp_path.glob("courses/*/*.json")]
    assert {(proof["level"], proof["verdict"]) for proof in proofs} == {(level, "whole")}
    told = {name for proof in proofs for name in proof["counts"]}
    assert told >= {"pages", "quizzes", "files"}
    assert ("questions" in told) == (level == "full")
