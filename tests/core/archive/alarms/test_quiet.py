"""A year in which nothing bad happens is quiet, and no disaster in it is missed."""

from __future__ import annotations

import pytest
from benchmarks.alarms import DISASTERS, run


@pytest.mark.parametrize("seed", [101])
def test_a_small_campus_has_few_false_alarms_and_every_disaster_is_found_that_night(seed: int) -> None:
    measured = run(seed, 150)
    assert measured["missed"] == []
    assert measured["found"] == DISASTERS
    false = measured["false"]
    assert isinstance(false, int)
    assert false <= 12, "a tenth of the courses of the benchmark, and two changes of all courses"
