"""A course that was listed is not read again for its manifest; whatever is in doubt is read."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from tests.support.exports.batch_rig import RUN, asked
from tests.support.exports.transfer_rig import Way

from canvas_exports.core.canvas.client import CanvasClient
from canvas_exports.core.export.engine import events
from canvas_exports.core.export.engine.items import Item
from canvas_exports.core.export.options import build_options
from canvas_exports.core.export.planning.course_facts import PlannedFacts
from canvas_exports.core.export.replicas import Replicas
from canvas_exports.core.export.transfer import PackageMover

ROW = ["Listed", "LIST-1", None, "u" * 40, 3, "Autumn"]
LISTED = {
    "kind": "course",
    "id": 100,
    "name": "Listed",
    "course_code": "LIST-1",
    "sis_id": None,
    "uuid": "u" * 40,
    "account_id": 3,
    "term": "Autumn",
}
READ = "Biology 100"

Plan = Callable[[], PlannedFacts | None]


def planned(
    way: Way, *, age: timedelta = timedelta(hours=1), canvas: str | None = None, **rows: Any
) -> PlannedFacts:
    read_at = datetime.now(timezone.utc) - age
    return PlannedFacts(canvas or way.ours.host, read_at, {"course:100": ROW, **rows})


def mover(way: Way, plan: Plan, *, try_number: int = 1, **arguments: Any) -> PackageMover:
    options = build_options(courses=["100"], unchanged="store", **arguments)
    run = replace(RUN, try_number=try_number)
    return PackageMover(way.ours, Replicas([way.store]), options, run, planned=plan)


def stated(way: Way, event: events.Event) -> dict[str, Any]:
    assert isinstance(event, events.Stored), event
    facts: dict[str, Any] = json.loads((way.folder / event.key).with_suffix(".json").read_text())["context"]
    return facts


def move(way: Way, plan: PlannedFacts | None, item: Item | None = None, **arguments: Any) -> dict[str, Any]:
    return stated(way, mover(way, lambda: plan, **arguments).move(item or way.item()))


def test_a_listed_course_takes_three_requests_and_states_what_the_list_said(way: Way) -> None:
    item = way.item()
    before = len(way.canvas.requests)
    assert move(way, planned(way), item) == LISTED
    made = way.canvas.requests[before:]
    assert len(made) == 3
    assert made[0].path.endswith(f"/content_exports/{item.export_id}")
    assert asked(way.canvas, "GET", r"/courses/100$") == 0


def test_the_plan_is_read_once_for_all_packages(way: Way) -> None:
    reads: list[int] = []

    def plan() -> PlannedFacts:
        reads.append(1)
        return planned(way)

    ours = mover(way, plan)
    assert not reads
    for kind in ("common_cartridge", "qti"):
        assert stated(way, ours.move(way.item(export_type=kind))) == LISTED
    assert len(reads) == 1


def test_the_key_and_the_label_are_those_of_the_listed_course(way: Way) -> None:
    event = mover(way, lambda: planned(way), key_template="{term}/{course_code}-{export_id}").move(way.item())
    assert isinstance(event, events.Stored)
    assert event.key.startswith("courses/100/Autumn/LIST-1-")
    assert event.label == "LIST-1"


class TestRead:
    """In each of these the course is read, as if there were no plan."""

    def test_without_facts(self, way: Way) -> None:
        assert move(way, None)["name"] == READ

    def test_where_the_plan_lacks_the_course(self, way: Way) -> None:
        plan = replace(planned(way), rows={"course:101": ROW})
        assert move(way, plan)["name"] == READ

    @pytest.mark.parametrize("row", [None, [], ROW[:5], ["", *ROW[1:]], [*ROW[:4], "3", ROW[5]]], ids=str)
    def test_where_a_row_is_odd(self, way: Way, row: Any) -> None:
        assert move(way, planned(way, **{"course:100": row}))["name"] == READ

    def test_where_the_facts_are_older_than_a_batch_may_be(self, way: Way) -> None:
        plan = planned(way, age=timedelta(hours=3))
        assert move(way, plan, deadline=timedelta(hours=2))["name"] == READ
        assert move(way, plan, deadline=timedelta(hours=4)) == LISTED

    def test_where_the_facts_are_of_the_future(self, way: Way) -> None:
        assert move(way, planned(way, age=-timedelta(hours=1)))["name"] == READ

    def test_where_the_list_is_of_another_canvas(self, way: Way) -> None:
        assert move(way, planned(way, canvas="https://other.example.edu"))["name"] == READ

    def test_at_a_later_attempt(self, way: Way) -> None:
        assert move(way, planned(way), try_number=2)["name"] == READ

    def test_at_another_transfer(self, way: Way) -> None:
        assert move(way, planned(way), replace(way.item(), fetches=1))["name"] == READ


class TestRootAccount:
    def test_a_canvas_with_two_names_is_known_by_canvas_itself(
        self, way: Way, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(CanvasClient, "host", "https://canvas.other-name.edu")
        assert move(way, planned(way)) == LISTED
        assert asked(way.canvas, "GET", r"/courses/100$") == 1

    def test_the_package_of_another_canvas_is_refused(
        self, way: Way, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        read = CanvasClient.course
        monkeypatch.setattr(CanvasClient, "host", "https://canvas.other-name.edu")
        monkeypatch.setattr(
            CanvasClient, "course", lambda ours, context: replace(read(ours, context), root_account_id=2)
        )
        event = mover(way, lambda: planned(way)).move(way.item())
        assert isinstance(event, events.Ended)
        assert "the package is from" in (event.reason or "")
        assert way.files == []
