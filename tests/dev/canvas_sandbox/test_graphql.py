"""GraphQL: many Progresses in one request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from canvas_sandbox import Course, Fault, Switches

if TYPE_CHECKING:
    from tests.dev.canvas_sandbox.conftest import Call, Caller, Start


def query(*numbers: int, type_: str = "Progress") -> str:
    nodes = " ".join(
        f'p{number}: legacyNode(_id: "{number}", type: {type_}) {{... on Progress {{_id state completion}}}}'
        for number in numbers
    )
    return f"{{{nodes}}}"


def asked(caller: Caller, text: str) -> Any:
    response = caller.post("/api/graphql", {"query": text})
    assert response.status_code == 200, response.text
    return response.json()


def number_of(export: Any) -> int:
    return int(export["progress_url"].rpartition("/")[2])


def test_several_are_told_at_once_as_rest_tells_them(start: Start, call: Call) -> None:
    canvas = start(Course(id=101, duration=100), Course(id=102, duration=50))
    admin = call(canvas)
    exports = [admin.create(context=f"courses/{number}") for number in (101, 102)]
    canvas.advance(40)
    told = asked(admin, query(*map(number_of, exports)))["data"]
    for export in exports:
        progress, node = admin.progress(export), told[f"p{number_of(export)}"]
        assert node == {
            "_id": str(progress["id"]),
            "state": progress["workflow_state"],
            "completion": progress["completion"],
        }


def test_what_is_not_there_or_not_to_be_seen_is_null(admin: Caller, student: Caller) -> None:
    number = number_of(admin.create())
    assert asked(admin, query(number, 1))["data"]["p1"] is None
    assert asked(student, query(number))["data"] == {f"p{number}": None}


def test_more_than_twenty_aliases_are_refused(admin: Caller) -> None:
    assert "data" in asked(admin, query(*range(1, 21)))
    refused = asked(admin, query(*range(1, 22)))
    assert "data" not in refused
    assert refused["errors"]


@pytest.mark.parametrize("text", ["", "{", "{course(id: 1) {name}}", query(1, type_="Wombat")])
def test_errors_are_an_array_with_status_200(admin: Caller, text: str) -> None:
    assert list(asked(admin, text)) == ["errors"]


def test_a_state_that_the_schema_lacks_is_an_error_beside_the_others(start: Start, call: Call) -> None:
    canvas = start(Course(id=101, faults=[Fault.STUCK_WAITING]), Course(id=102, duration=50))
    admin = call(canvas)
    stuck, fine = (number_of(admin.create(context=f"courses/{number}")) for number in (101, 102))
    canvas.advance(1)
    answer = asked(admin, query(stuck, fine))
    assert answer["data"][f"p{stuck}"] is None
    assert answer["data"][f"p{fine}"]["state"] == "running"
    assert answer["errors"]


def test_it_needs_a_token_and_can_be_missing(start: Start, call: Call) -> None:
    assert call(start(), None).post("/api/graphql", {"query": query(1)}).status_code == 401
    without = start(switches=Switches(manual_clock=True, graphql=False))
    assert call(without).post("/api/graphql", {"query": query(1)}).status_code == 404


def test_each_node_has_its_cost(admin: Caller) -> None:
    costs = [
        float(admin.post("/api/graphql", {"query": query(*range(1, 1 + count))}).headers["x-request-cost"])
        for count in (1, 11)
    ]
    assert costs[1] == pytest.approx(costs[0] + 10 * Switches().graphql_node_cost)
