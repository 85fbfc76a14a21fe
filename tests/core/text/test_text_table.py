"""Tables that fit, and that do nothing to a terminal."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from canvas_exports.core.text.text_table import format_table

ROWS = [("course:1", 7, "because"), ("course:10", 1234, None)]


def test_columns_are_as_wide_as_they_need_and_numbers_are_flush_right() -> None:
    assert format_table(("COURSE", "SIZE", "WHY"), ROWS, numbers=("SIZE",)).splitlines() == [
        "COURSE     SIZE  WHY",
        "---------  ----  -------",
        "course:1      7  because",
        "course:10  1234",
    ]


def test_columns_that_say_nothing_are_left_out() -> None:
    assert format_table(("A", "B"), [("x", None), ("y", "")]).splitlines() == ["A", "-", "x", "y"]


def test_without_rows_there_are_headings() -> None:
    assert format_table(("A", "B"), []).splitlines() == ["A  B", "-  -"]


def test_a_cell_stays_in_its_line_and_does_nothing_to_the_terminal() -> None:
    told = format_table(("A",), [("two\nlines\x1b[2J\x07",)]).splitlines()
    assert told[2] == "two lines?[2J?"


@given(
    st.lists(
        st.tuples(st.text(max_size=60), st.text(max_size=60), st.text(max_size=300)), min_size=1, max_size=5
    ),
    st.integers(40, 120),
)
def test_no_line_is_longer_than_it_may_be(rows: list[tuple[str, str, str]], width: int) -> None:
    told = format_table(("A", "B", "C"), rows, width=width)
    assert max(map(len, told.split("\n"))) <= width
    assert len(told.split("\n")) == len(rows) + 2


def test_what_is_cut_is_marked_as_cut_and_the_last_column_is_cut_first() -> None:
    (line,) = format_table(("A", "B"), [("x" * 20, "y" * 100)], width=50).splitlines()[2:]
    assert line == "x" * 20 + "  " + "y" * 27 + "…"
