"""The table of edits is true: of every kind, `updated_at`, the package and each part of the API show what it says."""

from __future__ import annotations

import io
import json
import zipfile
from typing import TYPE_CHECKING, Any

import pytest

from canvas_sandbox import Course, Sandbox, Switches
from canvas_sandbox.content.edit_kinds import SHOWN, EditKind, Source
from canvas_sandbox.content.model import Kind

if TYPE_CHECKING:
    from tests.support.canvas.sandbox_client import Call, Caller, Start

_CONNECTIONS = {
    Source.MODULES: "_id updatedAt position",
    Source.ASSIGNMENTS: "_id updatedAt position",
    Source.DISCUSSIONS: "_id position",
    Source.RUBRICS: "_id title criteria { _id description points ratings { _id description points } }",
}
_PAGES = [source for source in Source if source.value.endswith("Connection")]
_QUERY = (
    "{ course(id: 101) { updatedAt "
    + " ".join(
        f"{source.value}(first: 100) {{ nodes {{ {_CONNECTIONS.get(source, '_id updatedAt')} }} }}"
        for source in _PAGES
    )
    + " } }"
)
_TYPES = ("assessment_question_banks", "rubrics", "learning_outcomes", "wiki_pages", "context_external_tools")


def furnished(start: Start) -> Sandbox:
    """A course to which an edit of every kind can be made."""
    canvas = start(
        Course(id=101, subject="Botany"), Course(id=102), switches=Switches(manual_clock=True, throttle=False)
    )
    canvas.add_item(101, Kind.BANK.value, {"title": "Bank", "body": "First. Second."})
    canvas.add_item(101, Kind.ASSIGNMENT_GROUP.value, {"title": "Another group"})
    canvas.add_item(101, Kind.OUTCOME.value, {"title": "Of the account"})
    canvas.advance(3600)
    return canvas


def seen(caller: Caller) -> dict[Source, str]:
    """Every part of the API that may show an edit, as text."""
    course = "/api/v1/courses/101/"
    answer = caller.post("/api/graphql", json={"query": _QUERY}).json()["data"]["course"]
    found: dict[Source, Any] = {source: answer[source.value] for source in _PAGES}
    found[Source.COUNTS] = caller.get(course + "content_list").json()
    found[Source.TITLES] = [
        caller.get(course + "content_list", params={"type": each}).json() for each in _TYPES
    ]
    for source in (Source.LATE_POLICY, Source.GRADING_STANDARDS, Source.RUBRIC_LIST):
        found[source] = caller.get(course + source.value).json()
    return {source: json.dumps(each).replace(caller.canvas.url, "") for source, each in found.items()}


def package(caller: Caller) -> dict[str, bytes]:
    """The members of a cartridge, without what changes at every export."""
    opened = zipfile.ZipFile(io.BytesIO(caller.exported()))
    return {name: opened.read(name) for name in opened.namelist() if name != "imsmanifest.xml"}


@pytest.mark.parametrize("kind", EditKind, ids=lambda kind: kind.value)
def test_every_kind_of_edit_shows_what_the_table_says(kind: EditKind, start: Start, call: Call) -> None:
    canvas = furnished(start)
    admin, shown = call(canvas), SHOWN[kind]
    was, seen_before, package_before = canvas.updated_at(101), seen(admin), package(admin)
    assert canvas.updated_at(101) == was, "an export moves nothing"
    canvas.advance(3600)
    canvas.make_edit(101, kind, seed=3)
    seen_after = seen(admin)
    changed = {source for source in Source if seen_after[source] != seen_before[source]}
    assert (canvas.updated_at(101) != was) == shown.moves_course
    assert (package(admin) != package_before) == shown.in_package
    assert changed == shown.seen_in if not shown.moves_course else shown.seen_in <= changed


@pytest.mark.parametrize("kind", EditKind, ids=lambda kind: kind.value)
def test_edits_of_one_kind_with_other_seeds_change_the_package_again(
    kind: EditKind, start: Start, call: Call
) -> None:
    """So that random edits are never lost on a package that is equal by accident."""
    canvas = furnished(start)
    admin = call(canvas)
    before = package(admin)
    for seed in range(4):
        if not made(canvas, kind, seed):
            assert seed > 0
            return
        after = package(admin)
        assert (after != before) == SHOWN[kind].in_package, seed
        before = after


def made(canvas: Sandbox, kind: EditKind, seed: int) -> bool:
    """Whether there was still something to edit."""
    try:
        canvas.make_edit(101, kind, seed)
    except ValueError:
        return False
    return True


def test_an_edit_of_which_the_course_holds_nothing_is_refused_and_nothing_moves(start: Start) -> None:
    canvas = start(Course(id=101, size=0))
    was = canvas.updated_at(101)
    canvas.advance(60)
    with pytest.raises(ValueError, match="holds none of its assessment_question_banks"):
        canvas.make_edit(101, EditKind.BANK_RENAMED)
    assert canvas.updated_at(101) == was


@pytest.mark.parametrize(
    ("change", "moves"),
    [
        (lambda canvas: canvas.edit_course(101), True),
        (lambda canvas: canvas.add_item(101, Kind.PAGE.value, {"title": "New"}), True),
        (lambda canvas: canvas.add_item(101, Kind.RUBRIC.value, {"title": "New"}), False),
        (lambda canvas: canvas.set_course(101, {"license": "cc_by"}), True),
        (lambda canvas: canvas.set_course(101, {"late_policy": "5"}), False),
        (lambda canvas: canvas.edit_item(101, item(canvas, Kind.QUIZ), {"title": "Saved"}), True),
        (lambda canvas: canvas.edit_item(101, item(canvas, Kind.MODULE_ITEM), {"title": "Line"}), False),
        (lambda canvas: canvas.remove_item(101, item(canvas, Kind.MODULE_ITEM)), False),
        (lambda canvas: canvas.remove_item(101, item(canvas, Kind.MODULE)), True),
        (lambda canvas: canvas.move_item(101, item(canvas, Kind.MODULE), 1), True),
        (lambda canvas: canvas.move_item(101, item(canvas, Kind.ASSIGNMENT), 1), False),
        (lambda canvas: canvas.edit_item(101, item(canvas, Kind.FILE), {"usage_rights": "cc"}), False),
        (lambda canvas: canvas.share_content(101), False),
        (lambda canvas: canvas.import_enrolments(), True),
    ],
)
def test_single_edits_move_the_course_as_their_kind_does(change: Any, moves: bool, start: Start) -> None:
    canvas = start()
    was = canvas.updated_at(101)
    canvas.advance(60)
    change(canvas)
    assert (canvas.updated_at(101) != was) == moves


def item(canvas: Sandbox, kind: Kind) -> int:
    return next(canvas.content(101).of(kind)).id


def test_enrolments_from_the_sis_touch_active_courses_only(start: Start) -> None:
    canvas = start(Course(id=101), Course(id=102, state="completed"), Course(id=103, state="claimed"))
    before = [canvas.updated_at(number) for number in (101, 102, 103)]
    canvas.advance(60)
    canvas.import_enrolments()
    after = [canvas.updated_at(number) for number in (101, 102, 103)]
    assert [one != two for one, two in zip(before, after, strict=True)] == [True, False, False]


def test_an_export_moves_the_course_only_on_the_host_where_it_does(start: Start, call: Call) -> None:
    canvas = start(switches=Switches(manual_clock=True, export_touches_course=True))
    was = canvas.updated_at(101)
    call(canvas).package()
    assert canvas.updated_at(101) != was
