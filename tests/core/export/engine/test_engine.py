"""The engine's decisions, event by event."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.support.exports.engine_events import LIMITS, A, created, engine, feed

from canvas_exports.core.export.engine import events
from canvas_exports.core.export.engine.items import State
from canvas_exports.core.export.engine.running_export import RunningExport
from canvas_exports.core.model.outcomes import Outcome

IN_FLIGHT = (events.Intended(A, 9.0), created())
READY = (*IN_FLIGHT, events.Ready(A, 501))


def seen(
    completion: float | None, *, since: float, at: float, export_id: int = 501, problem: str | None = None
) -> events.Polled:
    """The export of A was seen at a time, its completion unchanged since another."""
    return events.Polled(
        A, RunningExport("course:1", export_id, 7, 10.0, since, completion, seen_at=at, problem=problem)
    )


def test_a_ready_export_makes_room_for_the_next() -> None:
    machine = engine(4)
    feed(machine, *READY)
    assert len(machine.decide().create) == 3
    assert machine.decide().transfer == (A,)


def test_news_of_an_export_that_was_replaced_is_ignored() -> None:
    machine = engine()
    item = feed(
        machine,
        *IN_FLIGHT,
        events.ExportFailed(A, 501, "x"),
        events.Intended(A, 20.0),
        created(502),
        events.Ready(A, 501),
    )
    assert item.state is State.REQUESTED
    assert feed(machine, events.ExportFailed(A, 501, "x")).state is State.REQUESTED


def test_a_package_that_vanished_from_canvas_is_watched_again() -> None:
    item = feed(engine(), *READY, events.NotReady(A, 501))
    assert item.state is State.REQUESTED
    assert item.completion == 100.0, "the next look asks for the export itself"


def refused(number: int, *, undone: bool = True, item: str = A) -> events.Refused:
    return events.Refused(item, number, f"refused for the {number + 1}. time", undone)


class TestRefused:
    def test_who_was_refused_comes_after_those_who_were_not(self) -> None:
        machine = engine(3, replace(LIMITS, window=2))
        feed(machine, events.Intended(A, 9.0), refused(0))
        assert machine.decide().create == ("course:2/common_cartridge", "course:3/common_cartridge")

    def test_in_the_next_attempt_it_has_failed_if_others_were_answered(self) -> None:
        machine = engine(2)
        other = "course:2/common_cartridge"
        feed(machine, events.Intended(other, 9.0), created(item=other))
        for attempt in range(2):
            feed(machine, *(refused(3 * attempt + number) for number in range(3)))
            machine.resume(cleared=False, now=77.0)
        item = machine.items[A]
        assert (item.outcome, item.reason) == (Outcome.FAILED, "asked 6 times: refused for the 6. time")

    def test_a_stalled_export_is_reported_with_the_response_of_canvas(self) -> None:
        machine = engine()
        item = feed(
            machine,
            *IN_FLIGHT,
            seen(20.0, since=50.0, at=150.0, problem="HTTP 500, request r1"),
            events.Tick(150.0),
        )
        assert item.reason == "no progress for 2 min: HTTP 500, request r1"


class TestAnotherExport:
    """A Clear keeps an export only where it may still be of use."""

    def cleared(self, *happened: events.Event) -> State:
        machine = engine(limits=replace(LIMITS, creations=1))
        feed(machine, *happened)
        machine.resume(cleared=True, now=77.0)
        return machine.items[A].state

    @pytest.mark.parametrize(
        ("trouble", "state"),
        [
            ({"spoiled": False, "by_source": True}, State.PLANNED),
            ({"spoiled": True, "by_source": True}, State.PLANNED),
            ({"spoiled": False}, State.REQUESTED),
        ],
        ids=["its package could not be fetched", "its package was lost", "only the archive was in trouble"],
    )
    def test_is_made_where_the_fault_lies_with_this_one(self, trouble: dict[str, Any], state: State) -> None:
        failures = [events.TransferFailed(A, 501, fetch, "x", **trouble) for fetch in range(2)]
        assert self.cleared(*READY, *failures) is state

    def test_is_made_where_it_failed_for_what_it_is(self) -> None:
        assert self.cleared(*READY, events.Ended(A, Outcome.FAILED, "of another course")) is State.PLANNED


def test_no_progress_for_too_long_is_stalled() -> None:
    machine = engine()
    item = feed(machine, *IN_FLIGHT, seen(20.0, since=50.0, at=149.0), events.Tick(149.0))
    assert item.state is State.REQUESTED
    feed(machine, seen(20.0, since=50.0, at=150.0), events.Tick(150.0))
    assert (item.outcome, item.reason) == (Outcome.STALLED, "no progress for 2 min")


def test_an_export_that_nobody_could_look_at_is_not_stalled() -> None:
    """The triggerers were down, or Canvas was: what happened meanwhile is not known yet."""
    machine = engine()
    item = feed(machine, *IN_FLIGHT, seen(20.0, since=50.0, at=60.0), events.Tick(5_000.0))
    assert item.state is State.REQUESTED
    assert feed(machine, seen(30.0, since=5_001.0, at=5_001.0), events.Tick(5_002.0)).state is State.REQUESTED


def test_a_queued_export_is_not_stalled_while_canvas_works_on_others() -> None:
    machine = engine()
    item = feed(
        machine, *IN_FLIGHT, events.QueueMoved(90.0), seen(None, since=10.0, at=150.0), events.Tick(150.0)
    )
    assert item.state is State.REQUESTED
    assert feed(machine, seen(None, since=10.0, at=190.0), events.Tick(190.0)).outcome is Outcome.STALLED


def test_a_running_export_is_stalled_whatever_canvas_does_for_others() -> None:
    machine = engine()
    item = feed(
        machine,
        *IN_FLIGHT,
        seen(20.0, since=50.0, at=150.0),
        events.QueueMoved(140.0),
        events.Tick(150.0),
    )
    assert item.outcome is Outcome.STALLED


def test_progress_going_backwards_counts_as_progress() -> None:
    machine = engine()
    progress = [seen(25.0, since=50.0, at=50.0), seen(15.0, since=120.0, at=200.0)]
    assert feed(machine, *IN_FLIGHT, *progress, events.Tick(200.0)).state is State.REQUESTED


def test_a_package_that_is_ready_at_the_deadline_is_still_fetched() -> None:
    assert feed(engine(), *READY, events.Tick(10_000.0)).state is State.READY


class TestResume:
    def test_a_retry_looks_at_the_interrupted_export_again(self) -> None:
        machine = engine()
        feed(machine, *READY)
        machine.interrupt("the worker was stopped")
        assert machine.items[A].outcome is Outcome.INTERRUPTED
        machine.resume(cleared=False, now=77.0)
        assert (machine.items[A].state, machine.items[A].export_id) == (State.REQUESTED, 501)
        assert machine.items[A].changed_at == 77.0

    def test_a_retry_leaves_final_outcomes_alone(self) -> None:
        machine = engine()
        feed(machine, *IN_FLIGHT, events.Ended(A, Outcome.DENIED, "no right"))
        machine.resume(cleared=False, now=77.0)
        assert machine.items[A].outcome is Outcome.DENIED


def test_something_that_is_not_an_event_is_refused() -> None:
    with pytest.raises(TypeError, match="not an event"):
        engine().apply("ready")  # type: ignore[arg-type]
