"""From the list to the batches and the report by reference: each task finds what is meant for it in the archive."""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk import BaseOperator
from tests.support.airflow.task_runner import Killed, TaskRun

from canvas_exports.core.archive.probe import is_probe
from canvas_exports.core.storage.local import FileStore
from canvas_exports.errors import ArchiveDeniedError
from canvas_exports.operators.content_export import CanvasContentExportOperator
from canvas_exports.operators.list_courses import CanvasListCoursesOperator
from canvas_exports.operators.run_report import CanvasRunReportOperator
from canvas_sandbox import Sandbox

LEFT = "courses/9/20261123T080000Z-common_cartridge-501.imscc"


def task_run(operator: type[BaseOperator], canvas: Sandbox, folder: Path, **arguments: Any) -> TaskRun:
    connections = {"canvas_default": {"conn_type": "canvas", "host": canvas.url, "password": canvas.token}}
    values = {"task_id": operator.__name__, "archive": folder.as_uri(), **arguments}
    return TaskRun(lambda: operator(**values), connections, arguments.get("retries", 0))


def listed(canvas: Sandbox, folder: Path, *courses: Any, **arguments: Any) -> Any:
    task = task_run(CanvasListCoursesOperator, canvas, folder, courses=courses, **arguments)
    assert task.run_segment() == "success"
    return task.receipt


def export(canvas: Sandbox, folder: Path, batch: Any, **arguments: Any) -> TaskRun:
    quick = {"deferrable": True, "poll_shortest": 0.2, "poll_longest": 0.5, **arguments}
    return task_run(CanvasContentExportOperator, canvas, folder, courses=batch, **quick)


def reported(canvas: Sandbox, folder: Path, batches: Any, **arguments: Any) -> Any:
    task = task_run(CanvasRunReportOperator, canvas, folder, batches=batches, fail_on="never", **arguments)
    assert task.run_segment() == "success"
    (path,) = folder.glob("runs/*/*/*/report.json")
    return json.loads(path.read_text())


def exported(canvas: Sandbox) -> Counter[str]:
    return Counter(each.context for each in canvas.exports)


class TestByReference:
    def test_a_list_becomes_packages_and_a_report_of_all_of_them(
        self, canvas: Sandbox, tmp_path: Path
    ) -> None:
        batches = listed(canvas, tmp_path, 100, 101, 106, batch_size=2)
        assert [batch["name"] for batch in batches] == ["course:100 and 1 more", "course:106"]
        for batch in batches:
            assert export(canvas, tmp_path, batch).run_to_end() == "success"
        report = reported(canvas, tmp_path, batches)
        assert {row["context"] for row in report["outcomes"]} == {f"course:{n}" for n in (100, 101, 106)}

    def test_a_batch_knows_from_the_plan_when_its_courses_were_updated(
        self, canvas: Sandbox, tmp_path: Path
    ) -> None:
        (batch,) = listed(canvas, tmp_path, account=1, filters={"search_term": "100"}, skip_unchanged="P7D")
        assert export(canvas, tmp_path, batch, skip_unchanged="P7D").run_to_end() == "success"
        (manifest,) = tmp_path.glob("courses/100/*.json")
        probe = json.loads(manifest.read_text())["probe"]
        assert (probe["source"], probe["updated_at"]) == ("list", canvas.updated_at(100))
        assert probe["fingerprint"] is not None

    @pytest.mark.parametrize("deferrable", [True, False])
    def test_a_course_of_an_account_is_not_read_again_for_its_manifest(
        self, canvas: Sandbox, tmp_path: Path, deferrable: bool
    ) -> None:
        (batch,) = listed(canvas, tmp_path, account=1, filters={"search_term": "BIO-100"})
        assert export(canvas, tmp_path, batch, deferrable=deferrable).run_to_end() == "success"
        (path,) = tmp_path.glob("courses/100/*.json")
        facts = json.loads(path.read_bytes())["context"]
        assert (facts["name"], facts["sis_id"], facts["term"]) == ("Biology 100", "BIO/100", "Default Term")
        assert "/api/v1/courses/100" not in {each.path for each in canvas.requests}

    def test_a_damaged_document_of_facts_leaves_them_to_canvas(self, canvas: Sandbox, tmp_path: Path) -> None:
        (batch,) = listed(canvas, tmp_path, account=1, filters={"search_term": "BIO-100"})
        (document,) = tmp_path.glob("runs/*/*/*/readings/0.jsonl")
        document.write_bytes(b"x" * document.stat().st_size)
        assert export(canvas, tmp_path, batch).run_to_end() == "success"
        (path,) = tmp_path.glob("courses/100/*.json")
        assert json.loads(path.read_bytes())["context"]["name"] == "Biology 100"
        assert "/api/v1/courses/100" in {each.path for each in canvas.requests}

    def test_a_batch_that_never_reported_is_interrupted_course_by_course(
        self, canvas: Sandbox, tmp_path: Path
    ) -> None:
        batches = listed(canvas, tmp_path, 100, 101, batch_size=1)
        report = reported(canvas, tmp_path, batches, export_type=["common_cartridge", "zip"])
        assert report["totals"]["outcomes"] == {"interrupted": 4}

    def test_a_batch_under_way_does_not_ask_for_its_plan_again(self, canvas: Sandbox, tmp_path: Path) -> None:
        (batch,) = listed(canvas, tmp_path, 100, 101)
        task = export(canvas, tmp_path, batch, retries=1)
        assert task.run_segment() == "deferred"
        (tmp_path / batch["plan"]).unlink()
        task.run_trigger()
        assert task.run_to_end() == "success"
        assert exported(canvas) == {"course:100": 1, "course:101": 1}

    def test_a_list_that_is_made_again_changes_no_batch(self, canvas: Sandbox, tmp_path: Path) -> None:
        first = listed(canvas, tmp_path, 100, 101, batch_size=1)
        assert export(canvas, tmp_path, first[0]).run_to_end() == "success"
        # Course 100 has a copy now, so it would come last; and there is a new course.
        second = listed(canvas, tmp_path, 106, 100, 101, batch_size=1)
        assert second[:2] == first
        assert [batch["name"] for batch in second] == ["course:100", "course:101", "course:106"]


