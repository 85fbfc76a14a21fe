from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from canvas_exports.core.archive.sweep_age import read_grace
from canvas_exports.core.model.durations import read_duration
from canvas_exports.errors import InputError


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("PT12H", timedelta(hours=12)),
        (" P2D ", timedelta(days=2)),
        ("P1W", timedelta(days=7)),
        (timedelta(minutes=3), timedelta(minutes=3)),
    ],
)
def test_a_length_of_time_is_read(written: Any, meant: timedelta) -> None:
    assert read_duration(written, field="deadline") == meant


@pytest.mark.parametrize("written", ["tomorrow", "12:30", "2026-11-23", "", None, 7])
def test_anything_else_names_its_field(written: Any) -> None:
    with pytest.raises(InputError, match=r"deadline: .* is not a length of time\. Accepted: ISO 8601"):
        read_duration(written, field="deadline")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("P1D", timedelta(days=1)),
        ("P2W", timedelta(days=14)),
        (timedelta(days=3), timedelta(days=3)),
        ("never", None),
        (" Never ", None),
        (None, None),
    ],
)
def test_a_grace_period_may_be_never(written: Any, meant: timedelta | None) -> None:
    assert read_grace(written) == meant


@pytest.mark.parametrize("written", ["PT23H", "PT0S", "P0D", timedelta(hours=-30)])
def test_a_grace_period_in_which_something_may_be_under_way_is_refused(written: Any) -> None:
    with pytest.raises(InputError, match=r"sweep_after: .* is too short\. Accepted: P1D or longer, or never"):
        read_grace(written)
