"""Format tables in plain text."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from canvas_exports.foreign_text import harmless

_GAP = "  "
_NARROWEST = 12

#: Longest cell in characters; keys are the longest values.
MAX_CELL = 2000


def format_table(
    headings: Sequence[str],
    rows: Sequence[Sequence[object]],
    *,
    numbers: Sequence[str] = (),
    width: int | None = None,
    style: Callable[[str, str, str], str] | None = None,
) -> str:
    """Return a table with a line below its headings, without the columns that are empty in every row.

    Cells are made harmless, because names and reasons come from Canvas, stores and packages.

    Args:
        headings: of the columns.
        rows: one cell for each heading; ``None`` is an empty cell.
        numbers: headings of the right-aligned columns.
        width: longest line; the last column is cut first, then the widest; ``None`` for no limit.
        style: returns what to print for a cell, from its heading, its text and its text in the width of the column.
    """
    cells = [
        ["" if cell is None else harmless(str(cell), most=MAX_CELL, instead="?") for cell in row]
        for row in rows
    ]
    columns = (
        [
            [heading, *column]
            for heading, column in zip(headings, zip(*cells, strict=True), strict=True)
            if any(column)
        ]
        if cells
        else [[heading] for heading in headings]
    )
    widths = [max(map(len, column)) for column in columns]
    if width is not None:
        _narrow(widths, width)
    lines = [
        _GAP.join(
            _styled(style, column[0], column[at], _fitted(column[at], wide, right=column[0] in numbers))
            for column, wide in zip(columns, widths, strict=True)
        ).rstrip()
        for at in range(len(cells) + 1)
    ]
    return "\n".join([lines[0], _GAP.join("-" * wide for wide in widths), *lines[1:]])


def _styled(style: Callable[[str, str, str], str] | None, heading: str, cell: str, fitted: str) -> str:
    return fitted if style is None else style(heading, cell, fitted)


def _narrow(widths: list[int], width: int) -> None:
    """Narrow the last column, then the widest, down to the minimum width."""
    excess = sum(widths) + len(_GAP) * (len(widths) - 1) - width
    while excess > 0 and max(widths) > _NARROWEST:
        at = len(widths) - 1 if widths[-1] > _NARROWEST else widths.index(max(widths))
        taken = min(excess, widths[at] - _NARROWEST)
        widths[at] -= taken
        excess -= taken


def _fitted(cell: str, wide: int, *, right: bool) -> str:
    cut = cell if len(cell) <= wide else cell[: wide - 1] + "…"
    return cut.rjust(wide) if right else cut.ljust(wide)
