"""The present code reads an archive of the previous release with the same results, and goes on writing into it."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk import BaseOperator
from tests.support.airflow.task_runner import TaskRun
from tests.support.archives.indexed import CountingArchive
from tests.support.releases.previous_release import ARCHIVE, EMPTY, copy_archive, recorded, set_age, task

from canvas_exports.cli.main import main
from canvas_exports.core.archive import schemas
from canvas_exports.core.archive.catalog.index import read_with_index
from canvas_exports.operators.archive_gate import CanvasArchiveGateOperator
from canvas_exports.operators.drill import CanvasDrawDrillsOperator
from canvas_exports.operators.list_courses import CanvasListCoursesOperator
from canvas_exports.operators.retention import CanvasRetentionOperator
from canvas_exports.operators.run_report import CanvasRunReportOperator
from canvas_exports.operators.task_support.report_xcom import unpack
from canvas_exports.operators.verify import CanvasVerifyOperator
from canvas_sandbox import Sandbox

ANSWERS: dict[str, Any] = recorded("answers.json")
XCOMS: list[dict[str, Any]] = recorded("xcoms.json")
PASSING = {"made_at", "finished_at", "counts", "software", "why", "detail", "policy", "reasons", "next_step"}
DOCUMENTS = {
    "manifest-1": "courses/*/*cartridge-[0-9][0-9][0-9].json",
    "verification-1": "courses/*/*.verify-*.json",
    "drill-1": "courses/*/*.drill-*.json",
    "hold-1": "courses/*/*.hold-*.json",
    "run-report-1": "runs/*/*/*/report.json",
    "retention-1": "runs/*/*/*/retention/*.json",
    "gate-1": "runs/*/*/*/gates/*.json",
}


def recorded_xcom(dag_id: str, task_id: str, key: str = "return_value") -> Any:
    """The last one that a task of this name has left."""
    found = [
        row["value"] for row in XCOMS if (row["dag_id"], row["task_id"], row["key"]) == (dag_id, task_id, key)
    ]
    return found[-1]


def shape(value: Any) -> Any:
    """Names and types, without the values."""
    if isinstance(value, dict):
        return {name: shape(each) for name, each in value.items()}
    return [shape(value[0])] if isinstance(value, list) and value else type(value).__name__


@pytest.fixture
def night(canvas: Sandbox) -> Callable[..., TaskRun]:
    """Run a task of one segment to its end."""

    def ran(make: Callable[[], BaseOperator], state: str = "success") -> TaskRun:
        connections = {
            "canvas_default": {"conn_type": "canvas", "host": canvas.url, "password": canvas.token}
        }
        task_run = TaskRun(make, connections)
        assert task_run.run_to_end() == state
        return task_run

    return ran


@pytest.mark.parametrize("asked", ANSWERS)
def test_every_question_has_the_same_answer(
    asked: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    archive = copy_archive(tmp_path)
    status = main([*asked.split(), "--archive", archive.as_uri(), "--json"])
    answer = json.loads(capsys.readouterr().out.replace(archive.as_uri(), ARCHIVE))
    before = lasting(ANSWERS[asked])
    assert {"status": status, "answer": as_before(lasting(answer), before["answer"])} == before


def as_before(answer: Any, before: Any) -> Any:
    """The answer without the names that the previous release did not know: an answer may have more."""
    if isinstance(answer, dict) and isinstance(before, dict):
        return {name: as_before(value, before[name]) for name, value in answer.items() if name in before}
    if isinstance(answer, list) and isinstance(before, list) and len(answer) == len(before):
        return [as_before(one, other) for one, other in zip(answer, before, strict=True)]
    return answer


def lasting(answer: Any) -> Any:
    """An answer without what depends on the moment, and without sentences for people."""
    if isinstance(answer, dict):
        return {name: lasting(value) for name, value in answer.items() if name not in PASSING}
    return [lasting(each) for each in answer] if isinstance(answer, list) else answer


def test_the_index_is_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    archive = copy_archive(tmp_path)
    for path in archive.glob(DOCUMENTS["manifest-1"]):
        path.write_bytes(b"?" * path.stat().st_size)
    set_age(archive)
    assert main(["ages", "--archive", archive.as_uri(), "--json"]) == ANSWERS["ages"]["status"]
    answer = json.loads(capsys.readouterr().out)
    assert answer["oldest"] == ANSWERS["ages"]["answer"]["oldest"]


def test_its_index_replaces_the_reading_of_manifests(tmp_path: Path) -> None:
    """An upgrade does not read every manifest of an archive again."""
    archive = CountingArchive(copy_archive(tmp_path))
    with closing(read_with_index(archive)) as holdings:
        copies = [copy for holding in holdings for copy in holding.copies]
    assert len(copies) > 8
    assert archive.manifests_read() == []


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_kind_of_document_is_there_and_fits_the_present_schema(name: str, tmp_path: Path) -> None:
    found = list(copy_archive(tmp_path).glob(DOCUMENTS[name]))
    assert found
    for path in found:
        assert schemas.problem(name, json.loads(path.read_text())) is None, path


def test_every_copy_is_still_what_was_stored(tmp_path: Path, night: Callable[..., TaskRun]) -> None:
    archive = copy_archive(tmp_path)
    task_run = night(lambda: CanvasVerifyOperator(task_id="verify", archive=archive.as_uri()))
    before = recorded_xcom("canvas_verify", "verify")
    assert task_run.receipt["results"] == before["results"]
    assert task_run.receipt.keys() >= before.keys()


def test_retention_lets_the_same_copies_go(tmp_path: Path, night: Callable[..., TaskRun]) -> None:
    archive = copy_archive(tmp_path)
    task_run = night(
        lambda: CanvasRetentionOperator(
            task_id="retention", archive=archive.as_uri(), keep={"last": 1}, backup="canvas_backup_nightly"
        )
    )
    assert task_run.receipt.keys() >= recorded_xcom("canvas_backup_nightly", "retention").keys()
    totals = ANSWERS["retention --keep-last 1"]["answer"]["totals"]
    assert [task_run.receipt[name] for name in ("copies", "keep", "delete", "frees")] == [
        totals[name] for name in ("copies", "keep", "delete", "frees")
    ]


def test_the_gate_finds_the_same_copies_missing(tmp_path: Path, night: Callable[..., TaskRun]) -> None:
    archive = copy_archive(tmp_path)
    (path,) = archive.glob(DOCUMENTS["gate-1"])
    before = json.loads(path.read_text())
    path.unlink()
    night(
        lambda: CanvasArchiveGateOperator(
            task_id="gate", archive=archive.as_uri(), courses=["101", "102", "105"], max_age="P9999D"
        ),
        "failed",
    )
    after = json.loads(path.read_text())
    assert [row["context"] for row in after["missing"]] == [row["context"] for row in before["missing"]]
    assert (after["checked"], after.keys()) == (before["checked"], before.keys())


def test_a_course_is_restored_from_the_same_copy(canvas: Sandbox, tmp_path: Path) -> None:
    task_run = task(
        canvas, copy_archive(tmp_path, canvas), "restore", {"course": "course:101", "into": str(EMPTY)}
    )
    assert task_run.run_to_end() == "success"
    before = recorded_xcom("canvas_restore", "restore")
    assert (task_run.receipt["outcome"], task_run.receipt["copy"]) == (before["outcome"], before["copy"])
    assert task_run.receipt.keys() >= before.keys()


def test_a_drill_is_drawn_from_its_copies(
    canvas: Sandbox, tmp_path: Path, night: Callable[..., TaskRun]
) -> None:
    archive = copy_archive(tmp_path, canvas)
    task_run = night(
        lambda: CanvasDrawDrillsOperator(task_id="draw", archive=archive.as_uri(), into=[EMPTY], seed="a")
    )
    (drawn,) = task_run.receipt
    (before,) = recorded_xcom("canvas_restore_drill", "draw")
    assert drawn.keys() == before.keys()
    assert (archive / drawn["copy"]).exists()
    assert drawn["copy"] != before["copy"], "the one that was drilled already has its turn again later"


def give_present_content(archive: Path, canvas: Sandbox, scratch: Path, *courses: int) -> None:
    """Let the newest recorded copies hold what the sandbox exports today: its courses gain content with time."""
    asked = {"courses": list(courses), "fail_on": "never"}
    assert task(canvas, scratch, "export", asked).run_to_end() == "success"
    for course in courses:
        (exported,) = scratch.glob(f"courses/{course}/*.json")
        present = json.loads(exported.read_text())
        manifests = {
            path: json.loads(path.read_text()) for path in archive.glob(f"courses/{course}/*[0-9].json")
        }
        key = manifests[max(manifests)]["package"]["key"]
        shutil.copyfile(scratch / present["package"]["key"], archive / key)
        for path, manifest in manifests.items():
            if manifest["package"]["key"] == key:
                manifest["package"].update(
                    {name: present["package"][name] for name in ("size", "content_digest", "member_count")}
                )
                manifest["package"]["sha256"] = hashlib.sha256((archive / key).read_bytes()).hexdigest()
                manifest["proof"]["counts"].update(
                    {name: present["proof"]["counts"][name] for name in manifest["proof"]["counts"]}
                )
                path.write_text(json.dumps(manifest))
    set_age(archive, 1_830_000_000)


def test_a_batch_of_its_list_goes_on_with_its_plan_and_its_copies(canvas: Sandbox, tmp_path: Path) -> None:
    """Tasks of the present release follow one of the previous one in the same run."""
    archive = copy_archive(tmp_path, canvas)
    canvas.edit_course(102)
    give_present_content(archive, canvas, tmp_path / "scratch", 101, 102, 107)
    outcomes: dict[str, str] = {}
    for batch in recorded_xcom("canvas_backup_nightly", "list"):
        task_run = task(canvas, archive, "export", {"courses": batch, "fail_on": "never", "retries": 0})
        task_run.max_tries = 0
        assert task_run.run_to_end() == "success"
        outcomes.update({item["context"]: item["outcome"] for item in task_run.checkpoint["items"]})
        assert task_run.receipt.keys() >= recorded_xcom("canvas_backup_nightly", "export").keys()
    assert outcomes == {
        "course:101": "unchanged",
        "course:102": "unchanged",
        "course:103": "incomplete",
        "course:104": "gone",
        "course:105": "failed",
        "course:106": "empty",
        "course:107": "unchanged",
    }


def test_a_list_names_batches_as_it_did(tmp_path: Path, night: Callable[..., TaskRun]) -> None:
    task_run = night(
        lambda: CanvasListCoursesOperator(
            task_id="list",
            archive=tmp_path.as_uri(),
            account=1,
            filters={"enrollment_term_id": "current"},
            batch_size=4,
        )
    )
    before = recorded_xcom("canvas_backup_nightly", "list")
    new = {"readings"}  # what it does not know, it passes over
    known = [{name: value for name, value in row.items() if name not in new} for row in task_run.receipt]
    assert [shape(row) for row in known] == [shape(row) for row in before]


def test_its_batches_become_one_report(tmp_path: Path, night: Callable[..., TaskRun]) -> None:
    archive = copy_archive(tmp_path)
    batches = recorded_xcom("canvas_backup_nightly", "list")
    ran = archive / batches[0]["plan"].partition("/plan/")[0]
    here = archive / "runs/2026-11-23/campus_backup/manual__2026-11-23"
    shutil.copytree(ran, here, dirs_exist_ok=True)  # the run of the task below
    for path in here.glob("report.*"):
        path.unlink()
    plan = {"plan": f"{here.relative_to(archive)}/plan/0.jsonl"}
    task_run = night(
        lambda: CanvasRunReportOperator(
            task_id="report",
            archive=archive.as_uri(),
            batches=[{**batch, **plan} for batch in batches],
            fail_on="never",
        )
    )
    before, after = (json.loads((folder / "report.json").read_text()) for folder in (ran, here))
    assert [lasting(row) for row in after["outcomes"]] == [lasting(row) for row in before["outcomes"]]
    assert after.keys() == before.keys()
    kept = {row["key"] for row in XCOMS if row["task_id"] == "report"}
    assert kept - {"_link_RunReportLink"} <= task_run.supervisor.xcoms.keys()


def test_its_page_is_shown() -> None:
    page = unpack(recorded_xcom("canvas_backup_nightly", "report", "run_report_page"))
    assert page is not None
    assert b"BIO-105" in page
