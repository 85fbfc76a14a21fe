"""What belongs together is found by key, then by likeness; what moved is as little as possible."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from canvas_exports.core.packages.changes.matching import Matched, moved, shingles, title_key


def test_of_equal_keys_the_first_belongs_to_the_first() -> None:
    found = Matched(["a1", "a2", "b1"], ["a3", "c1", "a4", "a5"])
    found.match(lambda name: name[0])
    assert found.pairs == [("a1", "a3"), ("a2", "a4")]
    assert (found.before, found.after) == (["b1"], ["c1", "a5"])


def test_a_key_that_is_not_unique_can_be_left() -> None:
    found = Matched(["a1", "a2", "b1"], ["a3", "b2"])
    found.match(lambda name: name[0], only_unique=True)
    assert found.pairs == [("b1", "b2")]


def test_texts_that_share_most_belong_together() -> None:
    found = Matched(
        ["the cat sat on the mat today", "nothing like it at all"],
        ["the cat sat on the mat", "other words are here"],
    )
    found.match_alike(shingles, lambda _: "page")
    assert found.pairs == [("the cat sat on the mat today", "the cat sat on the mat")]


def test_very_many_are_not_compared_each_with_each() -> None:
    found = Matched(
        [f"a b c d {number}" for number in range(1_000)], [f"a b c d e {number}" for number in range(1_000)]
    )
    found.match_alike(shingles, lambda _: "page")
    assert found.pairs == []


def test_a_title_is_known_by_the_name_of_its_document() -> None:
    assert title_key("Week 1: Über uns!") == title_key("week-1-über-uns")
    assert title_key(" -- ") is None


def test_one_item_that_went_from_first_to_last_has_moved_alone() -> None:
    before = [(number, str(number)) for number in range(6)]
    assert moved(before, [*before[1:], before[0]]) == {0}


@given(st.permutations(range(7)), st.booleans())
def test_the_same_moved_the_other_way_round(order: list[int], alike: bool) -> None:
    before = [(number, "" if alike else str(number)) for number in range(7)]
    after = [before[number] for number in order]
    found = moved(before, after)
    assert len(found) == len(moved(after, before))
    if not alike:
        assert found == moved(after, before)
    rest = [pair for pair in before if pair[0] not in found]
    assert rest == [pair for pair in after if pair[0] not in found]
