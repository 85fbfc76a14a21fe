"""Bar charts of the last runs, for inline SVG without a script."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from canvas_exports.core.reports.page.view import PastRun
from canvas_exports.core.text.wording import format_count, format_day, format_moment, format_size

WIDTH, HEIGHT = 360.0, 170.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 52.0, 6.0, 12.0, 26.0
_GAP = 0.25  # of the room of a bar
_WIDEST = 28.0


@dataclass(frozen=True)
class Bar:
    """One rectangle, in the coordinates of the chart.

    Attributes:
        kind: ``size``, ``good`` or ``bad``: its class.
        tip: text of the tooltip.
    """

    x: float
    y: float
    width: float
    height: float
    kind: str
    tip: str


@dataclass(frozen=True)
class Chart:
    """Bars over time.

    Attributes:
        title: what is drawn.
        summary: a sentence for screen readers.
        bars: left to right.
        grid: height and label of each horizontal line.
        first, last: the days at both ends.
    """

    title: str
    summary: str
    bars: tuple[Bar, ...]
    grid: tuple[tuple[float, str], ...]
    first: str
    last: str

    width = WIDTH
    height = HEIGHT
    left = _LEFT
    right = WIDTH - _RIGHT
    bottom = HEIGHT - _BOTTOM


def charts(past: Sequence[PastRun], zone: str = "UTC") -> tuple[Chart, ...]:
    """Return the charts of stored bytes and of outcomes of the last runs; none without a run."""
    if not past:
        return ()
    return _sizes(past, zone), _outcomes(past, zone)


def size_chart(values: Sequence[tuple[date, int]], *, title: str, summary: str) -> Chart:
    """Return a chart of bytes over time.

    Args:
        values: day and bytes, oldest first; at least one.
        title: what is drawn.
        summary: a sentence for screen readers.
    """
    axes = _Axes(_nice(max(1, *(size for _, size in values))), len(values))
    bars = [
        axes.bar(at, 0, size, "size", f"{day}: {format_size(size)}") for at, (day, size) in enumerate(values)
    ]
    grid = [(axes.y(value), format_size(value)) for value in (0, axes.top / 2, axes.top)]
    return _chart(title, summary, bars, grid, (f"{values[0][0]}", f"{values[-1][0]}"))


def _sizes(past: Sequence[PastRun], zone: str) -> Chart:
    most = max(run.size for run in past)
    axes = _Axes(_nice(most), len(past))
    bars = [
        axes.bar(at, 0, run.size, "size", f"{format_moment(run.at, zone)}: {format_size(run.size)}")
        for at, run in enumerate(past)
    ]
    summary = (
        f"Bytes stored in the last {format_count(len(past), 'run')}: {format_size(past[-1].size)} in this one, "
        f"{format_size(most)} in the largest."
    )
    grid = [(axes.y(value), format_size(value)) for value in (0, axes.top / 2, axes.top)]
    return _chart("Bytes stored", summary, bars, grid, _days(past, zone))


def _outcomes(past: Sequence[PastRun], zone: str) -> Chart:
    axes = _Axes(_nice(max(run.exports for run in past)), len(past))
    bars = []
    for at, run in enumerate(past):
        good = run.exports - run.problems
        tip = f"{format_moment(run.at, zone)}: {good:,} good, {run.problems:,} not"
        bars += [axes.bar(at, 0, good, "good", tip), axes.bar(at, good, run.problems, "bad", tip)]
    summary = (
        f"Exports of the last {format_count(len(past), 'run')}: {past[-1].exports:,} in this one, "
        f"of which {past[-1].problems:,} made no good copy."
    )
    grid = [(axes.y(value), f"{value:,.0f}") for value in (0, axes.top)]
    return _chart("Exports: good, and not good", summary, bars, grid, _days(past, zone))


def _chart(
    title: str, summary: str, bars: Sequence[Bar], grid: Sequence[tuple[float, str]], days: tuple[str, str]
) -> Chart:
    first, last = days
    return Chart(
        title=title,
        summary=summary,
        bars=tuple(bar for bar in bars if bar.height),
        grid=tuple(grid),
        first="" if first == last else first,
        last=last,
    )


def _days(past: Sequence[PastRun], zone: str) -> tuple[str, str]:
    """Return the days of the first and the last run."""
    return format_day(past[0].at, zone), format_day(past[-1].at, zone)


@dataclass(frozen=True)
class _Axes:
    """From numbers to coordinates: values up to ``top``, and ``count`` bars side by side."""

    top: float
    count: int

    def bar(self, at: int, base: float, value: float, kind: str, tip: str) -> Bar:
        room = (WIDTH - _LEFT - _RIGHT) / self.count
        wide = min(room * (1 - _GAP), _WIDEST)
        y = self.y(base + value)
        x = round(_LEFT + room * at + (room - wide) / 2, 1)
        return Bar(x, y, round(wide, 1), round(self.y(base) - y, 1), kind, tip)

    def y(self, value: float) -> float:
        return round(_TOP + (HEIGHT - _TOP - _BOTTOM) * (1 - value / self.top), 1)


def _nice(most: float) -> float:
    """Return the next of 1, 2, 3, 4, 6, 8, 10, 20 ... that is not below a number."""
    step = 1.0
    while step * 10 < most:
        step *= 10
    return next(step * factor for factor in (1, 2, 3, 4, 6, 8, 10) if step * factor >= most)
