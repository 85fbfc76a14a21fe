"""What goes wrong while counting or tracing stays there."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import date
from typing import Any

import pytest
from airflow.sdk.exceptions import TaskDeferred
from airflow.triggers.testing import SuccessTrigger

from canvas_exports.core.canvas.http.rate_limiter import RateLimiter
from canvas_exports.core.export.observer import UNOBSERVED
from canvas_exports.core.model.runs import RunInfo
from canvas_exports.observability import task_observer, trigger_gauges
from canvas_exports.observability.safe_spans import SafeSpan
from canvas_exports.observability.task_observer import observed
from canvas_exports.observability.trigger_gauges import TriggerGauges, observed_watch

RUN = RunInfo("campus_backup", "manual__2026-11-23", "export", date(2026, 11, 23))


class Recorder:
    def __init__(self) -> None:
        self.status: Any = None
        self.ended = False

    def set_status(self, status: Any) -> None:
        self.status = status

    @contextmanager
    def open(self) -> Iterator[Recorder]:
        yield self
        self.ended = True


def broken() -> AbstractContextManager[Recorder]:
    raise RuntimeError("the exporter is misconfigured")


class TestSpan:
    def test_an_error_passes_and_leaves_its_type(self) -> None:
        recorder = Recorder()
        with pytest.raises(ValueError, match="secret"), SafeSpan(recorder.open):
            raise ValueError("secret")
        assert recorder.ended
        assert recorder.status.description == "ValueError"

    def test_deferring_a_task_is_no_error(self) -> None:
        recorder = Recorder()
        with pytest.raises(TaskDeferred), SafeSpan(recorder.open):
            raise TaskDeferred(trigger=SuccessTrigger(), method_name="execute_complete")
        assert recorder.ended
        assert recorder.status is None

    def test_a_span_that_cannot_begin_does_not_stop_the_work(self) -> None:
        done = []
        with SafeSpan(broken):
            done.append("work")
        assert done

    def test_a_span_that_cannot_end_does_not_stop_the_work(self) -> None:
        @contextmanager
        def leaky() -> Iterator[Recorder]:
            yield Recorder()
            raise RuntimeError("queue full")

        with SafeSpan(leaky):
            pass


class TestOff:
    def test_without_metrics_and_traces_nobody_watches(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(task_observer, "task_stats", None)
        monkeypatch.setattr(task_observer, "trace", None)
        monkeypatch.setattr(trigger_gauges, "triggerer_stats", None)
        with observed(RUN, RateLimiter()) as observer:
            assert observer is UNOBSERVED
        with observed_watch(RateLimiter()) as tell:
            assert tell is None


class Sent:
    """Stands where Airflow's statistics stand."""

    def __init__(self) -> None:
        self.gauges: list[tuple[str, float]] = []
        self.counters: list[tuple[str, int]] = []

    def gauge(self, name: str, value: float) -> None:
        self.gauges.append((name.removeprefix("canvas_exports."), value))

    def incr(self, name: str, count: int) -> None:
        self.counters.append((name.removeprefix("canvas_exports."), count))

    @staticmethod
    def normalize_name_for_stats(name: str, *, log_warning: bool) -> str:
        return name.replace(" ", "_") if not log_warning else name


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Sent:
    sent = Sent()
    monkeypatch.setattr(trigger_gauges, "triggerer_stats", sent)
    return sent


class TestWatches:
    def test_watches_are_added_up_and_each_takes_back_its_own(self, sent: Sent) -> None:
        clock = itertools.count(step=10)
        together = TriggerGauges("triggerer 1.example", clock=lambda: float(next(clock)))
        rate_limiter = RateLimiter()
        with together.count(rate_limiter) as first:
            first(25, 0)
            with together.count(rate_limiter) as second:
                second(10, 2)
                second(7, 5)
            assert sent.gauges[-2:] == [
                ("in_flight.triggerer_1_example", 25),
                ("ready.triggerer_1_example", 0),
            ]
        assert [value for name, value in sent.gauges if name.startswith("in_flight")][-1] == 0
        assert max(value for name, value in sent.gauges if name.startswith("in_flight")) == 35

    def test_many_looks_in_a_second_are_one_report(self, sent: Sent) -> None:
        together = TriggerGauges("host", clock=lambda: 1.0)
        with together.count(RateLimiter()) as tell:
            for ready in range(1000):
                tell(1000 - ready, ready)
        assert sent.gauges == [
            ("in_flight.host", 1000),
            ("ready.host", 0),
            ("in_flight.host", 0),
            ("ready.host", 0),
        ]

    def test_the_refusals_of_a_budget_are_counted_once_however_many_share_it(self, sent: Sent) -> None:
        together, rate_limiter = TriggerGauges("host", clock=lambda: 1.0), RateLimiter()
        with together.count(rate_limiter), together.count(rate_limiter):
            assert rate_limiter.try_acquire() == 0
            rate_limiter.throttled()
        assert sent.counters == [("refused", 1)]
