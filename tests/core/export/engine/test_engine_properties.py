"""The engine's invariants hold for every sequence of events, crashes and retries."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from datetime import datetime, timedelta, timezone

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.exports.engine_events import created, engine, stored

from canvas_exports.core.export.engine import events
from canvas_exports.core.export.engine.checkpoint import Checkpoint
from canvas_exports.core.export.engine.engine import Engine, Limits
from canvas_exports.core.export.engine.items import Item, State
from canvas_exports.core.export.engine.running_export import RunningExport
from canvas_exports.core.model.outcomes import Outcome
from canvas_exports.core.model.probes import ProbeFacts

NAMES = tuple(f"course:{number}/common_cartridge" for number in range(1, 6))


PROBE = ProbeFacts(datetime(2026, 11, 23, tzinfo=timezone.utc), "2026-11-20T12:00:00Z", "aliases", "ab" * 32)

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
    st.builds(events.Probed, st.sampled_from(NAMES), st.none() | st.just(PROBE)),
    st.builds(events.Changed, st.sampled_from(NAMES)),
    st.builds(
        events.Confirmed,
        st.sampled_from(NAMES),
        confirmed_export=st.integers(400, 408),
        reason=st.just("nothing has changed"),
        key=st.just("k"),
        findings=st.just(0),
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
    for item in list(machine.items.values())[:4]:
        item.to_probe, item.canvas_id = True, 7
    for step in steps:
        before = {item.name: copy.copy(item) for item in machine.items.values()}
        in_flight = sum(item.is_in_flight for item in machine.items.values())
        if step == "drive":
            decisions = machine.decide()
            assert not {*decisions.probe} & {*decisions.create, *decisions.look_up, *decisions.transfer}
            for name in decisions.create:
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
                if isinstance(step, events.Confirmed) and machine.items[name] != old:
                    assert (old.state, old.to_probe, old.creations) == (State.PLANNED, True, 0)
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


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.data())
def test_a_crash_at_any_step_neither_loses_a_course_nor_confirms_one_that_was_exported(
    data: st.DataObject,
) -> None:
    """Drive a batch of which some courses have changed, and kill the process anywhere, also with its checkpoint lost."""
    limits = Limits(window=2, creations=1, transfers=1, stall_after=1e9, deadline=1e9)
    changed = data.draw(st.sets(st.sampled_from(NAMES)))
    machine = engine(5, limits)
    for number, item in enumerate(machine.items.values(), start=1):
        item.to_probe, item.canvas_id = True, number
    made: dict[str, int] = {}
    probes: dict[str, ProbeFacts] = {}
    confirmed: set[str] = set()
    for reading in range(200):
        if machine.is_finished:
            break
        saved = reloaded(machine)
        decisions = machine.decide()
        die = data.draw(st.sampled_from(["never", *["here"] * bool(decisions), "lost"]))
        if die == "lost":
            probes = {}  # another attempt reads the courses again
            for item in saved.items.values():
                if item.state is not State.DONE:
                    item.plan()
                    item.state, item.intended_at, item.to_probe, item.probe = State.INTENDED, 0.0, True, None
                    item.creations = 0
        for name in decisions.look_up:
            machine.apply(created(made[name], item=name) if name in made else events.NotCreated(name))
        for name in decisions.probe:
            if machine.items[name].probe is None:
                at = PROBE.read_at + timedelta(seconds=reading)
                machine.apply(events.Probed(name, replace(PROBE, read_at=at)))
                saved = saved if die == "lost" else reloaded(machine)
        for name in decisions.probe:
            assert name not in made, "a course that was exported was to be confirmed"
            probe = machine.items[name].probe
            assert probe is not None
            if name in changed:
                machine.apply(events.Changed(name))
                continue
            if die != "lost":
                assert probes.setdefault(name, probe) == probe, "a course was confirmed under two names"
                confirmed.add(name)
            if die == "here":
                break
            machine.apply(events.Confirmed(name, 401, "nothing has changed", "k", 0))
        else:
            for name in decisions.create:
                machine.apply(events.Intended(name, 1.0))
            for name in decisions.create:
                assert name not in made, "a course was exported twice"
                assert name not in confirmed, "a course was exported that was confirmed"
                if die == "never":
                    made[name] = 500 + len(made)
                    machine.apply(created(made[name], item=name))
            for name in machine.decide().watch if die == "never" else ():
                machine.apply(events.Ready(name, made[name]))
            for name in machine.decide().transfer if die == "never" else ():
                machine.apply(stored(made[name], item=name))
        if die != "never":
            machine = saved
    else:
        return
    assert set(made) == changed
    assert confirmed == set(NAMES) - changed
    assert [item.outcome for item in machine.items.values()] == [
        Outcome.STORED if name in changed else Outcome.UNCHANGED for name in machine.items
    ]
