"""The outcomes of a run as a plain text table, for a task log and a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from textwrap import wrap

from canvas_exports.core.archive.run_report import LONGEST_TEXT, OutcomeRecord, in_order, totals_of
from canvas_exports.core.text.wording import format_size
from canvas_exports.foreign_text import harmless

MOST_ROWS = 500

_WIDEST = {"CONTEXT": 34, "TYPE": 16, "OUTCOME": 12, "SIZE": 8, "TIME": 8, "DETAIL": 80}
_HEADINGS = tuple(_WIDEST)
_NUMBERS = ("SIZE", "TIME")
_NARROWEST = 10  # of the last column, which takes the rest of the width
_GAP = "  "
_NAMED = 5  # of the courses with the same next step


def table(records: Sequence[OutcomeRecord], *, width: int = 120) -> str:
    """Return the outcomes as a plain text table, problems first, no line longer than ``width``.

    After ``MOST_ROWS`` rows it says how many more there are. Below it stand the totals, and every next step once.
    """
    records = in_order(records)
    rows = _informative([_HEADINGS, *(_cells(record) for record in records[:MOST_ROWS])])
    headings = rows[0]
    widths = [min(max(map(len, column)), _WIDEST[column[0]]) for column in _columns(rows)[:-1]]
    widths.append(max(_NARROWEST, width - sum(widths) - len(_GAP) * len(widths)))
    lines = [_line(row, headings, widths) for row in rows]
    lines.insert(1, _line(["-" * wide for wide in widths], headings, widths))
    if len(records) > MOST_ROWS:
        lines.append(f"and {len(records) - MOST_ROWS:,} more, all of which are in the report")
    return "\n".join([*lines, "", *_closing(records, width)])


def _columns(rows: Sequence[Sequence[str]]) -> list[tuple[str, ...]]:
    return list(zip(*rows, strict=True))


def _informative(rows: Sequence[Sequence[str]]) -> list[tuple[str, ...]]:
    """Return the rows without empty columns, and without the type where all rows have the same."""
    kept = [
        column
        for column in _columns(rows)
        if any(column[1:]) and not (column[0] == "TYPE" and len(set(column[1:])) == 1)
    ]
    return _columns(kept) if kept else [tuple(row) for row in rows]


def _line(cells: Sequence[str], headings: Sequence[str], widths: Sequence[int]) -> str:
    fitted = []
    for heading, cell, wide in zip(headings, cells, widths, strict=True):
        cut = cell if len(cell) <= wide else cell[: wide - 1] + "…"
        fitted.append(cut.rjust(wide) if heading in _NUMBERS else cut.ljust(wide))
    return _GAP.join(fitted).rstrip()


def _cells(record: OutcomeRecord) -> tuple[str, ...]:
    return tuple(harmless(cell, most=LONGEST_TEXT) for cell in _texts(record))


def _texts(record: OutcomeRecord) -> tuple[str, ...]:
    detail = (record.reason, record.findings) if record.problem else (record.findings, record.key)
    return (
        " ".join(part for part in (record.context, record.name or record.title) if part),
        record.export_type,
        record.outcome,
        "" if record.size is None else format_size(record.size),
        "" if record.seconds is None else f"{record.seconds:,.0f} s",
        "; ".join(part for part in detail if part),
    )


def _closing(records: Sequence[OutcomeRecord], width: int) -> Iterator[str]:
    totals = totals_of(records)
    listed = (
        ", ".join(f"{number:,} {outcome}" for outcome, number in totals["outcomes"].items())
        or "nothing to do"
    )
    yield from wrap(
        f"{totals['contexts']:,} exports: {listed}; {format_size(float(totals['bytes']))} stored", width
    )
    steps: dict[str, list[str]] = {}
    for record in records:
        if record.next_step:
            steps.setdefault(record.next_step, []).append(harmless(record.context))
    for step, contexts in steps.items():
        named = ", ".join(contexts[:_NAMED]) + (
            f" and {len(contexts) - _NAMED:,} more" if contexts[_NAMED:] else ""
        )
        yield from wrap(f"{named}: {step}", width, subsequent_indent="  ")
