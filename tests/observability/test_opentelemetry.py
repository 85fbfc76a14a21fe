"""What a real task sends to an OpenTelemetry collector, as metrics and as traces."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from tests.support.airflow.isolated_airflow import REPOSITORY
from tests.support.observability.otel_collector import Collector

from canvas_exports.observability.metric_names import SPANS
from canvas_sandbox import Course, Fault, Sandbox, Switches

PREFIX = "airflow.canvas_exports."


@pytest.fixture(scope="module")
def canvas() -> Iterator[Sandbox]:
    courses = [
        Course(id=100, name="Biology", size=20_000),
        Course(id=101, name="Botany", size=30_000),
        Course(id=103, name="Alchemy", faults=[Fault.CORRUPT]),
    ]
    with Sandbox(courses, switches=Switches(job_workers=20, duration=0.6, throttle=False)) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def sent(canvas: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Collector:
    """What the collector holds after one task, two of whose exports are stored, and one never is."""
    with closing(Collector()) as collector:
        environment = {
            **os.environ,
            "AIRFLOW__METRICS__OTEL_ON": "True",
            "AIRFLOW__TRACES__OTEL_ON": "True",
            "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
            "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
            "OTEL_TRACES_EXPORTER": "otlp_proto_http",
            "NO_PROXY": "127.0.0.1",
            "PYTHONPATH": os.pathsep.join([str(REPOSITORY), *sys.path]),
        }
        arguments = [canvas.url, canvas.token, str(tmp_path_factory.mktemp("archive"))]
        child = [sys.executable, "-m", "tests.support.observability.otel_child", *arguments]
        subprocess.run(child, env=environment, check=True, timeout=120)
        return collector


def attributes(span: Any) -> dict[str, Any]:
    """What a span says about itself, without the prefix."""
    return {
        pair.key.removeprefix("canvas_exports."): pair.value.string_value or pair.value.int_value
        for pair in span.attributes
    }


def test_a_task_is_a_tree_of_spans_and_a_series_of_metrics(sent: Collector, canvas: Sandbox) -> None:
    ours = [span for span in sent.spans if span.name.startswith("canvas_exports.")]
    by_id = {span.span_id: span for span in sent.spans}
    parents = {(span.name, by_id[span.parent_span_id].name) for span in ours}
    assert parents == {
        ("canvas_exports.batch", "worker.export"),
        ("canvas_exports.probe", "canvas_exports.batch"),
        ("canvas_exports.create", "canvas_exports.batch"),
        ("canvas_exports.transfer", "canvas_exports.batch"),
        ("canvas_exports.proof", "canvas_exports.transfer"),
        ("canvas_exports.publish", "canvas_exports.transfer"),
    }
    names = Counter(span.name for span in ours)
    assert set(names) == set(SPANS)
    assert names["canvas_exports.create"] == len(canvas.exports)
    assert names["canvas_exports.publish"] == 2
    transferred = {
        attributes(span)["export_id"]: attributes(span)["context"]
        for span in ours
        if span.name == "canvas_exports.transfer"
    }
    assert transferred == {export.id: export.context for export in canvas.exports}
    batch = next(span for span in ours if span.name == "canvas_exports.batch")
    assert attributes(batch) == {
        "dag_id": "campus_backup",
        "run_id": "manual__2026-11-23",
        "task_id": "export",
        "map_index": -1,
        "try_number": 1,
    }
    assert not batch.status.code, "what Airflow raises to defer is no error"

    points = {
        metric.name.removeprefix(PREFIX): metric for metric in sent.metrics if metric.name.startswith(PREFIX)
    }
    assert sum(point.as_int for point in points["created"].sum.data_points) == len(canvas.exports)
    assert sum(point.as_int for point in points["ended.stored"].sum.data_points) == 2
    timed = points["time.requested"].exponential_histogram.data_points
    assert sum(point.count for point in timed) == len(canvas.exports)


def test_nothing_sent_holds_a_token_a_signed_url_or_a_name(sent: Collector, canvas: Sandbox) -> None:
    assert sent.bodies
    for body in sent.bodies:
        text = body.decode("latin-1")
        assert canvas.token not in text
        assert not re.search(r"https?://\S*\?|sf_verifier|X-Amz|Biology|Botany", text)


def test_an_error_is_marked_by_its_type_alone(sent: Collector) -> None:
    marked = {(span.name, span.status.message) for span in sent.spans if span.status.code}
    assert marked == {
        ("canvas_exports.transfer", "CorruptPackageError"),
        ("canvas_exports.proof", "CorruptPackageError"),
    }
    assert not any(span.events for span in sent.spans), "messages and stack traces are not recorded"
