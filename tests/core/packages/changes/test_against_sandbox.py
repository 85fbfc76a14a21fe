"""A course is edited in the sandbox: the comparison of its exports tells every edit, and no other."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, replace

import pytest
from tests.support.canvas.course_edits import COURSE, Campus, Edit, edits, prepare
from tests.support.canvas.sandbox_client import FROZEN, Caller
from tests.support.packages.stored import KEY, InMemory

from canvas_exports.core.packages.changes.compare import compare_courses
from canvas_exports.core.packages.changes.model import CourseChanges
from canvas_exports.core.packages.changes.version import Version
from canvas_exports.core.packages.content.open import open_content
from canvas_exports.core.packages.random_access import StoredPackage
from canvas_exports.core.packages.zip.directory import read_directory
from canvas_sandbox import Course, Sandbox

NAMES = (
    "a page is renamed, with its line",
    "a page is rewritten",
    "a page is no longer published",
    "a page is removed, with its line",
    "a page links to a file",
    "a page is added",
    "an assignment is due later",
    "an assignment is rewritten and renamed",
    "an assignment is added",
    "a question is rewritten and worth more",
    "a discussion is rewritten",
    "an announcement is delayed",
    "an event is moved to another day",
    "a rubric is worth more",
    "a rubric is removed",
    "an outcome is renamed",
    "a tool has another address",
    "a tool is added",
    "a file is renamed",
    "a file is moved",
    "a file is uploaded again",
    "a file is locked",
    "a file is removed",
    "a module is renamed",
    "a module is no longer published",
    "a module is removed, with its lines",
    "a module becomes the first",
    "a module is added, with a line",
    "a line becomes the last of its module",
    "a line is moved to another module",
    "a line is removed",
    "the syllabus is rewritten",
    "a setting of the course is changed",
)


class Exports:
    """The edited course, and its exports."""

    def __init__(self, canvas: Sandbox, caller: Caller) -> None:
        self.campus: Campus = prepare(canvas)
        self._caller = caller

    def export(self, export_type: str = "common_cartridge") -> Version:
        return opened(self._caller.exported(export_type), export_type)

    def restore(self) -> Version:
        """The export of the other course, once an export of the course was restored into it."""
        self._caller.restore(self._caller.exported(), "courses/102")
        return opened(self._caller.exported(context="courses/102"))

    def after(
        self, *chosen: Edit, export_type: str = "common_cartridge"
    ) -> tuple[CourseChanges, CourseChanges]:
        """What changes with edits, there and back."""
        before = self.export(export_type)
        for each in chosen:
            each.apply(self.campus)
        after = self.export(export_type)
        return compare_courses(before, after), compare_courses(after, before)


def opened(data: bytes, export_type: str = "common_cartridge") -> Version:
    package = StoredPackage(InMemory(data), KEY, len(data))
    sums = {member.name: (member.size, member.crc) for member in read_directory(package)}
    return Version(open_content(package, export_type=export_type), sums)


@pytest.fixture
def exports() -> Iterator[Exports]:
    courses = [Course(COURSE, name="Biology"), Course(102, name="Biology", size=0)]
    with Sandbox(courses, switches=replace(FROZEN, keeps_identifiers=False)) as canvas:
        caller = Caller(canvas, canvas.tokens["admin"])
        yield Exports(canvas, caller)
        caller.close()


def told(found: CourseChanges) -> Counter[tuple[str, str, tuple[str, ...]]]:
    return Counter((each.kind, each.title, each.what) for each in found.changes)


def test_every_edit_is_tried(exports: Exports) -> None:
    assert tuple(edits(exports.campus)) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_an_edit_is_told_and_nothing_else(exports: Exports, name: str) -> None:
    edit = edits(exports.campus)[name]
    found, back = exports.after(edit)
    assert told(found) == Counter([edit.told])
    (change,) = found.changes
    values = repr(asdict(change))
    assert [word for word in edit.shown if word not in values] == []
    assert len(back.changes) == 1


@pytest.mark.parametrize("seed", range(12))
def test_any_edits_together_are_all_told_and_nothing_else(exports: Exports, seed: int) -> None:
    dice = random.Random(seed)  # noqa: S311 - no secret
    chosen = dice.sample(list(edits(exports.campus).values()), dice.randint(2, len(NAMES)))
    found, back = exports.after(*chosen)
    assert told(found) == Counter(each.told for each in chosen)
    assert len(back.changes) == len(chosen)


@pytest.mark.parametrize(
    ("export_type", "kind"), [("qti", "quiz"), ("zip", "file")], ids=["quizzes", "files"]
)
def test_of_other_packages_the_edits_of_what_they_hold_are_told(
    exports: Exports, export_type: str, kind: str
) -> None:
    chosen = [
        edit
        for edit in edits(exports.campus).values()
        if edit.told[0] == kind and edit.told[2] != ("unpublished",)
    ]
    found, back = exports.after(*chosen, export_type=export_type)
    assert told(found) == Counter(each.told for each in chosen)
    assert len(back.changes) == len(chosen)


def test_two_exports_of_an_unchanged_course_are_the_same(exports: Exports) -> None:
    assert exports.after() == (CourseChanges(), CourseChanges())


def test_the_answer_key_is_not_in_the_result(exports: Exports) -> None:
    edit = edits(exports.campus)["a question is rewritten and worth more"]
    found, _ = exports.after(edit)
    (question,) = found.changes[0].questions
    assert not question.is_key_changed


def test_a_restored_course_with_new_identifiers_is_the_course_that_it_was(exports: Exports) -> None:
    assert told(compare_courses(exports.export(), exports.restore())) == Counter()


def test_what_is_edited_after_a_restore_is_told(exports: Exports) -> None:
    restored = exports.restore()
    edit = edits(exports.campus)["a page is rewritten"]
    edit.apply(exports.campus)
    found = compare_courses(restored, exports.export())
    assert told(found) == Counter([edit.told])
    assert found.changes[0].before != found.changes[0].after
