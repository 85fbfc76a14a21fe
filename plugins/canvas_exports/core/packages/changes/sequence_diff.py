"""The differences between two sequences, in bounded time: common ends, unique elements as anchors, then Myers' algorithm.

``difflib`` takes quadratic time, and cubic on sequences made for that. Here every step is counted, and what is not aligned
when the steps are used up counts as replaced: never wrong, only coarser.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Hashable, Iterator, Sequence

#: ``(start, stop, start, stop)`` of a part of the first and of the second sequence.
Region = tuple[int, int, int, int]

_MAX_EDITS = 300  # in one region between anchors; the memory of its trace grows with the square


class Steps:
    """Counts down the steps that may be taken; ``left`` may become negative."""

    def __init__(self, left: int) -> None:
        self.left = left


def differing(before: Sequence[Hashable], after: Sequence[Hashable], steps: Steps) -> list[Region]:
    """Return the regions that differ, in order; all between them is equal.

    Args:
        before: the first sequence.
        after: the second.
        steps: what it may cost; the steps taken are counted down.
    """
    regions: list[Region] = []
    for region in _between_anchors(before, after, _trimmed(before, after, (0, len(before), 0, len(after)))):
        regions += _edits(before, after, region, steps)
    return regions


def longest_rise(numbers: Sequence[int]) -> list[int]:
    """Return the indexes of a longest strictly rising part of a sequence."""
    lows: list[int] = []
    ends: list[int] = []
    previous: list[int] = []
    for index, number in enumerate(numbers):
        at = bisect_left(lows, number)
        lows[at : at + 1] = [number]
        ends[at : at + 1] = [index]
        previous.append(ends[at - 1] if at else -1)
    chain: list[int] = []
    at = ends[-1] if ends else -1
    while at >= 0:
        chain.append(at)
        at = previous[at]
    return chain[::-1]


def _trimmed(before: Sequence[Hashable], after: Sequence[Hashable], region: Region) -> Region:
    """Return a region without what is equal at both its ends."""
    start, stop, begin, end = region
    while start < stop and begin < end and before[start] == after[begin]:
        start, begin = start + 1, begin + 1
    while start < stop and begin < end and before[stop - 1] == after[end - 1]:
        stop, end = stop - 1, end - 1
    return start, stop, begin, end


def _between_anchors(
    before: Sequence[Hashable], after: Sequence[Hashable], region: Region
) -> Iterator[Region]:
    """Yield the parts of a region between elements that occur once in each sequence, in the same order."""
    start, stop, begin, end = region
    if start == stop or begin == end:
        yield from [region] if start < stop or begin < end else []
        return
    counts = Counter(before[start:stop]), Counter(after[begin:end])
    places = {each: index for index, each in enumerate(after[begin:end], begin) if counts[1][each] == 1}
    pairs = [
        (index, places[each])
        for index, each in enumerate(before[start:stop], start)
        if counts[0][each] == 1 and each in places
    ]
    for at in longest_rise([place for _, place in pairs]):
        index, place = pairs[at]
        yield _trimmed(before, after, (start, index, begin, place))
        start, begin = index + 1, place + 1
    yield _trimmed(before, after, (start, stop, begin, end))


def _edits(
    before: Sequence[Hashable], after: Sequence[Hashable], region: Region, steps: Steps
) -> list[Region]:
    """Return the parts of a region that differ; the region itself when it takes too many steps."""
    start, stop, begin, end = region
    if start == stop or begin == end:
        return [region] if start < stop or begin < end else []
    trace = _trace(before[start:stop], after[begin:end], steps)
    if trace is None:
        return [region]
    return [
        (one + start, two + start, three + begin, four + begin) for one, two, three, four in _walk_back(trace)
    ]


_Trace = tuple[list[dict[int, int]], int, int]


def _trace(before: Sequence[Hashable], after: Sequence[Hashable], steps: Steps) -> _Trace | None:
    """Return how far each diagonal reaches after 0, 1, 2... edits (Myers 1986)."""
    reach = {1: 0}
    history: list[dict[int, int]] = []
    for edits in range(min(len(before) + len(after), _MAX_EDITS) + 1):
        history.append(dict(reach))
        for diagonal in range(-edits, edits + 1, 2):
            x = _begin_of(reach, diagonal, edits)
            y = x - diagonal
            first = x
            while x < len(before) and y < len(after) and before[x] == after[y]:
                x, y = x + 1, y + 1
            reach[diagonal] = x
            steps.left -= 1 + x - first
            if x >= len(before) and y >= len(after):
                return history, len(before), len(after)
        if steps.left <= 0:
            return None
    return None


def _begin_of(reach: dict[int, int], diagonal: int, edits: int) -> int:
    if diagonal == -edits or (diagonal != edits and reach[diagonal - 1] < reach[diagonal + 1]):
        return reach[diagonal + 1]
    return reach[diagonal - 1] + 1


def _walk_back(trace: _Trace) -> list[Region]:
    """Return the edits of a trace as regions, in order; neighbours are one region."""
    history, x, y = trace
    regions: list[Region] = []
    for edits in range(len(history) - 1, 0, -1):
        reach, diagonal = history[edits], x - y
        start = _begin_of(reach, diagonal, edits)
        is_insert = diagonal == -edits or (diagonal != edits and reach[diagonal - 1] < reach[diagonal + 1])
        x = start if is_insert else start - 1
        y = x - (diagonal + 1 if is_insert else diagonal - 1)
        edit = (x, x, y, y + 1) if is_insert else (x, x + 1, y, y)
        if regions and (edit[1], edit[3]) == (regions[-1][0], regions[-1][2]):
            edit = (edit[0], regions[-1][1], edit[2], regions.pop()[3])
        regions.append(edit)
    return regions[::-1]
