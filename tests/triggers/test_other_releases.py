"""What another release wrote down for the triggerer never ends a task: it goes on from its checkpoint."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canvas_exports.core.export.polling import wait
from canvas_exports.core.export.polling.poll_results import Seen, Sightings, Wake, Watched
from canvas_exports.triggers import content_export, restore
from canvas_exports.triggers.content_export import CanvasContentExportTrigger
from canvas_exports.triggers.restore import CanvasRestoreTrigger
from canvas_sandbox import Sandbox

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=True) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=9) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)
ROW: list[Any] = ["course:100", 501, 9001, 1000.0, 1000.0, None, None, None]
WAKE: dict[str, Any] = {"enough": 1, "linger": 1.0, "dwell": 0.0, "stall_after": 60.0, "deadline": 1.0}


@pytest.fixture(autouse=True)
def _no_long_waits(monkeypatch: pytest.MonkeyPatch, canvas: Sandbox) -> None:
    monkeypatch.setattr(wait, "DWELL", 0.0)
    monkeypatch.setattr(restore, "DWELL", 0.0)
    connection = {"conn_type": "canvas", "host": canvas.url, "password": canvas.token}
    monkeypatch.setenv("AIRFLOW_CONN_CANVAS_DEFAULT", json.dumps(connection))


@pytest.fixture
def canvas() -> Any:
    with Sandbox([]) as sandbox:
        yield sandbox


async def told(trigger: Any) -> Any:
    (event,) = [event async for event in trigger.run()]
    return event.payload


@pytest.mark.parametrize(
    "changes",
    [
        {"colour": "blue"},
        {"progress_api": "graphql"},
        {"watched": [[*ROW, "of a later release", 7]]},
        {"watched": [ROW[:5]]},
        {"wake": {**WAKE, "mood": "good"}},
        {"wake": {"deadline": 1.0, "dwell": 0.0}},
        {"pace": {"shortest": 1.0, "steps": 3}},
        {"pace": None},
    ],
    ids=str,
)
async def test_what_it_can_make_sense_of_it_watches(changes: dict[str, Any]) -> None:
    arguments = {"watched": [ROW], "wake": WAKE, "pace": {"shortest": 1.0}, "try_number": 3, **changes}
    payload = await told(CanvasContentExportTrigger(canvas_conn_id="canvas_default", **arguments))
    assert (payload["status"], payload["try_number"]) == ("watched", 3)
    assert list(payload["sightings"]["seen"]) == ["501"]


@pytest.mark.parametrize(
    "changes",
    [
        {"watched": [["course:100"]]},
        {"watched": [{"context": "course:100", "export_id": 501}]},
        {"watched": 7},
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
    payload = await told(CanvasContentExportTrigger(canvas_conn_id="canvas_default", **arguments))
    assert payload == {
        "status": "watched",
        "try_number": 3,
        "sightings": {"ready": [], "dead": {}, "seen": {}},
    }


async def test_a_trigger_without_any_argument_is_one_too() -> None:
    assert (await told(CanvasContentExportTrigger()))["status"] == "watched"
    assert (await told(CanvasRestoreTrigger()))["status"] == "watched"


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
    payload = await told(CanvasRestoreTrigger(canvas_conn_id="canvas_default", **arguments))
    assert payload == {"status": "watched", "try_number": 3}


@given(watched=ANYTHING, wake=ANYTHING, pace=ANYTHING)
def test_no_argument_of_whatever_shape_is_a_type_error(watched: Any, wake: Any, pace: Any) -> None:
    CanvasContentExportTrigger(watched=watched, wake=wake, pace=pace, more=watched).serialize()
    CanvasRestoreTrigger(waiting=watched, pace=pace, more=wake).serialize()
    for read, document in ((Watched.from_json, watched), (Wake.from_json, wake), (Sightings.from_json, wake)):
        with suppress(ValueError):
            read(document)


@given(
    st.builds(
        Sightings,
        ready=st.lists(st.integers(1, 9), max_size=3),
        dead=st.dictionaries(st.integers(1, 9), st.sampled_from(["failed", "gone"]), max_size=3),
        seen=st.dictionaries(
            st.integers(1, 9),
            st.builds(
                Seen,
                st.none() | st.floats(0, 100),
                st.floats(0, 2e9),
                st.none() | st.floats(0, 2e9),
                st.none() | st.floats(0, 2e9),
                st.none() | st.just("HTTP 500, request r1"),
            ),
            max_size=3,
        ),
    )
)
def test_what_was_seen_survives_json_and_additions_of_a_later_release(seen: Sightings) -> None:
    document = json.loads(json.dumps(seen.to_json()))
    assert Sightings.from_json(document) == seen
    later = {name: ([*row, "more"] if row[4:] else row) for name, row in document["seen"].items()}
    assert Sightings.from_json({**document, "seen": later, "mood": "good"}) == seen


def test_the_module_that_watches_is_the_one_that_airflow_has_stored() -> None:
    assert content_export.PATH == "canvas_exports.triggers.content_export.CanvasContentExportTrigger"
    assert restore.PATH == "canvas_exports.triggers.restore.CanvasRestoreTrigger"
