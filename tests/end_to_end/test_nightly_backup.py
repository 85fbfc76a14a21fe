"""The nightly backup as a university runs it: Airflow's own scheduler, triggerer, DAG processor and API server."""

from __future__ import annotations

import json
import shutil
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from tests.support.airflow.task_runner import HAS_STATE_STORE
from tests.support.observability.statsd_server import StatsD

from canvas_demo.airflow.airflow_stack import AirflowStack
from canvas_demo.processes.ports import any_free
from canvas_exports.core.archive.search.results import SearchQuery
from canvas_exports.core.archive.search.search import search_archive
from canvas_exports.core.model.outcomes import Outcome
from canvas_exports.core.storage.open_store import open_store
from canvas_sandbox import Sandbox
from canvas_sandbox.scenarios import Scenario, demo

REPOSITORY = Path(__file__).parents[2]
DAG_ID = "canvas_backup_nightly"
STALE_AFTER = 10  # seconds, as the DAG processor is told
LONGEST = 420.0  # seconds a run may take before the test gives up

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return demo()


@pytest.fixture(scope="module")
def canvas(scenario: Scenario) -> Iterator[Sandbox]:
    with scenario.sandbox(time_scale=0.3) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("archive")


@pytest.fixture(scope="module")
def statsd() -> Iterator[StatsD]:
    with closing(StatsD()) as server:
        yield server


