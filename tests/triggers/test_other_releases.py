"""What another release wrote down for the triggerer never ends a task: it goes on from its checkpoint."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canvas_exports.core.export.engine.running_export import RunningExport, from_table, to_table
from canvas_exports.core.export.polling.poll_results import PollResult, WakeRule
from canvas_exports.triggers import content_export, restore
from canvas_exports.triggers.content_export import CanvasContentExportTrigger
from canvas_exports.triggers.restore import CanvasRestoreTrigger
from canvas_sandbox import Sandbox

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=True) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=9) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)
#: As releases before running exports had a version have stored one.
ROW: list[Any] = ["course:100", 501, 9001, 1000.0, 1000.0, None, None, None]
TABLE = to_table(from_table([ROW]))
WAKE: dict[str, Any] = {"enough": 1, "linger": 1.0, "dwell": 0.0, "stall_after": 60.0, "deadline": 1.0}


@pytest.fixture(autouse=True)
def _no_long_waits(monkeypatch: pytest.MonkeyPatch, canvas: Sandbox) -> None:
    monkeypatch.setattr(CanvasContentExportTrigger, "min_wait", 0.0)
    monkeypatch.setattr(CanvasRestoreTrigger, "min_wait", 0.0)
    connection = {"conn_type": "canvas", "host": canvas.url, "password": canvas.token}
    monkeypatch.setenv("AIRFLOW_CONN_CANVAS_DEFAULT", json.dumps(connection))


@pytest.fixture
def canvas() -> Any:
    with Sandbox([]) as sandbox:
        yield sandbox


async def payload_of(trigger: Any) -> Any:
    (event,) = [event async for event in trigger.run()]
    return event.payload


@pytest.mark.parametrize(
    "changes",
    [
        {"colour": "blue"},
        {"progress_api": "graphql"},
        {"watched": [[*ROW, "of a later release", 7]]},
        {"watched": [ROW[:5]]},
        {"watched": TABLE},
        {"watched": {**TABLE, "columns": [*TABLE["columns"], "colour"], "rows": [[*ROW, None, "blue"]]}},
        {"watched": {**TABLE, "columns": TABLE["columns"][:5]}},
        {"wake": {**WAKE, "mood": "good"}},
        {"wake": {"deadline": 1.0, "dwell": 0.0}},
        {"pace": {"shortest": 1.0, "steps": 3}},
        {"pace": None},
    ],
    ids=str,
)
async def test_what_it_can_make_sense_of_it_watches(changes: dict[str, Any]) -> None:
    arguments = {"watched": [ROW], "wake": WAKE, "pace": {"shortest": 1.0}, "try_number": 3, **changes}
    payload = await payload_of(CanvasContentExportTrigger(canvas_conn_id="canvas_default", **arguments))
    assert (payload["status"], payload["try_number"]) == ("watched", 3)
    assert list(PollResult.from_json(payload["poll_result"]).running) == [501]


@pytest.mark.parametrize(
    "changes",
    [
        {"watched": [["course:100"]]},
        {"watched": [{"context": "course:100", "export_id": 501}]},
        {"watched": 7},
        {"watched": {**TABLE, "version": 2}},
        {"watched": {**TABLE, "columns": TABLE["columns"][1:]}},
        {"watched": {"version": 1}},
        {"watched": None},
        {"watched": [[*ROW[:3], "yesterday", None]]},
        {"wake": {"enough": 1}},
        {"wake": ["at once"]},
        {"pace": {"shortest": "slow"}},
    ],
    ids=str,
)
async def test_otherwise_it_lets_the_task_go_on_from_its_checkpoint(
    changes: dict[str, Any],
) -> None:
    arguments = {"watched": [ROW], "wake": WAKE, "pace": {}, "try_number": 3, **changes}
    payload = await payload_of(CanvasContentExportTrigger(canvas_conn_id="canvas_default", **arguments))
    assert payload == {
        "status": "watched",
        "try_number": 3,
        "poll_result": {"ready": [], "dead": {}, "seen": {}},
    }


async def test_a_trigger_without_any_argument_is_one_too() -> None:
    assert (await payload_of(CanvasContentExportTrigger()))["status"] == "watched"
    assert (await payload_of(CanvasRestoreTrigger()))["status"] == "watched"


@pytest.mark.parametrize(
    "changes",
    [{"colour": 1}, {"waiting": ["import", 1]}, {"waiting": 3}, {"pace": [1]}, {"pace": {"shortest": 1}}],
    ids=str,
)
async def test_so_does_that_of_a_restore(changes: dict[str, Any]) -> None:
    arguments = {
        "waiting": ["import", 100, 301, None, 1.0, 2.0, "more"],
        "pace": [1, 2],
        "try_number": 3,
        **changes,
    }
    payload = await payload_of(CanvasRestoreTrigger(canvas_conn_id="canvas_default", **arguments))
    assert payload == {"status": "watched", "try_number": 3}


@given(watched=ANYTHING, wake=ANYTHING, pace=ANYTHING)
def test_no_argument_of_whatever_shape_is_a_type_error(watched: Any, wake: Any, pace: Any) -> None:
    CanvasContentExportTrigger(watched=watched, wake=wake, pace=pace, more=watched).serialize()
    CanvasRestoreTrigger(waiting=watched, pace=pace, more=wake).serialize()
    for read, document in (
        (from_table, watched),
        (WakeRule.from_json, wake),
        (PollResult.from_json, wake),
    ):
        with suppress(ValueError):
            read(document)


SECONDS = st.floats(0, 2e9)
RUNNING = st.builds(
    RunningExport,
    context=st.just("course:100"),
    export_id=st.integers(1, 9),
    progress_id=st.none() | st.integers(1, 9),
    created_at=SECONDS,
    changed_at=SECONDS,
    completion=st.none() | st.floats(0, 100),
    running_since=st.none() | SECONDS,
    seen_at=st.none() | SECONDS,
    problem=st.none() | st.just("HTTP 500, request r1"),
)


@given(
    st.builds(
        PollResult,
        ready=st.lists(st.integers(1, 9), max_size=3),
        failed=st.dictionaries(st.integers(1, 9), st.sampled_from(["failed", "gone"]), max_size=3),
        running=st.lists(RUNNING, max_size=3).map(lambda exports: {each.export_id: each for each in exports}),
    )
)
def test_a_result_survives_json_and_additions_of_a_later_release(result: PollResult) -> None:
    document = json.loads(json.dumps(result.to_json()))
    assert PollResult.from_json(document) == result
    if result.running:
        document["seen"]["columns"].insert(0, "colour")
        document["seen"]["rows"] = [["blue", *row] for row in document["seen"]["rows"]]
    assert PollResult.from_json({**document, "mood": "good"}) == result


def test_a_result_of_releases_before_running_exports_had_a_version() -> None:
    document = {
        "ready": [1],
        "dead": {"2": "gone"},
        "seen": {"3": [50.0, 7.0, 6.0, 8.0], "4": [None, 7.0, None, 8.0, "HTTP 500, request r1", "more"]},
    }
    three = RunningExport("", 3, None, 7.0, 7.0, 50.0, 6.0, 8.0)
    four = RunningExport("", 4, None, 7.0, 7.0, seen_at=8.0, problem="HTTP 500, request r1")
    assert PollResult.from_json(document) == PollResult([1], {2: "gone"}, {3: three, 4: four})


def test_the_arguments_of_a_full_batch_fit_a_text_column() -> None:
    """MySQL keeps 64 KiB of a trigger's arguments, encrypted and in base64."""
    now = 1_800_000_000.123456
    exports = [
        RunningExport(f"course:{number}", number, number, now, now, 45.0, now, now, "x" * 200)
        for number in range(10**6, 10**6 + 200)
    ]
    assert len(json.dumps(to_table(replace(each, problem=None) for each in exports))) < 30_000
    assert len(json.dumps(PollResult(running={each.export_id: each for each in exports}).to_json())) < 64_000


def test_the_module_that_polls_is_the_one_that_airflow_has_stored() -> None:
    assert content_export.PATH == "canvas_exports.triggers.content_export.CanvasContentExportTrigger"
    assert restore.PATH == "canvas_exports.triggers.restore.CanvasRestoreTrigger"
