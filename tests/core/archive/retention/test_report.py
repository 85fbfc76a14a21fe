"""A plan in a table and in a document that stay readable, however large the archive."""

from __future__ import annotations

import json

from tests.support.archives.random_archives import NOW, Shelf, laid
from tests.support.archives.retention_plans import KEEP_ONE, night, plan

from canvas_exports.core.archive.retention.apply import Applied, apply_plan
from canvas_exports.core.archive.retention.holds import Holds
from canvas_exports.core.archive.retention.policy import Policy
from canvas_exports.core.archive.retention.report import format_plan, plan_document, result, summary, totals
from canvas_exports.core.archive.schemas import problem
from canvas_exports.core.model.runs import RunFacts

RUN = RunFacts("canvas_exports 0")


def test_courses_that_lose_a_copy_come_first() -> None:
    told = format_plan(plan(laid([night(1), night(2, course=102), night(1, course=102)])))
    assert [line.split()[0] for line in told.splitlines()[2:5]] == ["course:102", "course:102", "course:101"]


def test_a_table_for_a_log_ends_somewhere_and_says_so() -> None:
    made = plan(laid([night(day) for day in range(9)]))
    lines = format_plan(made, most=4).splitlines()
    assert lines[6] == "and 5 more, which `canvas-archive retention` shows"
    assert "more, which" not in format_plan(made, most=None)
    assert len(format_plan(made, most=None).splitlines()) == len(lines) + 4


def test_below_it_stands_what_a_person_should_know() -> None:
    shelf = laid([night(1), night(2, dag_id="weekly")])
    broken = "courses/102/20270101T000000Z-common_cartridge-77.json"
    shelf.lay(broken, b"")
    told = format_plan(plan(shelf, Policy(last=1, holds=Holds.of([999])), backup="nightly"), width=1000)
    assert f"{broken} is left alone: it is not a manifest" in told
    assert "No copy matches hold course:999: is it misspelt?" in told
    assert "1 copy: 0 to delete, 1 to keep. The deletion frees 0 B." in told
    assert "Copies of others, which are not touched: 1." in told


def test_a_thousand_broken_manifests_do_not_make_a_thousand_notes() -> None:
    shelf = Shelf()
    for number in range(1, 31):
        shelf.lay(f"courses/{number}/20270101T000000Z-common_cartridge-{number}.json", b"")
    lines = format_plan(plan(shelf), width=1000).splitlines()
    assert sum("is left alone" in line for line in lines) == 20
    assert lines[-1] == "And 10 more manifests that cannot be read."


def test_locked_copies_are_counted_apart() -> None:
    made = plan(laid([night(3, lock="package"), night(2), night(1)]))
    assert totals(made) == "3 copies: 1 to delete, 1 to keep, 1 locked. The deletion frees 9 B."


def test_the_document_names_what_goes_and_counts_what_stays() -> None:
    shelf = laid([night(3, lock="manifest"), night(2), night(1), night(1, course=102)])
    made = plan(shelf)
    told = json.loads(plan_document(made, None, run=RUN, finished_at=NOW))
    assert problem("retention-1", told) is None
    (context,) = told["contexts"]
    assert (context["context"], context["keep"]) == ("course:101", 1)
    assert [(copy["decision"], copy["reasons"]) for copy in context["copies"]] == [
        ("locked", ["locked until 2030-01-01T00:00:00Z"]),
        ("delete", []),
    ]
    assert told["totals"] | {"policy": ""} == {
        "contexts": 2,
        "copies": 4,
        "keep": 2,
        "delete": 1,
        "locked": 1,
        "frees": 9,
        "policy": "",
        "applied": None,
    }
    assert told["totals"]["policy"] == KEEP_ONE.sentence()


def test_what_was_left_alone_is_reported_with_what_was_deleted() -> None:
    shelf = laid([night(2), night(1)])
    made = plan(shelf)
    shelf.lay("courses/101/notes.txt", b"mine")
    applied = apply_plan(shelf, made)
    assert summary(made, applied)["applied"] == {
        "copies": 0,
        "packages": 0,
        "records": 0,
        "bytes": 0,
        "left": 1,
    }
    assert json.loads(plan_document(made, applied, run=RUN, finished_at=NOW))["notes"] == list(applied.notes)
    assert result(applied) == "Deleted 0 copies and 0 packages (0 B). Left for a later run: 1."
    assert result(Applied(copies=2, packages=1, bytes=2000)) == "Deleted 2 copies and 1 package (2.0 kB)."
