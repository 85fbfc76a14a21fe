"""Bars are as high as what they stand for, and stay in the chart."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.reports.run_views import DAY, NOW, past

from canvas_exports.core.reports.page.charts import HEIGHT, WIDTH, charts
from canvas_exports.core.reports.page.view import PastRun

runs = st.lists(
    st.tuples(st.integers(0, 10**16), st.integers(0, 300_000), st.floats(0, 1)), min_size=1, max_size=30
)


@given(runs)
def test_every_bar_is_inside(numbers: list[tuple[int, int, float]]) -> None:
    done = [
        PastRun(str(at), NOW + at * DAY, size, exports, int(exports * share))
        for at, (size, exports, share) in enumerate(numbers)
    ]
    for plot in charts(done):
        for bar in plot.bars:
            assert 0 <= bar.x <= bar.x + bar.width <= WIDTH
            assert 0 <= bar.y <= bar.y + bar.height <= HEIGHT
        assert all(0 <= y <= HEIGHT for y, _ in plot.grid)


def test_heights_are_in_proportion() -> None:
    sizes, outcomes = charts(past(3))
    assert [round(bar.height / sizes.bars[0].height, 1) for bar in sizes.bars] == [1, 2, 3]
    assert [bar.kind for bar in outcomes.bars] == ["good", "good", "bad", "good", "bad"]
    good, bad = outcomes.bars[-2:]
    assert good.height / bad.height == pytest.approx(38 / 2, rel=0.1)
    assert bad.y + bad.height == pytest.approx(good.y, abs=0.2), "one stands on the other"


def test_it_is_reported_in_words_too() -> None:
    sizes, outcomes = charts(past(3))
    assert sizes.summary == "Bytes stored in the last 3 runs: 3.0 GB in this one, 3.0 GB in the largest."
    assert outcomes.summary == "Exports of the last 3 runs: 40 in this one, of which 2 made no good copy."
    assert sizes.bars[-1].tip == "2026-11-23 03:00 UTC: 3.0 GB"


def test_without_a_run_there_is_nothing_to_draw() -> None:
    assert charts([]) == ()
