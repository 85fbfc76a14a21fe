"""Find which item of one course is which of another: by identifier, else by kind and title, else by content."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from canvas_exports.core.packages.changes.sequence_diff import longest_rise

T = TypeVar("T")

_ALIKE = 0.5
#: Items of one kind on a side that are compared each with each.
MAX_COMPARED = 100

_WORD = re.compile(r"\w+")
_MAX_TEXT = 4_000


@dataclass
class Matched(Generic[T]):
    """Which of two lists belong together.

    Attributes:
        pairs: of an item before and an item after.
        before: items that are only in the first list, in its order.
        after: items that are only in the second list, in its order.
    """

    before: list[T]
    after: list[T]
    pairs: list[tuple[T, T]] = field(default_factory=list)

    def match(self, key: Callable[[T], Hashable | None], *, only_unique: bool = False) -> None:
        """Pair the items that are left and have one key; of several with it, the first with the first.

        Args:
            key: ``None`` for an item that has none.
            only_unique: leave keys that several items of one list have.
        """
        places: dict[Hashable, list[int]] = defaultdict(list)
        for index, item in enumerate(self.after):
            if (name := key(item)) is not None:
                places[name].append(index)
        keys = [key(item) for item in self.before]
        if only_unique:
            seen: dict[Hashable, int] = defaultdict(int)
            for each in keys:
                seen[each] += 1
            keys = [each if seen[each] == 1 and len(places.get(each, ())) == 1 else None for each in keys]
        queues = {name: iter(found) for name, found in places.items()}
        partners = [next(queues[name], None) if name in queues else None for name in keys]
        self._pair((one, other) for one, other in enumerate(partners) if other is not None)

    def match_alike(self, words: Callable[[T], frozenset[int]], kind: Callable[[T], Hashable]) -> None:
        """Pair the items that are left, of one kind, and share most of their content, the most alike first.

        A kind with very many items left on a side is passed over.

        Args:
            words: see ``shingles``.
            kind: items of different kinds are never paired.
        """
        groups: dict[Hashable, tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
        for side, items in enumerate((self.before, self.after)):
            for index, item in enumerate(items):
                groups[kind(item)][side].append(index)
        found: list[tuple[int, int]] = []
        for ones, others in groups.values():
            if ones and others and max(len(ones), len(others)) <= MAX_COMPARED:
                found += self._most_alike(ones, others, words)
        self._pair(found)

    def _most_alike(
        self, ones: Sequence[int], others: Sequence[int], words: Callable[[T], frozenset[int]]
    ) -> list[tuple[int, int]]:
        left = {index: words(self.before[index]) for index in ones}
        right = {index: words(self.after[index]) for index in others}
        scores = [
            (-score, at + to, abs(at - to), one, other)  # a tie is decided alike both ways
            for at, one in enumerate(ones)
            for to, other in enumerate(others)
            if (score := _likeness(left[one], right[other])) >= _ALIKE
        ]
        taken: set[int] = set()
        given: set[int] = set()
        pairs = []
        for *_, one, other in sorted(scores):
            if one not in taken and other not in given:
                taken.add(one)
                given.add(other)
                pairs.append((one, other))
        return pairs

    def _pair(self, indexes: Iterable[tuple[int, int]]) -> None:
        found = list(indexes)
        self.pairs += [(self.before[one], self.after[other]) for one, other in found]
        taken, given = {one for one, _ in found}, {other for _, other in found}
        self.before = [item for index, item in enumerate(self.before) if index not in taken]
        self.after = [item for index, item in enumerate(self.after) if index not in given]


def title_key(title: str) -> str | None:
    """Return a title without what the name of its document loses: case, blanks and signs; ``None`` if nothing is left."""
    return "".join(_WORD.findall(title[:1000].casefold())).replace("_", "") or None


def shingles(text: str) -> frozenset[int]:
    """Return what stands for the runs of three words at the beginning of a text; of a shorter text, for the text."""
    words = _WORD.findall(text[:_MAX_TEXT].casefold())
    if len(words) < 3:  # noqa: PLR2004 - a run
        return frozenset({hash(tuple(words))} if words else ())
    return frozenset(map(hash, zip(words, words[1:], words[2:], strict=False)))


def moved(before: Sequence[tuple[int, str]], after: Sequence[tuple[int, str]]) -> set[int]:
    """Return which of the items that are in both lists changed their order: as few as possible.

    Args:
        before: number of the pair that an item belongs to, and its title, in order.
        after: likewise; the same numbers.
    """
    names = [title for _, title in before], [title for _, title in after]
    if names[0] > names[1]:  # so that a tie is decided alike both ways
        before, after = after, before
    places = {number: index for index, (number, _) in enumerate(after)}
    order = [places[number] for number, _ in before if number in places]
    kept = {before[index][0] for index in longest_rise(order)}
    return {number for number, _ in before} - kept


def _likeness(one: frozenset[int], other: frozenset[int]) -> float:
    union = len(one | other)
    return len(one & other) / union if union else 0.0
