from __future__ import annotations

import pytest

from canvas_exports.core.export.failure_policy import FailurePolicy
from canvas_exports.core.model.outcomes import Outcome
from canvas_exports.errors import InputError

GOOD = [Outcome.STORED] * 19 + [Outcome.EMPTY]


@pytest.mark.parametrize(
    ("text", "outcomes", "fails"),
    [
        ("any", GOOD, False),
        ("any", [*GOOD, Outcome.INCOMPLETE], True),
        ("never", [Outcome.FAILED], False),
        ("5%", [*GOOD[1:], Outcome.GONE], False),
        ("5%", [*GOOD[2:], Outcome.GONE, Outcome.DENIED], True),
        ("0%", [*GOOD, Outcome.STALLED], True),
        ("100%", [Outcome.FAILED], False),
        ("any", [], False),
    ],
)
def test_a_run_fails_when_too_many_exports_have_no_whole_copy(
    text: str, outcomes: list[Outcome], fails: bool
) -> None:
    assert (FailurePolicy.parse(text).failure(outcomes) is not None) is fails


def test_the_failure_counts_each_outcome() -> None:
    failure = FailurePolicy.parse("any").failure([Outcome.STORED, Outcome.GONE, Outcome.GONE, Outcome.FAILED])
    assert failure == "3 of 4 exports have no whole copy (2 gone, 1 failed); the run fails on any"


@pytest.mark.parametrize("text", ["", "some", "5", "101%", "-1%", "5 percent"])
def test_anything_else_is_refused_with_what_is_accepted(text: str) -> None:
    with pytest.raises(InputError, match=r"fail_on: .* Accepted: any, never, or a percentage such as 5%"):
        FailurePolicy.parse(text)


@pytest.mark.parametrize(
    ("text", "sentence"), [("any", "on any"), ("never", "never"), ("2.5%", "when more than 2.5 % have none")]
)
def test_a_policy_reads_as_a_sentence(text: str, sentence: str) -> None:
    assert str(FailurePolicy.parse(text)) == sentence


def test_every_outcome_is_defined_with_a_next_step() -> None:
    for outcome in Outcome:
        assert outcome.definition.endswith(".")
        assert outcome.next_step.endswith(".")
