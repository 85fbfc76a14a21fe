"""What is reported to the observer of a batch, for every order of events."""

from __future__ import annotations

import copy
from contextlib import AbstractContextManager

from hypothesis import given
from hypothesis import strategies as st

from canvas_exports.core.export.engine import events
from canvas_exports.core.export.engine.engine import Engine, Limits, Transition
from canvas_exports.core.export.engine.items import Item, State
from canvas_exports.core.export.observer import UNOBSERVED, Step, StepReporter
from canvas_exports.core.model.outcomes import Outcome

LIMITS = Limits(window=3, creations=2, transfers=2, stall_after=100.0, deadline=10_000.0)
NAMES = ("course:1/common_cartridge", "course:2/common_cartridge")


class Witness:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self.creations: list[bool] = []

    def moved(self, step: Step) -> None:
        self.steps.append(step)

    def created(self, export_type: str, *, again: bool) -> None:
        assert export_type == "common_cartridge"
        self.creations.append(again)

    def transfer_failed(self, export_type: str) -> None:
        raise AssertionError(f"no transition is a failed transfer ({export_type})")

    def span(self, name: str, **attributes: str | int) -> AbstractContextManager[object]:
        raise AssertionError(f"no transition has a span ({name}, {attributes})")


def machine(count: int = 1) -> Engine:
    return Engine([Item(f"course:{number}", "common_cartridge") for number in range(1, count + 1)], LIMITS)


def reporter(witness: Witness, engine: Engine) -> StepReporter:
    engine.transitions()  # what a checkpoint holds is not new
    return StepReporter(witness, list(engine.items.values()), started_at=1000.0)


def stored(name: str = NAMES[0], export_id: int = 501) -> events.Stored:
    return events.Stored(
        name, export_id, Outcome.INCOMPLETE, "a page is missing", key="courses/1/x.imscc", size=7, findings=2
    )


def created(name: str = NAMES[0], export_id: int = 501) -> events.Created:
    return events.Created(name, export_id=export_id, progress_id=None, created_at=5000.0, at=1030.0)


def test_the_straight_way_is_reported_step_by_step_with_its_times() -> None:
    engine, witness = machine(), Witness()
    steps = reporter(witness, engine)
    happened: list[tuple[events.Event, float, float]] = [
        (events.Intended(NAMES[0], 5000.0), 1020.0, 5000.0),
        (created(), 1030.0, 5010.0),
        (events.Ready(NAMES[0], 501), 1100.0, 5090.0),
        (stored(), 1107.0, 5097.0),
    ]
    for event, now, canvas_now in happened:
        engine.apply(event)
        steps.report(engine.transitions(), now=now, canvas_now=canvas_now)
    kind = "common_cartridge"
    assert witness.steps == [
        Step(kind, State.PLANNED, State.INTENDED, 20.0),
        Step(kind, State.INTENDED, State.REQUESTED, 10.0),
        Step(kind, State.REQUESTED, State.READY, 90.0),  # by Canvas's clock
        Step(kind, State.READY, State.DONE, 7.0, Outcome.INCOMPLETE, 7, 2),
    ]
    assert witness.creations == [False]


def test_a_second_process_tells_only_what_is_new_and_how_long_canvas_took() -> None:
    engine = machine()
    for event in (events.Intended(NAMES[0], 5000.0), created()):
        engine.apply(event)
    witness = Witness()
    steps = reporter(witness, engine)
    steps.report(engine.transitions(), now=9000.0, canvas_now=5040.0)
    assert witness.steps == []
    engine.apply(events.Ready(NAMES[0], 501))
    steps.report(engine.transitions(), now=9000.0, canvas_now=5040.0)
    assert [step.seconds for step in witness.steps] == [40.0]
    assert witness.creations == []


def test_a_state_that_another_process_saw_begin_is_not_timed() -> None:
    engine = machine()
    for event in (events.Intended(NAMES[0], 5000.0), created(), events.Ready(NAMES[0], 501)):
        engine.apply(event)
    witness = Witness()
    steps = reporter(witness, engine)
    engine.apply(stored())
    steps.report(engine.transitions(), now=9000.0, canvas_now=9000.0)
    assert [(step.after, step.seconds) for step in witness.steps] == [(State.DONE, None)]


