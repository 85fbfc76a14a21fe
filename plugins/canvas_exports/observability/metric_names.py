"""Name the metrics and spans. docs/metrics.md lists the same ones."""

from __future__ import annotations

from typing import NamedTuple

from canvas_exports.core.export.engine.items import State
from canvas_exports.core.model.outcomes import Outcome
from canvas_exports.core.model.probes import EQUAL, MISS, SKIPPED

_PREFIX = "canvas_exports"


class Metric(NamedTuple):
    """Describe one metric.

    Attributes:
        name: without the prefix that Airflow puts before every metric (``airflow.`` unless configured).
        kind: ``counter``, ``gauge`` or ``timer``.
        tags: names of its tags, where the backend supports tags.
    """

    name: str
    kind: str
    tags: tuple[str, ...] = ()


_EXPORT = ("dag_id", "export_type")

CREATED = Metric(f"{_PREFIX}.created", "counter", _EXPORT)
CREATED_AGAIN = Metric(f"{_PREFIX}.created_again", "counter", _EXPORT)
FETCH_FAILED = Metric(f"{_PREFIX}.fetch_failed", "counter", _EXPORT)
ENDED = {outcome: Metric(f"{_PREFIX}.ended.{outcome.value}", "counter", _EXPORT) for outcome in Outcome}
BYTES = Metric(f"{_PREFIX}.bytes", "counter", _EXPORT)
FINDINGS = Metric(f"{_PREFIX}.findings", "counter", _EXPORT)
#: By what the change probe of a course has led to.
PROBES = {
    result: Metric(f"{_PREFIX}.probes.{result}", "counter", _EXPORT) for result in (SKIPPED, EQUAL, MISS)
}
REFUSED = Metric(f"{_PREFIX}.refused", "counter")
SECONDS: dict[State, Metric] = {
    state: Metric(f"{_PREFIX}.time.{state.value}", "timer", _EXPORT)
    for state in State
    if state is not State.DONE
}
#: Followed by the name of the host, as in Airflow's own ``triggers.running``.
IN_FLIGHT = Metric(f"{_PREFIX}.in_flight", "gauge")
READY = Metric(f"{_PREFIX}.ready", "gauge")
#: Of the exports of a backup's last run.
PROMISES_KEPT = Metric(f"{_PREFIX}.promises.kept", "gauge", ("dag_id",))
PROMISES_MISSED = Metric(f"{_PREFIX}.promises.missed", "gauge", ("dag_id",))
#: Of the last run of a DAG.
ALARMS = Metric(f"{_PREFIX}.alarms", "gauge", ("dag_id",))

METRICS = (
    CREATED,
    CREATED_AGAIN,
    FETCH_FAILED,
    *ENDED.values(),
    BYTES,
    FINDINGS,
    *PROBES.values(),
    REFUSED,
    *SECONDS.values(),
    IN_FLIGHT,
    READY,
    PROMISES_KEPT,
    PROMISES_MISSED,
    ALARMS,
)

SPANS = tuple(f"{_PREFIX}.{name}" for name in ("batch", "probe", "create", "transfer", "proof", "publish"))


def span_name(name: str) -> str:
    """Return the full name of a span."""
    return f"{_PREFIX}.{name}"
