"""The engine's invariants hold for every sequence of events, crashes and retries."""

from __future__ import annotations

import copy
import json

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.exports.engine_events import created, engine, stored

from canvas_exports.core.export.engine import events
from canvas_exports.core.export.engine.checkpoint import Checkpoint
from canvas_exports.core.export.engine.engine import Engine, Limits
from canvas_exports.core.export.engine.items import Item, State
from canvas_exports.core.export.engine.running_export import RunningExport
from canvas_exports.core.model.outcomes import Outcome

NAMES = tuple(f"course:{number}/common_cartridge" for number in range(1, 6))


EXPORT_IDS = st.integers(500, 508)


HAPPENINGS = st.one_of(
    st.builds(events.Resolved, st.sampled_from(NAMES), st.integers(1, 9)),
    st.builds(
        events.Created,
        st.sampled_from(NAMES),
        export_id=EXPORT_IDS,
        progress_id=st.none(),
        created_at=st.just(1.0),
        at=st.floats(0, 500),
    ),
    st.builds(events.NotCreated, st.sampled_from(NAMES)),
    st.builds(
        events.Refused, st.sampled_from(NAMES), st.integers(0, 7), st.just("HTTP 500"), undone=st.booleans()
    ),
    st.builds(events.GivenUp, st.sampled_from(NAMES)),
    st.builds(
        events.Polled,
        st.sampled_from(NAMES),
        st.builds(
            RunningExport,
            st.just("course:1"),
            EXPORT_IDS,
            st.none(),
            st.just(1.0),
            st.floats(0, 500),
            st.floats(0, 100),
        ),
    ),
    st.builds(events.Ready, st.sampled_from(NAMES), EXPORT_IDS),
    st.builds(events.NotReady, st.sampled_from(NAMES), EXPORT_IDS),
    st.builds(events.ExportFailed, st.sampled_from(NAMES), EXPORT_IDS, st.just("failed")),
    st.builds(
        events.TransferFailed,
        st.sampled_from(NAMES),
        EXPORT_IDS,
        st.integers(0, 2),
        st.just("cut"),
        spoiled=st.booleans(),
        by_source=st.booleans(),
    ),
    st.builds(
        events.Stored,
        st.sampled_from(NAMES),
        EXPORT_IDS,
        outcome=st.sampled_from([Outcome.STORED, Outcome.UNCHANGED, Outcome.DEGRADED, Outcome.INCOMPLETE]),
        reason=st.none(),
        key=st.just("k"),
        size=st.just(1),
        findings=st.just(0),
    ),
    st.builds(
        events.Ended,
        st.sampled_from(NAMES),
        st.sampled_from([Outcome.GONE, Outcome.DENIED]),
        st.just("refused"),
    ),
    st.builds(events.QueueMoved, st.floats(0, 500)),
    st.builds(events.Tick, st.floats(0, 700)),
)


def snapshot(machine: Engine) -> list[Item]:
    return [copy.copy(item) for item in machine.items.values()]


def reloaded(machine: Engine) -> Engine:
    """The engine that a new process builds from the checkpoint of the old one."""
    checkpoint = Checkpoint(items=list(machine.items.values()), started_at=0.0, deadline=600.0)
    again = Checkpoint.from_json(json.loads(json.dumps(checkpoint.to_json())))
    assert again is not None
    return Engine(again.items, machine.limits)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(
    st.lists(
        st.one_of(HAPPENINGS, st.sampled_from(["drive", "crash", "interrupt", "retry", "clear"])),
        min_size=5,
        max_size=60,
    )
)
def test_invariants_hold_for_every_sequence_of_events_crashes_and_retries(
    steps: list[events.Event | str],
) -> None:
    limits = Limits(window=3, creations=2, transfers=2, stall_after=100.0, deadline=600.0)
    machine = engine(5, limits)
    for step in steps:
        before = {item.name: copy.copy(item) for item in machine.items.values()}
        in_flight = sum(item.is_in_flight for item in machine.items.values())
        if step == "drive":
            for name in machine.decide().create:
                machine.apply(events.Intended(name, 1.0))
            assert sum(item.is_in_flight for item in machine.items.values()) <= max(limits.window, in_flight)
        elif step == "crash":
            machine = reloaded(machine)
            assert {item.name: item for item in machine.items.values()} == before
        elif step == "interrupt":
            machine.interrupt("stopped")
            assert machine.is_finished
        elif step in ("retry", "clear"):
            machine.resume(cleared=step == "clear", now=5.0)
        else:
            assert isinstance(step, events.Event)
            machine.apply(step)
            once = snapshot(machine)
            machine.apply(step)
            assert snapshot(machine) == once, "an event that comes twice changes nothing"
            for name, old in before.items():
                if old.state is State.DONE and not isinstance(step, events.Resolved):
                    assert machine.items[name] == old, "an outcome is final"
        for item in machine.items.values():
            assert (item.outcome is not None) == (item.state is State.DONE)
            assert item.creations <= limits.creations
            if item.state in (State.REQUESTED, State.READY):
                assert item.export_id is not None


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.data())
def test_a_crash_at_any_step_never_makes_a_second_export_of_a_context(data: st.DataObject) -> None:
    """Drive a batch against a Canvas that makes an export at every POST, and kill the process anywhere."""
    limits = Limits(window=2, creations=1, transfers=1, stall_after=1e9, deadline=1e9)
    machine = engine(5, limits)
    made: dict[str, int] = {}
    saved = reloaded(machine)
    for _ in range(200):
        if machine.is_finished:
            break
        crash = data.draw(st.sampled_from(["never", "before POST", "after POST"]))
        decisions = machine.decide()
        for name in decisions.look_up:
            machine.apply(created(made[name], item=name) if name in made else events.NotCreated(name))
        decisions = machine.decide()
        for name in decisions.create:
            machine.apply(events.Intended(name, 1.0))
        saved = reloaded(machine)
        if crash == "before POST":
            machine = saved
            continue
        for name in decisions.create:
            assert name not in made, "a context was exported twice"
            made[name] = 500 + len(made)
            if crash == "after POST":
                break
            machine.apply(created(made[name], item=name))
            saved = reloaded(machine)
        if crash == "after POST":
            machine = saved
            continue
        for name in machine.decide().watch:
            machine.apply(events.Ready(name, made[name]))
        for name in machine.decide().transfer:
            machine.apply(stored(made[name], item=name))
        saved = reloaded(machine)
    else:
        return  # killed at every turn: nothing was doubled, which is all that is promised then
    assert all(item.outcome is Outcome.STORED for item in machine.items.values())
    assert sorted(made) == sorted(NAMES)