def test_clocks_that_disagree_give_no_negative_time() -> None:
    engine, witness = machine(), Witness()
    steps = reporter(witness, engine)
    for event in (events.Intended(NAMES[0], 5000.0), created(), events.Ready(NAMES[0], 501)):
        engine.apply(event)
        steps.report(engine.transitions(), now=500.0, canvas_now=4000.0)
    assert {step.seconds for step in witness.steps} == {0.0}


def test_an_export_that_canvas_failed_is_created_again() -> None:
    engine, witness = machine(), Witness()
    steps = reporter(witness, engine)
    for event in (
        events.Intended(NAMES[0], 5000.0),
        created(),
        events.ExportFailed(NAMES[0], 501, "Canvas reported the export as failed"),
        events.Intended(NAMES[0], 5000.0),
        created(export_id=502),
    ):
        engine.apply(event)
        steps.report(engine.transitions(), now=2000.0, canvas_now=5000.0)
    assert witness.creations == [False, True]


def test_without_an_observer_no_transition_is_read() -> None:
    def untouched() -> Transition:
        raise AssertionError("nobody observes")

    StepReporter(UNOBSERVED, [], started_at=0.0).report(iter(untouched, None), now=0.0, canvas_now=0.0)


def test_a_change_that_was_taken_back_before_the_checkpoint_is_none() -> None:
    engine = machine()
    engine.apply(events.Intended(NAMES[0], 5000.0))
    engine.apply(events.NotCreated(NAMES[0]))
    assert engine.transitions() == []


def test_interruptions_and_new_attempts_are_transitions() -> None:
    engine = machine(2)
    engine.interrupt("the worker stops")
    assert [one.item.name for one in engine.transitions()] == list(NAMES)
    engine.resume(cleared=False, now=2000.0)
    assert [(one.before.state, one.item.state) for one in engine.transitions()] == [
        (State.DONE, State.PLANNED)
    ] * 2
    assert engine.transitions() == []


happenings = st.lists(
    st.one_of(
        st.builds(events.Intended, st.sampled_from(NAMES), st.just(5000.0)),
        st.builds(created, st.sampled_from(NAMES), st.integers(501, 504)),
        st.builds(events.NotCreated, st.sampled_from(NAMES)),
        st.builds(events.Ready, st.sampled_from(NAMES), st.integers(501, 504)),
        st.builds(events.NotReady, st.sampled_from(NAMES), st.integers(501, 504)),
        st.builds(events.ExportFailed, st.sampled_from(NAMES), st.integers(501, 504), st.just("failed")),
        st.builds(stored, st.sampled_from(NAMES), st.integers(501, 504)),
        st.builds(events.Ended, st.sampled_from(NAMES), st.just(Outcome.GONE), st.just("gone")),
        st.just(None),  # a checkpoint is saved
    ),
    max_size=60,
)


@given(happenings)
def test_whatever_happens_the_steps_lead_from_the_beginning_to_the_present(
    happened: list[events.Event | None],
) -> None:
    engine, witness = machine(2), Witness()
    steps = reporter(witness, engine)
    before = copy.deepcopy(engine.items)
    told = 0
    for event in [*happened, None]:
        if event is not None:
            engine.apply(event)
            continue
        steps.report(engine.transitions(), now=2000.0, canvas_now=6000.0)
        news = witness.steps[told:]
        told = len(witness.steps)
        changed = [name for name, item in engine.items.items() if item.state is not before[name].state]
        assert [(step.before, step.after) for step in news] == [
            (before[name].state, engine.items[name].state) for name in changed
        ]
        before = copy.deepcopy(engine.items)
    assert sum(step.outcome is not None for step in witness.steps) == sum(
        item.state is State.DONE for item in engine.items.values()
    )
    assert sum(step.size for step in witness.steps) == sum(item.size or 0 for item in engine.items.values())