@pytest.fixture(scope="module")
def include(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What is shipped, in a folder that a test may add to."""
    folder = tmp_path_factory.mktemp("campus") / "include"
    for name in ("backups", "courses"):
        shutil.copytree(REPOSITORY / "include" / name, folder / name)
    return folder


@pytest.fixture(scope="module")
def airflow(
    canvas: Sandbox, archive: Path, statsd: StatsD, include: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[AirflowStack]:
    environment = {
        "CANVAS_EXPORTS_INCLUDE": str(include),
        "AIRFLOW__DAG_PROCESSOR__STALE_DAG_THRESHOLD": str(STALE_AFTER),
        "AIRFLOW__METRICS__STATSD_ON": "True",
        "AIRFLOW__METRICS__STATSD_HOST": "127.0.0.1",
        "AIRFLOW__METRICS__STATSD_PORT": str(statsd.port),
    }
    stack = AirflowStack(tmp_path_factory.mktemp("airflow"), REPOSITORY, any_free(), environment)
    try:
        stack.start()
        stack.add_canvas(canvas.url, canvas.token)
        stack.add_variable("canvas_archive", archive.as_uri())
        yield stack
    finally:
        stack.stop()
        shutil.rmtree(stack.home, ignore_errors=True)


@pytest.fixture(scope="module")
def night(airflow: AirflowStack) -> str:
    """One night, run to its end; the run id."""
    airflow.wait_for_dag(DAG_ID)
    run_id = airflow.trigger(DAG_ID, {"stall_after": "PT20S", "batch_size": 20})
    airflow.wait_for_end(DAG_ID, run_id, LONGEST)
    return run_id


def report(archive: Path) -> dict[str, Any]:
    (path,) = archive.glob(f"runs/*/{DAG_ID}/*/report.json")
    document: dict[str, Any] = json.loads(path.read_text())
    return document


def test_every_course_ends_in_the_expected_outcome(night: str, archive: Path, scenario: Scenario) -> None:
    assert night
    assert {row["context"]: row["outcome"] for row in report(archive)["outcomes"]} == scenario.expected


def test_every_package_has_its_manifest_and_nothing_else_lies_there(night: str, archive: Path) -> None:
    assert night
    packages = {path.with_suffix(".json") for path in archive.glob("courses/*/*.imscc")}
    others = {path for path in archive.glob("courses/**/*") if path.is_file() and path.suffix != ".imscc"}
    assert packages == others
    assert len(packages) == 36


def test_courses_in_trouble_keep_their_names_and_the_task_that_reported_them(
    night: str, archive: Path
) -> None:
    assert night
    bad = [row for row in report(archive)["outcomes"] if row["problem"]]
    assert len(bad) == 6
    for row in bad:
        assert row["title"], row
        assert row["task_id"] == "export"
        assert row["map_index"] in (0, 1)
    (page,) = archive.glob(f"runs/*/{DAG_ID}/*/report.html")
    assert "(America/Chicago)" in page.read_text()


def test_canvas_was_asked_for_each_export_once_unless_it_failed_one(
    night: str, canvas: Sandbox, scenario: Scenario
) -> None:
    assert night
    made = Counter(export.context for export in canvas.exports)
    failed = Counter(export.context for export in canvas.exports if export.state == "failed")
    assert {context for context, count in made.items() if count - failed[context] > 1} == set()
    assert len(made) == len(
        [outcome for outcome in scenario.expected.values() if outcome not in ("gone", "denied")]
    )


def test_forty_courses_take_a_handful_of_task_instances(night: str, airflow: AirflowStack) -> None:
    instances = airflow.task_instances(DAG_ID, night)
    assert Counter(instance["task_id"] for instance in instances) == {
        "list": 1,
        "export": 2,
        "report": 1,
        "search_index": 1,
    }
    states = {(instance["task_id"], instance["state"]) for instance in instances}
    assert states == {
        ("list", "success"),
        ("export", "success"),
        ("report", "failed"),
        ("search_index", "success"),
    }, "one course without a good copy makes the shipped backup red"


def test_the_content_of_the_night_can_be_searched(night: str, archive: Path, tmp_path: Path) -> None:
    assert night
    with open_store(archive.as_uri()) as store:
        found = search_archive(
            store, SearchQuery('"introduce yourself"'), folder=tmp_path / "cache", most_courses=100
        )
    assert found.indexed_courses == 36
    assert found.courses


def test_xcoms_and_state_stay_small_and_hold_no_secret(
    night: str, airflow: AirflowStack, archive: Path, canvas: Sandbox
) -> None:
    for index in range(2):
        in_archive = list(archive.glob(f"runs/*/{DAG_ID}/*/state/export-{index}.json"))
        assert bool(in_archive) != HAS_STATE_STORE
        kept = "".join(path.read_text() for path in in_archive) or json.dumps(
            airflow.state_store(DAG_ID, night, "export", index, "canvas_exports")
        )
        path = f"/dags/{DAG_ID}/dagRuns/{night}/taskInstances/export/xcomEntries/return_value"
        receipt = json.dumps(airflow.api("GET", path, map_index=index)["value"])
        assert len(receipt) < 1000
        assert len(kept) < 8000
        assert canvas.token not in kept + receipt
        assert "http" not in kept


def test_no_log_holds_the_token_or_a_signed_link(night: str, airflow: AirflowStack, canvas: Sandbox) -> None:
    assert night
    logs = [path.read_text(errors="replace") for path in airflow.home.rglob("*.log")]
    assert len(logs) > 5
    for text in logs:
        assert canvas.token not in text
        assert "X-Amz-Signature" not in text


def test_workers_and_the_triggerer_sent_what_the_report_says(
    night: str, archive: Path, canvas: Sandbox, statsd: StatsD
) -> None:
    assert night
    samples = statsd.samples("airflow.canvas_exports.")
    counted: Counter[str] = Counter()
    for sample in samples:
        if sample.kind == "c":
            counted[sample.name.removeprefix("airflow.canvas_exports.")] += int(sample.value)
    outcomes = Counter(row["outcome"] for row in report(archive)["outcomes"])
    assert {name: counted[f"ended.{name}"] for name in outcomes} == outcomes
    assert counted["created"] == len(canvas.exports)
    in_flight = [
        sample.value for sample in samples if sample.name.startswith("airflow.canvas_exports.in_flight.")
    ]
    assert max(in_flight) > 0
    assert in_flight[-1] == 0


def test_airflow_found_no_import_error_and_exactly_one_plugin(airflow: AirflowStack) -> None:
    assert airflow.api("GET", "/importErrors")["total_entries"] == 0
    assert airflow.api("GET", "/plugins/importErrors")["total_entries"] == 0
    plugins = [plugin["name"] for plugin in airflow.api("GET", "/plugins")["plugins"]]
    assert plugins.count("canvas_exports") == 1


def test_the_archive_announced_itself_with_each_receipt(
    night: str, airflow: AirflowStack, archive: Path
) -> None:
    assert night
    events = airflow.api("GET", "/assets/events")["asset_events"]
    assert [event["uri"].rstrip("/") for event in events] == [archive.as_uri()] * 2
    assert sum(event["extra"]["exports"] for event in events) == 40


def test_the_grid_tells_how_many_need_attention(
    night: str, airflow: AirflowStack, scenario: Scenario
) -> None:
    def told(dag_id: str, run_id: str) -> tuple[str, str]:
        run = airflow.api("GET", f"/dags/{dag_id}/dagRuns/{run_id}")
        return run["state"], run["note"]

    bad = sum(not Outcome(outcome).is_good for outcome in scenario.expected.values())
    assert told(DAG_ID, night) == ("failed", f"{40 - bad} of 40 good; {bad} need attention")
    good = next(context for context, outcome in scenario.expected.items() if outcome == "stored")
    by_hand = airflow.trigger("canvas_export", {"courses": [good]})
    airflow.wait_for_end("canvas_export", by_hand, LONGEST)
    assert told("canvas_export", by_hand) == ("success", "1 of 1 good")


def test_a_second_file_of_its_name_does_not_take_the_schedule_of_a_backup(
    night: str, airflow: AirflowStack, include: Path
) -> None:
    def dag() -> dict[str, Any]:
        shown: dict[str, Any] = airflow.api("GET", f"/dags/{DAG_ID}/details")
        return shown

    assert night
    before = dag()
    copy = (include / "backups" / "nightly.yaml").read_text().replace("0 2 * * *", "0 5 * * *")
    (include / "backups" / "anatomy.yaml").write_text(copy)
    added = time.time()
    deadline = time.monotonic() + 180
    # Until it is told, and the DAG was read so much later that one which is gone would be out of service.
    while (
        not (errors := airflow.api("GET", "/importErrors")["import_errors"])
        or datetime.fromisoformat(dag()["last_parsed_time"]).timestamp() < added + 3 * STALE_AFTER
    ):
        assert time.monotonic() < deadline, (errors, dag())
        time.sleep(2)
    (error,) = errors
    assert error["filename"] == "canvas_backups_broken.py"
    for one, other in (("nightly", "anatomy"), ("anatomy", "nightly")):
        assert (
            f"include/backups/{one}.yaml, line 4, name: 'nightly' is also the name of include/backups/{other}.yaml."
            in error["stack_trace"]
        )
    after = dag()
    for name in (
        "timetable_summary",
        "timetable_description",
        "next_dagrun_run_after",
        "is_stale",
        "latest_dag_version",
    ):
        assert after[name] == before[name], name
    assert after["is_stale"] is False
    assert "include/backups/nightly.yaml" in after["doc_md"]
