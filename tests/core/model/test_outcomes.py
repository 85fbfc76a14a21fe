"""Each outcome has one meaning and one next step."""

from __future__ import annotations

import re

import pytest

from canvas_exports.core.model.outcomes import Outcome


@pytest.mark.parametrize("outcome", Outcome)
def test_every_outcome_says_what_it_means_and_what_to_do(outcome: Outcome) -> None:
    assert re.fullmatch(r"[A-Z].*\.", outcome.definition)
    assert re.fullmatch(r"[A-Z].*\.", outcome.next_step)


def test_no_two_outcomes_mean_the_same() -> None:
    assert len({outcome.definition for outcome in Outcome}) == len(Outcome)


def test_which_have_a_package_which_are_good_and_which_a_retry_may_change() -> None:
    good = {Outcome.STORED, Outcome.UNCHANGED, Outcome.EMPTY}
    flawed = {Outcome.INCOMPLETE, Outcome.DEGRADED}
    assert {outcome for outcome in Outcome if outcome.has_package} == good | flawed
    assert {outcome for outcome in Outcome if outcome.is_good} == good
    assert {outcome for outcome in Outcome if outcome.is_retryable} == {Outcome.DEGRADED, Outcome.INTERRUPTED}
