"""What a person sees of a form, and of a mistake in it."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk import DAG
from tests.support.airflow.task_runner import TaskRun
from tests.support.backups.forms import alone, use, with_forms

from canvas_exports.dags.hold import canvas_hold
from canvas_exports.dags.manual_export import canvas_export
from canvas_exports.dags.restore import canvas_restore
from canvas_exports.dags.restore_drill import canvas_restore_drill
from canvas_exports.dags.verify import canvas_verify
from canvas_sandbox import Course, Sandbox


class TestHowFormsRead:
    """What a person sees of a form, and of a mistake in it."""

    def test_no_description_holds_a_backtick(self) -> None:
        """Airflow's form prints code over the text beside it."""
        for dag in with_forms().values():
            for name in dag.params:
                param = dag.params.get_param(name)
                assert "`" not in f"{param.schema.get('title')}{param.schema.get('description_md')}", name

    def test_no_rule_would_show_a_regular_expression(self) -> None:
        for dag in with_forms().values():
            for name in dag.params:
                assert '"pattern"' not in json.dumps(dag.params.get_param(name).schema), name

    def test_what_is_required_says_so_first(self) -> None:
        for dag, names in (
            (canvas_export(), {"courses"}),
            (canvas_restore(), {"course", "into"}),
            (canvas_restore_drill(), set()),
            (canvas_verify(), set()),
            (canvas_hold(), {"course", "tag"}),
        ):
            said = {name: dag.params.get_param(name).schema["description_md"] for name in dag.params}
            assert {name for name, text in said.items() if text.startswith("Required")} == names

    @pytest.mark.parametrize(
        ("make", "typed", "said"),
        [
            (canvas_export, {}, "the fields courses, groups and users are empty"),
            (
                canvas_export,
                {"courses": ["Biology"]},
                "courses: 'Biology' is not a Canvas course id. Accepted: 101, ",
            ),
            (canvas_export, {"courses": ["101"], "fail_on": "many"}, "fail_on: "),
            (canvas_export, {"courses": ["101"], "batch_size": 500}, "batch_size: 500 is out of range"),
            (
                canvas_restore,
                {"course": "101", "into": "Biology"},
                "Target course: 'Biology' is not a Canvas course id",
            ),
            (
                canvas_restore,
                {"course": "101", "into": "group:7"},
                "Target course: group:7 is not a course",
            ),
            (canvas_restore, {"course": "101", "into": "300", "copy": "yesterday"}, "Copy: "),
            (
                canvas_restore,
                {"course": "101", "into": "https://other.example.edu/courses/300"},
                "Target course: the address of course:300 leads to other.example.edu",
            ),
            (
                canvas_restore_drill,
                {"into": ["Biology"]},
                "Target courses: 'Biology' is not a Canvas course id",
            ),
        ],
    )
    def test_a_mistake_is_a_sentence_with_its_field_before_anything_is_created(
        self,
        make: Callable[[], DAG],
        typed: dict[str, Any],
        said: str,
        monkeypatch: pytest.MonkeyPatch,
        tmp_path: Path,
    ) -> None:
        monkeypatch.setenv("AIRFLOW_VAR_CANVAS_ARCHIVE", (tmp_path / "archive").as_uri())
        with Sandbox([Course(id=101), Course(id=300, state="claimed", size=0)]) as canvas:
            use(canvas, monkeypatch)
            task_run = TaskRun(partial(alone, make, typed), {}, retries=3)
            assert task_run.run_segment() == "failed", "no retry can help"
            assert not canvas.exports
            assert not canvas.migrations
        assert said in str(task_run.error)
