"""What a real task and a real trigger send to a real StatsD listener."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow._shared.observability.metrics import stats as server_side
from airflow._shared.observability.metrics.base_stats_logger import NoStatsLogger
from airflow.observability.metrics import stats_utils as server_utils
from airflow.sdk._shared.observability.metrics import stats as worker_side
from airflow.sdk.observability.metrics import stats_utils
from tests.support.airflow.task_runner import TaskRun
from tests.support.observability.statsd_server import StatsD

from canvas_exports.observability import task_observer, trigger_gauges
from canvas_exports.observability.metric_names import METRICS
from canvas_exports.operators.content_export import CanvasContentExportOperator
from canvas_sandbox import Course, RequestFault, Sandbox, Switches

OURS = "airflow.canvas_exports."


@pytest.fixture
def statsd(monkeypatch: pytest.MonkeyPatch) -> Iterator[StatsD]:
    """Airflow's metrics switched on, in this process as in a worker and in a triggerer."""
    with closing(StatsD()) as server:
        monkeypatch.setenv("AIRFLOW__METRICS__STATSD_ON", "True")
        monkeypatch.setenv("AIRFLOW__METRICS__STATSD_HOST", "127.0.0.1")
        monkeypatch.setenv("AIRFLOW__METRICS__STATSD_PORT", str(server.port))
        worker_side.initialize(factory=stats_utils.get_stats_factory(), export_legacy_names=False)
        server_side.initialize(factory=server_utils.get_stats_factory(), export_legacy_names=False)
        yield server
    for module in (worker_side, server_side):
        client = getattr(module._backend, "statsd", None)
        if client is not None:
            client.close()
        module.initialize(factory=NoStatsLogger, export_legacy_names=False)


def task(canvas: Sandbox, folder: Path, **arguments: Any) -> TaskRun:
    values: dict[str, Any] = {
        "courses": range(100, 106),
        "archive": folder.as_uri(),
        "deferrable": True,
        "poll_shortest": 0.2,
        "poll_longest": 0.5,
        "fail_on": "never",
        **arguments,
    }
    connections = {"canvas_default": {"conn_type": "canvas", "host": canvas.url, "password": canvas.token}}
    return TaskRun(lambda: CanvasContentExportOperator(task_id="export", retries=1, **values), connections, 1)


def sums(server: StatsD) -> Counter[str]:
    """Counters by name, added up."""
    total: Counter[str] = Counter()
    for sample in server.samples(OURS):
        if sample.kind == "c":
            total[sample.name.removeprefix(OURS)] += int(sample.value)
    return total


class TestATask:
    def test_sends_what_became_of_every_export(self, canvas: Sandbox, tmp_path: Path, statsd: StatsD) -> None:
        task_run = task(canvas, tmp_path)
        assert task_run.run_to_end() == "success"
        stored = [json.loads(path.read_text()) for path in tmp_path.glob("courses/*/*.json")]
        assert sums(statsd) == {
            "created": len(canvas.exports),
            "created_again": len(canvas.exports) - 5,
            "fetch_failed": 3,
            "ended.stored": 4,
            "ended.incomplete": 1,
            "ended.gone": 1,
            "bytes": sum(manifest["package"]["size"] for manifest in stored),
            "findings": sum(len(manifest["proof"]["findings"]) for manifest in stored),
        }

    def test_times_every_state_that_an_export_leaves(
        self, canvas: Sandbox, tmp_path: Path, statsd: StatsD
    ) -> None:
        assert task(canvas, tmp_path, courses=["100", "101"]).run_to_end() == "success"
        timers = [sample for sample in statsd.samples(f"{OURS}time.") if sample.kind == "ms"]
        assert Counter(timer.name.removeprefix(f"{OURS}time.") for timer in timers) == dict.fromkeys(
            ("planned", "intended", "requested", "ready"), 2
        )
        assert all(600 <= timer.value < 60_000 for timer in timers if timer.name.endswith("requested"))

    def test_counts_nothing_twice_when_it_is_killed_and_tried_again(
        self, canvas: Sandbox, tmp_path: Path, statsd: StatsD
    ) -> None:
        task_run = task(canvas, tmp_path, courses=["100", "101"])
        task_run.supervisor.kill_after_writes = 3
        assert task_run.run_segment() == "killed"
        task_run.supervisor.kill_after_writes = None
        task_run.retry()
        assert task_run.run_to_end() == "success"
        counted = sums(statsd)
        assert counted["ended.stored"] == 2
        assert counted["created"] <= len(canvas.exports) == 2

    def test_counts_the_refusals_of_canvas(self, canvas: Sandbox, tmp_path: Path, statsd: StatsD) -> None:
        canvas.inject(RequestFault(effect="throttled", path=r"/users/self$", times=2))
        assert task(canvas, tmp_path, courses=["100"]).run_to_end() == "success"
        assert sums(statsd)["refused"] == 2

    def test_sends_no_course_no_url_and_no_name_it_has_not_documented(
        self, canvas: Sandbox, tmp_path: Path, statsd: StatsD, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("AIRFLOW__METRICS__STATSD_INFLUXDB_ENABLED", "True")
        assert task(canvas, tmp_path).run_to_end() == "success"
        samples = statsd.samples(OURS)
        known = {metric.name: metric.tags for metric in METRICS}
        for name, *tags in (sample.name.removeprefix("airflow.").split(",") for sample in samples):
            assert dict(tag.split("=") for tag in tags) in (
                {},
                {"dag_id": "campus_backup", "export_type": "common_cartridge"},
            )
            assert name in known or name.rpartition(".")[0] in known
            assert bool(tags) == bool(known.get(name))

    def test_goes_on_when_the_metrics_cannot_be_sent(
        self, canvas: Sandbox, tmp_path: Path, statsd: StatsD, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def broken(*_: object, **__: object) -> None:
            raise OSError("no buffer space")

        monkeypatch.setattr(task_observer, "task_stats", SimpleNamespace(incr=broken, timing=broken))
        monkeypatch.setattr(trigger_gauges, "triggerer_stats", SimpleNamespace(incr=broken, gauge=broken))
        assert task(canvas, tmp_path, courses=["100"]).run_to_end() == "success"
        assert statsd.samples(OURS) == []


class TestATrigger:
    def test_says_what_the_triggerer_waits_for_and_takes_it_back(
        self, tmp_path: Path, statsd: StatsD
    ) -> None:
        courses = [Course(id=100, size=20_000), Course(id=101, size=20_000)]
        with Sandbox(courses, switches=Switches(duration=5, throttle=False)) as canvas:
            task_run = task(canvas, tmp_path, courses=["100", "101"])
            assert task_run.run_segment() == "deferred"
            task_run.run_trigger()
        in_flight = [sample.value for sample in statsd.samples(f"{OURS}in_flight.")]
        ready = [sample.value for sample in statsd.samples(f"{OURS}ready.")]
        assert in_flight[0] == 2
        assert (in_flight[-1], ready[-1]) == (0, 0)
