"""Send metrics and traces of a task on a worker."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from typing import Any

from canvas_exports.airflow_compat import conf, task_stats, trace
from canvas_exports.core.canvas.http.rate_limiter import RateLimiter
from canvas_exports.core.export.observer import UNOBSERVED, Observer, Step
from canvas_exports.core.model.runs import RunInfo
from canvas_exports.observability import metric_names
from canvas_exports.observability.metric_names import Metric, span_name
from canvas_exports.observability.safe_spans import SafeSpan, call_safely

_SWITCHES = (
    ("metrics", "statsd_on"),
    ("metrics", "statsd_datadog_enabled"),
    ("metrics", "otel_on"),
    ("traces", "otel_on"),
)


def is_observed() -> bool:
    """Return whether Airflow sends metrics or traces anywhere."""
    return any(conf.getboolean(section, key, fallback=False) for section, key in _SWITCHES)


@contextmanager
def observed(run: RunInfo, rate_limiter: RateLimiter) -> Iterator[Observer]:
    """Observe a task on a worker between two deferrals; do nothing where Airflow sends nothing.

    Args:
        run: names the DAG that the metrics are tagged with.
        rate_limiter: the limiter whose refusals are counted.
    """
    if not is_observed():
        yield UNOBSERVED
        return
    observer = TaskObserver(run.dag_id)
    refused = rate_limiter.throttled_count
    try:
        with observer.span("batch", **_run_attributes(run)):
            observer.set_parent()
            yield observer
    finally:
        observer.refused(rate_limiter.throttled_count - refused)


class TaskObserver:
    """Count and time through the Task SDK, and trace below the span of the task. See ``Observer``.

    Args:
        dag_id: a tag of every metric.
    """

    def __init__(self, dag_id: str) -> None:
        self._dag_id = dag_id
        self._tracer = trace.get_tracer("canvas_exports")
        self.set_parent()

    def set_parent(self) -> None:
        """Take the span that is open here as the parent of spans in threads, which begin without one."""
        self._parent = trace.set_span_in_context(trace.get_current_span())

    def moved(self, step: Step) -> None:
        """Time the state that an export leaves, and count an export that ended."""
        tags = self._tags(step.export_type)
        timer = metric_names.SECONDS.get(step.before)
        if timer is not None and step.seconds is not None:
            call_safely(task_stats.timing, timer.name, timedelta(seconds=step.seconds), tags=tags)
        if step.outcome is None:
            return
        self._count(metric_names.ENDED[step.outcome], 1, tags)
        if step.probe_result in metric_names.PROBES:
            self._count(metric_names.PROBES[step.probe_result], 1, tags)
        if step.outcome.has_package:
            self._count(metric_names.BYTES, step.size, tags)
            self._count(metric_names.FINDINGS, step.findings, tags)

    def created(self, export_type: str, *, again: bool) -> None:
        """Count an export that Canvas started."""
        self._count(metric_names.CREATED, 1, self._tags(export_type))
        if again:
            self._count(metric_names.CREATED_AGAIN, 1, self._tags(export_type))

    def transfer_failed(self, export_type: str) -> None:
        """Count a transfer that failed."""
        self._count(metric_names.FETCH_FAILED, 1, self._tags(export_type))

    def refused(self, count: int) -> None:
        """Count requests that Canvas turned away because of its rate limit."""
        self._count(metric_names.REFUSED, count, None)

    def span(self, name: str, **attributes: str | int) -> AbstractContextManager[object]:
        """Return a span below the one that is open in this thread, or else below that of ``set_parent``."""
        begin = self._tracer.start_as_current_span
        inside = trace.get_current_span().get_span_context().is_valid
        return SafeSpan(
            lambda: begin(
                span_name(name),
                context=None if inside else self._parent,
                attributes={f"canvas_exports.{key}": value for key, value in attributes.items()},
                record_exception=False,
                set_status_on_exception=False,
            )
        )

    def _tags(self, export_type: str) -> dict[str, str]:
        return {"dag_id": self._dag_id, "export_type": export_type}

    @staticmethod
    def _count(metric: Metric, count: int, tags: dict[str, str] | None) -> None:
        if count:
            call_safely(task_stats.incr, metric.name, count, tags=tags)


def _run_attributes(run: RunInfo) -> dict[str, Any]:
    return {
        "dag_id": run.dag_id,
        "run_id": run.run_id,
        "task_id": run.task_id,
        "map_index": run.map_index,
        "try_number": run.try_number,
    }
