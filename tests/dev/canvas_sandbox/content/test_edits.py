"""Single items of a course are added, changed, moved and removed; the next export has that, and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from canvas_sandbox import Course, Sandbox
from canvas_sandbox.content.model import Kind

if TYPE_CHECKING:
    from tests.support.canvas.sandbox_client import Caller


def the(canvas: Sandbox, kind: Kind, number: int = 0) -> Any:
    return list(canvas.content(101).of(kind))[number]


def members(caller: Caller) -> dict[str, bytes]:
    package = caller.package()
    return {name: package.read(name) for name in package.namelist()}


def test_an_edited_page_is_the_only_member_that_differs(canvas: Sandbox, admin: Caller) -> None:
    page = the(canvas, Kind.PAGE, 3)
    before = members(admin)
    canvas.edit_item(101, page.id, {"body": "New text.", "settings": {"workflow_state": "unpublished"}})
    after = members(admin)
    differing = [name for name in before if before[name] != after[name]]
    assert differing == [f"wiki_content/{page.slug}.html"]
    assert b'<meta name="workflow_state" content="unpublished"/>' in after[differing[0]]


def test_lines_of_modules_follow_the_title_of_their_page(canvas: Sandbox) -> None:
    line = the(canvas, Kind.MODULE_ITEM)
    canvas.edit_item(101, line.target, {"title": "Another title"})
    assert the(canvas, Kind.MODULE_ITEM).title == "Another title"


def test_a_removed_item_takes_its_lines_along_and_a_module_too(canvas: Sandbox) -> None:
    line, module = the(canvas, Kind.MODULE_ITEM), the(canvas, Kind.MODULE, 1)
    canvas.remove_item(101, line.target)
    canvas.remove_item(101, module.id)
    items = canvas.content(101).items
    assert not {line.id, line.target, module.id} & items.keys()
    assert all(item.parent != module.id for item in items.values())


def test_a_line_is_moved_to_the_beginning_of_another_module(canvas: Sandbox) -> None:
    line, module = the(canvas, Kind.MODULE_ITEM), the(canvas, Kind.MODULE, 1)
    canvas.move_item(101, line.id, 0, module.id)
    assert (
        next(item.id for item in canvas.content(101).of(Kind.MODULE_ITEM) if item.parent == module.id)
        == line.id
    )


def test_a_file_that_is_uploaded_again_has_other_bytes(canvas: Sandbox, admin: Caller) -> None:
    file = the(canvas, Kind.FILE)
    before = members(admin)
    canvas.edit_item(101, file.id, {"version": 1})
    after = members(admin)
    assert [name for name in before if before[name] != after[name]] == [
        f"web_resources/{canvas.content(101).path(file)}"
    ]


def test_tools_outcomes_and_the_syllabus_are_in_the_package(canvas: Sandbox, admin: Caller) -> None:
    tool = canvas.add_item(101, Kind.TOOL.value, {"title": "Whiteboard"})
    canvas.add_item(101, Kind.OUTCOME.value, {"title": "Can measure"})
    canvas.set_course(101, {"syllabus_body": "<p>Hello</p>", "license": "cc_by"})
    found = members(admin)
    assert f"{canvas.content(101).items[tool].key}.xml" in found
    assert b"Can measure" in found["course_settings/learning_outcomes.xml"]
    assert b"<p>Hello</p>" in found["course_settings/syllabus.html"]
    assert b"<license>cc_by</license>" in found["course_settings/course_settings.xml"]


def test_what_cannot_be_edited_is_refused_and_nothing_changes(canvas: Sandbox) -> None:
    before = canvas.content(101)
    folder = next(item for item in before.of(Kind.FOLDER) if item.title == "Lectures")
    with pytest.raises(ValueError, match="holds no item"):
        canvas.edit_item(101, 7, {"title": "x"})
    with pytest.raises(ValueError, match="not empty"):
        canvas.remove_item(101, folder.id)
    with pytest.raises(ValueError, match="holds no item"):
        canvas.remove_item(101, before.root)
    assert canvas.content(101) == before


def test_a_sandbox_that_starts_again_has_the_edits(tmp_path: Path) -> None:
    def start() -> Sandbox:
        return Sandbox([Course(id=101, name="Biology")], state=tmp_path)

    with start() as canvas:
        page = the(canvas, Kind.PAGE)
        number = canvas.add_item(101, Kind.PAGE.value, {"title": "New", "body": "Text."})
        canvas.edit_item(101, page.id, {"title": "Changed", "settings": {"workflow_state": "unpublished"}})
        quiz = the(canvas, Kind.QUIZ)
        canvas.edit_item(101, quiz.id, {"questions": [{"number": 1, "text": "Why?", "answers": ["a", "b"]}]})
        was = canvas.content(101)
    with start() as canvas:
        assert canvas.content(101) == was
        assert canvas.content(101).items[number].title == "New"