class TestSweeping:
    def leave(self, folder: Path, days: float) -> Path:
        path = folder / LEFT
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"left")
        moment = path.stat().st_mtime - days * 86_400
        os.utime(path, (moment, moment))
        return path

    def test_the_report_says_what_went(self, canvas: Sandbox, tmp_path: Path) -> None:
        path = self.leave(tmp_path, days=3)
        assert reported(canvas, tmp_path, [])["swept"] == {
            "packages": 1,
            "uploads": 0,
            "bytes": 4,
            "keys": [LEFT],
            "trouble": None,
        }
        assert not path.exists()

    @pytest.mark.parametrize(
        "arguments", [{}, {"sweep_after": "P3D"}, {"sweep_after": "never"}, {"key_template": "x-{export_id}"}]
    )
    def test_what_is_too_young_or_not_meant_stays(
        self, canvas: Sandbox, tmp_path: Path, arguments: dict[str, Any]
    ) -> None:
        path = self.leave(tmp_path, days=2.5 if arguments else 1.5)
        report = reported(canvas, tmp_path, [], **arguments)
        assert ("swept" in report) is (arguments.get("sweep_after") != "never")
        assert path.exists()

    def test_a_problem_of_the_sweep_is_reported_and_fails_nothing(
        self,
        canvas: Sandbox,
        tmp_path: Path,
        caplog: pytest.LogCaptureFixture,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        path = self.leave(tmp_path, days=3)
        put_if_absent = FileStore.put_if_absent

        def denied(store: FileStore, key: str, data: bytes) -> bool:
            if is_probe(key):
                raise ArchiveDeniedError("no right to write here", key=key)
            return put_if_absent(store, key, data)

        monkeypatch.setattr(FileStore, "put_if_absent", denied)
        report = reported(canvas, tmp_path, [])
        assert "no right to write here" in report["swept"]["trouble"]
        assert "sweeping ended early" in caplog.text
        assert path.exists()

    def test_a_grace_period_that_is_too_short_is_refused(self, canvas: Sandbox, tmp_path: Path) -> None:
        task = task_run(CanvasRunReportOperator, canvas, tmp_path, sweep_after="PT1H")
        assert task.run_segment() == "failed"
        assert "sweep_after: PT1H is too short. Accepted: P1D or longer, or never" in str(task.error)

    def test_a_batch_whose_package_was_swept_before_its_manifest_fetches_it_again(
        self, canvas: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        task = export(canvas, tmp_path, "100", retries=1)
        assert task.run_segment() == "deferred"
        task.run_trigger()
        with monkeypatch.context() as patched:
            put = FileStore.put_if_absent

            def killed(store: FileStore, key: str, data: bytes) -> bool:
                if key.endswith(".json"):
                    raise Killed
                return put(store, key, data)

            patched.setattr(FileStore, "put_if_absent", killed)
            assert task.run_segment() == "killed"
        (package,) = tmp_path.glob("courses/100/*.imscc")
        os.utime(package, (0, 0))
        assert reported(canvas, tmp_path, [])["swept"]["packages"] == 1
        assert not package.exists()
        task.retry()
        assert task.run_to_end() == "success"
        assert package.exists()
        assert package.with_suffix(".json").exists()
        assert exported(canvas) == {"course:100": 1}
