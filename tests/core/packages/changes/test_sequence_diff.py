"""The differences between two sequences: never wrong, and bounded on sequences made to take long."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from canvas_exports.core.packages.changes.sequence_diff import Steps, differing, longest_rise

WORDS = st.lists(st.sampled_from("abcdef"), max_size=40)


def rebuilt(before: list[str], after: list[str], steps: Steps) -> list[str]:
    """The second sequence, made of the first and of the regions that differ."""
    found, at = [], 0
    for start, stop, begin, end in differing(before, after, steps):
        assert start >= at
        found += before[at:start] + after[begin:end]
        at = stop
    return found + before[at:]


@given(WORDS, WORDS, st.integers(0, 300))
def test_what_is_between_the_regions_is_equal_with_any_number_of_steps(
    before: list[str], after: list[str], steps: int
) -> None:
    assert rebuilt(before, after, Steps(steps)) == after


@given(WORDS)
def test_a_sequence_does_not_differ_from_itself(words: list[str]) -> None:
    assert differing(words, words, Steps(0)) == []


@given(WORDS, st.integers(0, 40), st.sampled_from("xyz"))
def test_one_added_word_is_one_region(words: list[str], at: int, word: str) -> None:
    after = [*words[:at], word, *words[at:]]
    (region,) = differing(words, after, Steps(10_000))
    assert region[1] - region[0] == 0
    assert after[region[2] : region[3]] == [word]


def test_sequences_without_unique_elements_take_no_more_steps_than_they_may() -> None:
    before = ["a", "b"] * 50_000 + ["c", "c"]
    after = ["d", "d"] + ["b", "a", "a"] * 30_000 + ["b", "b"]
    steps = Steps(10_000)
    assert rebuilt(before, after, steps) == after
    assert steps.left > -400_000  # one more round of diagonals at most


def test_a_hundred_thousand_equal_words_with_one_change_take_few_steps() -> None:
    before = [str(number) for number in range(100_000)]
    after = [*before[:50_000], "new", *before[50_001:]]
    steps = Steps(1_000)
    assert differing(before, after, steps) == [(50_000, 50_001, 50_000, 50_001)]
    assert steps.left > 0


@given(st.lists(st.integers(0, 50), max_size=30))
def test_the_longest_rise_rises_and_no_greedy_choice_is_longer(numbers: list[int]) -> None:
    chosen = [numbers[index] for index in longest_rise(numbers)]
    assert all(one < other for one, other in pairwise(chosen))
    best: list[int] = []
    for index, number in enumerate(numbers):
        best.append(1 + max((best[at] for at in range(index) if numbers[at] < number), default=0))
    assert len(chosen) == max(best, default=0)
