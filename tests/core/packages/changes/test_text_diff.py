"""Two texts are compared line by line and word by word; the other way round gives the mirror image."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from canvas_exports.core.packages.changes.model import Change, Line, Piece, TextChange
from canvas_exports.core.packages.changes.text_diff import Budget, diff_text

TEXTS = st.lists(
    st.lists(st.sampled_from(["one", "two", "three", "four,"]), min_size=1, max_size=6).map(" ".join),
    max_size=8,
)


def diff(before: list[str], after: list[str], steps: int = 1_000_000) -> TextChange | None:
    return diff_text("text", "Text", before, after, Budget(steps))


def shown(text: TextChange | None, *, side: Change) -> list[str]:
    """The changed lines as one side has them."""
    lines = [line for line in text.lines if line.change is not Change.SAME] if text else []
    found = (
        "".join(piece.text for piece in line.pieces if piece.change in (Change.SAME, side)) for line in lines
    )
    return [line for line in found if line]


@given(TEXTS, TEXTS, st.sampled_from([0, 50, 1_000_000]))
def test_each_side_can_be_read_from_the_change(before: list[str], after: list[str], steps: int) -> None:
    found = diff(before, after, steps)
    assert (found is None) == (before == after)
    same = (
        [line.pieces[0].text for line in found.lines if line.change is Change.SAME and line.pieces]
        if found
        else []
    )
    left, right = list(before), list(after)
    for line in shown(found, side=Change.REMOVED):
        left.remove(line)
    for line in shown(found, side=Change.ADDED):
        right.remove(line)
    assert found is None or sorted(left) == sorted(right)
    assert all(line in left for line in same)


@given(TEXTS, TEXTS)
def test_the_other_way_round_is_the_mirror_image(before: list[str], after: list[str]) -> None:
    one, other = diff(before, after), diff(after, before)
    assert shown(one, side=Change.ADDED) == shown(other, side=Change.REMOVED)
    assert shown(one, side=Change.REMOVED) == shown(other, side=Change.ADDED)


def test_the_words_that_differ_are_told_within_their_line() -> None:
    found = diff(["first", "The exam is on Monday.", "last"], ["first", "The exam is on Tuesday.", "last"])
    assert found
    assert [line.change for line in found.lines] == [Change.SAME, Change.CHANGED, Change.SAME]
    assert found.lines[1] == Line(
        Change.CHANGED,
        (
            Piece(Change.SAME, "The exam is on "),
            Piece(Change.REMOVED, "Monday"),
            Piece(Change.ADDED, "Tuesday"),
            Piece(Change.SAME, "."),
        ),
    )


def test_unchanged_lines_between_changes_are_counted() -> None:
    lines = [str(number) for number in range(100)]
    found = diff(lines, ["new", *lines[1:99], "end"])
    assert found
    assert [line.left_out for line in found.lines if line.left_out] == [96]


def test_a_change_too_large_to_show_is_cut() -> None:
    found = diff([f"old {number}" for number in range(5_000)], [f"new {number}" for number in range(5_000)])
    assert found
    assert found.is_cut
    assert len(found.lines) < 1_000


def test_a_long_line_is_shown_without_its_middle() -> None:
    found = diff(["x" * 1_000_000], ["y" * 1_000_000])
    assert found
    assert sum(len(piece.text) for line in found.lines for piece in line.pieces) < 50_000
