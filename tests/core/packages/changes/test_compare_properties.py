"""Whatever two courses hold: a course does not differ from itself, and the other way round added is removed."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from tests.support.packages.contents import MadeContent

from canvas_exports.core.packages.changes.compare import compare_courses
from canvas_exports.core.packages.changes.model import CourseChanges
from canvas_exports.core.packages.changes.version import Version
from canvas_exports.core.packages.content.model import (
    Document,
    Field,
    Item,
    ItemKind,
    Module,
    ModuleItem,
)

TITLES = st.sampled_from(["One", "Two", "Three", "one"])
BODIES = st.sampled_from(
    ["<p>a b c d e f</p>", "<p>a b c d e f g</p>", "<p>other</p>", "<p>b</p><p>a</p>", ""]
)
DOCUMENTS = st.builds(
    lambda kind, identifier, title, html, published, due: Document(
        Item(kind, identifier, title, is_published=published),
        html=html,
        fields=(Field("due_at", "Due", due),),
    ),
    st.sampled_from([ItemKind.PAGE, ItemKind.ASSIGNMENT, ItemKind.FILE]),
    st.sampled_from(["1", "2", "3", "4", "5"]),
    TITLES,
    BODIES,
    st.sampled_from([None, True, False]),
    st.sampled_from(["", "2026-11-23"]),
)


@st.composite
def contents(draw: st.DrawFn) -> MadeContent:
    documents = tuple(draw(st.lists(DOCUMENTS, max_size=8)))
    items = [document.item for document in documents]
    lines = st.builds(
        ModuleItem,
        st.sampled_from("abcdef"),
        TITLES,
        st.just(0),
        st.sampled_from([None, *items]) if items else st.none(),
    )
    modules = st.builds(Module, st.sampled_from("xyz"), TITLES, st.lists(lines, max_size=4).map(tuple))
    return MadeContent(documents, tuple(draw(st.lists(modules, max_size=3))))


def mirror(found: CourseChanges) -> set[object]:
    """What the changes are, the other way round."""
    return {
        (
            each.change.mirrored,
            each.kind,
            each.after,
            each.before,
            frozenset((field.name, field.after, field.before) for field in each.fields),
            tuple(
                sorted(
                    (line.change.mirrored.value, tuple(sorted(piece.text for piece in line.pieces)))
                    for text in each.texts
                    for line in text.lines
                )
            ),
            each.is_format_changed,
        )
        for each in found.changes
    }


def plain(found: CourseChanges) -> set[object]:
    return {
        (
            each.change,
            each.kind,
            each.before,
            each.after,
            frozenset((field.name, field.before, field.after) for field in each.fields),
            tuple(
                sorted(
                    (line.change.value, tuple(sorted(piece.text for piece in line.pieces)))
                    for text in each.texts
                    for line in text.lines
                )
            ),
            each.is_format_changed,
        )
        for each in found.changes
    }


@given(contents(), contents())
def test_the_other_way_round_added_is_removed(before: MadeContent, after: MadeContent) -> None:
    there = compare_courses(Version(before), Version(after))
    back = compare_courses(Version(after), Version(before))
    assert mirror(there) == plain(back)


@given(contents())
def test_a_course_does_not_differ_from_itself(course: MadeContent) -> None:
    assert compare_courses(Version(course), Version(course)) == CourseChanges()
