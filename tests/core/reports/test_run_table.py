from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.archives.outcomes import GONE, INCOMPLETE, record

from canvas_exports.core.archive.run_report import OutcomeRecord
from canvas_exports.core.reports.run_table import MOST_ROWS, table


def test_the_table_puts_problems_first_and_lines_up() -> None:
    text = table([record(101), INCOMPLETE, GONE])
    lines = text.splitlines()
    assert lines[0].split() == ["CONTEXT", "OUTCOME", "SIZE", "TIME", "DETAIL"]
    assert [line.split()[0] for line in lines[2:5]] == ["course:9", "course:10", "course:101"]
    detail = lines[0].index("DETAIL")
    assert lines[2][detail:] == "Canvas says this course does not exist"
    assert lines[3][detail:] == "2 files are missing; 2 files missing"
    assert lines[4][detail:].startswith("courses/101/")
    assert "1.2 MB" in lines[3]
    assert "42 s" in lines[3]
    assert lines[6] == "3 exports: 1 gone, 1 incomplete, 1 stored; 2.5 MB stored"
    assert lines[7] == "course:9: remove it from the list, or restore the course"


def test_the_table_names_export_types_where_there_are_several() -> None:
    several = [record(101), replace(record(101), export_type="zip")]
    assert table(several).splitlines()[0].split()[:3] == ["CONTEXT", "TYPE", "OUTCOME"]


def test_a_next_step_is_said_once_for_all_it_is_for() -> None:
    records = [record(number, next_step="ask for the right", problem=True) for number in range(1, 9)]
    assert table(records).splitlines()[-1] == (
        "course:1, course:2, course:3, course:4, course:5 and 3 more: ask for the right"
    )


def test_the_table_of_a_large_run_is_cut_and_its_totals_are_not() -> None:
    records = [record(number) for number in range(1, MOST_ROWS + 1001)]
    lines = table([*records, GONE]).splitlines()
    assert len(lines) < MOST_ROWS + 10
    assert "course:9" in lines[2]
    assert "and 1,001 more, all of which are in the report" in lines
    assert any(line.startswith(f"{MOST_ROWS + 1001:,} exports: ") for line in lines)


def test_the_table_of_nothing_says_so() -> None:
    assert table([]).splitlines()[-1] == "0 exports: nothing to do; 0 B stored"


ROWS = st.builds(
    OutcomeRecord,
    context=st.from_regex(r"course:[0-9]{1,19}", fullmatch=True),
    export_type=st.sampled_from(["common_cartridge", "qti", "zip"]),
    outcome=st.sampled_from(["stored", "gone", "interrupted"]),
    reason=st.text("ab ", max_size=300),
    next_step=st.none() | st.text("ab ", min_size=1, max_size=300),
    problem=st.booleans(),
    name=st.none() | st.text("ab é", max_size=100),
    size=st.none() | st.integers(0, 10**15),
    findings=st.none() | st.text("ab", max_size=300),
    seconds=st.none() | st.floats(0, 10**7),
)


@settings(max_examples=60)
@given(rows=st.lists(ROWS, max_size=6), width=st.integers(100, 200))
def test_no_line_is_wider_than_asked_for(rows: list[OutcomeRecord], width: int) -> None:
    lines = table(rows, width=width).splitlines()
    assert all(len(line) <= width for line in lines)
    assert len(lines) >= len(rows) + 4
