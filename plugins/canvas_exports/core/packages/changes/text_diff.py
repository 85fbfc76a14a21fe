"""Compare two texts line by line, and the words of lines that belong together."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from canvas_exports.core.packages.changes.model import Change, Line, Piece, TextChange
from canvas_exports.core.packages.changes.sequence_diff import Region, Steps, differing

#: Steps that all texts of two courses may take together, some ten seconds of one processor; and characters that are kept.
ALL_STEPS, ALL_CHARACTERS = 20_000_000, 5_000_000

#: Changed questions that are kept of all quizzes together.
ALL_QUESTIONS = 20_000

_TEXT_STEPS, _LINE_STEPS = 1_000_000, 100_000
_MAX_SHOWN, _MAX_LINE = 400, 5_000  # lines of a text; characters of a line
_MAX_PAIRED = 30  # lines of one region of which each is compared with each
_ALIKE = 0.4
_SAME_SHOWN = 100
_PER_LINE = 50
_WORD = re.compile(r"\w+\s*|[^\w\s]\s*|\s+")


class Budget:
    """What the comparison of two courses may still take.

    Attributes:
        steps: of comparing texts.
        characters: of the result.
        questions: of quizzes, in the result.
    """

    def __init__(
        self, steps: int = ALL_STEPS, characters: int = ALL_CHARACTERS, questions: int = ALL_QUESTIONS
    ) -> None:
        self.steps = Steps(steps)
        self.characters = characters
        self.questions = questions


def diff_text(
    name: str,
    label: str,
    before: Sequence[str],
    after: Sequence[str],
    budget: Budget,
    *,
    is_cut: bool = False,
) -> TextChange | None:
    """Compare two texts; ``None`` if their lines are equal. The other way round, added is removed.

    Args:
        name: of the change.
        label: of the change.
        before: lines of the first version.
        after: lines of the second.
        budget: what may still be taken; counted down.
        is_cut: whether the lines are not the whole of the texts.
    """
    if tuple(before) == tuple(after):
        return None
    if tuple(before) > tuple(after):  # so that a tie is decided alike both ways
        found = diff_text(name, label, after, before, budget, is_cut=is_cut)
        return found and _mirrored(found)
    mine = Steps(min(_TEXT_STEPS, max(0, budget.steps.left)))
    granted = mine.left
    lines = list(islice(_lines(before, after, differing(before, after, mine), mine), _MAX_SHOWN + 1))
    budget.steps.left -= granted - mine.left
    kept = list(_affordable(lines[:_MAX_SHOWN], budget))
    return TextChange(name, label, tuple(kept), is_cut or len(lines) > len(kept))


def _affordable(lines: Iterable[Line], budget: Budget) -> Iterator[Line]:
    """Yield lines while the result may grow."""
    for line in lines:
        budget.characters -= sum(len(piece.text) for piece in line.pieces) + _PER_LINE
        if budget.characters < 0:
            return
        yield line


def _lines(
    before: Sequence[str], after: Sequence[str], regions: Sequence[Region], steps: Steps
) -> Iterator[Line]:
    """Yield the changed lines, each region with the line before and after it."""
    at = 0
    for number, (start, stop, begin, end) in enumerate(regions):
        yield from _between(before[at:start], is_first=number == 0)
        yield from _region(before[start:stop], after[begin:end], steps)
        at = stop
    yield from _between(before[at:], is_last=True)


def _between(same: Sequence[str], *, is_first: bool = False, is_last: bool = False) -> Iterator[Line]:
    """Yield the first and last of equal lines between changes; at an end of the text, the one beside the change."""
    if not same:
        return
    if is_first or is_last:
        yield _same(same[-1] if is_first else same[0])
        return
    yield _same(same[0])
    if len(same) > 2:  # noqa: PLR2004 - both are shown
        yield Line(Change.SAME, left_out=len(same) - 2)
    if len(same) > 1:
        yield _same(same[-1])


def _region(before: Sequence[str], after: Sequence[str], steps: Steps) -> Iterator[Line]:
    """Yield the lines of a region: lines that are alike with their words compared, the others as removed and added."""
    at = to = 0
    for one, other in [*_alike(before, after), (len(before), len(after))]:
        yield from (_whole(Change.REMOVED, text) for text in before[at:one])
        yield from (_whole(Change.ADDED, text) for text in after[to:other])
        if one < len(before):
            yield Line(Change.CHANGED, tuple(_pieces(before[one], after[other], steps)))
        at, to = one + 1, other + 1


def _alike(before: Sequence[str], after: Sequence[str]) -> list[tuple[int, int]]:
    """Return pairs of lines that are alike, in the order of both: those that share most words."""
    if not before or not after or len(before) > _MAX_PAIRED or len(after) > _MAX_PAIRED:
        return []
    words = [[set(_WORD.findall(text[:_MAX_LINE])) for text in texts] for texts in (before, after)]
    best: list[list[tuple[float, tuple[tuple[int, int], ...]]]] = [
        [(0.0, ())] * (len(after) + 1) for _ in range(len(before) + 1)
    ]
    for one in range(len(before)):
        for other in range(len(after)):
            score = _likeness(words[0][one], words[1][other])
            total, pairs = best[one][other]
            joined = (total + score, (*pairs, (one, other)))
            choices = [best[one][other + 1], best[one + 1][other], *([joined] if score >= _ALIKE else [])]
            best[one + 1][other + 1] = max(choices, key=lambda choice: choice[0])
    return list(best[-1][-1][1])


def _likeness(one: set[str], other: set[str]) -> float:
    return 2 * len(one & other) / (len(one) + len(other) or 1)


def _pieces(before: str, after: str, steps: Steps) -> Iterator[Piece]:
    """Yield the parts of a line that are the same, removed and added, word by word."""
    if max(len(before), len(after)) > _MAX_LINE:
        yield Piece(Change.REMOVED, _short(before, _MAX_LINE))
        yield Piece(Change.ADDED, _short(after, _MAX_LINE))
        return
    one, other = _WORD.findall(before), _WORD.findall(after)
    mine = Steps(min(_LINE_STEPS, max(0, steps.left)))
    granted, at = mine.left, 0
    for start, stop, begin, end in differing(one, other, mine):
        yield from _piece(Change.SAME, "".join(one[at:start]))
        yield from _piece(Change.REMOVED, "".join(one[start:stop]))
        yield from _piece(Change.ADDED, "".join(other[begin:end]))
        at = stop
    yield from _piece(Change.SAME, "".join(one[at:]))
    steps.left -= granted - mine.left


def _piece(change: Change, text: str) -> Iterator[Piece]:
    if text:
        yield Piece(change, _short(text, 2 * _SAME_SHOWN) if change is Change.SAME else text)


def _short(text: str, most: int) -> str:
    """Return text without its middle, if it is long."""
    half = most // 2
    return text if len(text) <= most else f"{text[:half]} \N{HORIZONTAL ELLIPSIS} {text[-half:]}"


def _same(text: str) -> Line:
    return Line(Change.SAME, (Piece(Change.SAME, _short(text, 2 * _SAME_SHOWN)),))


def _whole(change: Change, text: str) -> Line:
    return Line(change, (Piece(change, _short(text, _MAX_LINE)),))


def _mirrored(text: TextChange) -> TextChange:
    """Return a change the other way round. What was removed stands first."""
    return TextChange(text.name, text.label, tuple(_removed_first(text.lines)), text.is_cut)


def _removed_first(lines: Sequence[Line]) -> Iterator[Line]:
    """Yield mirrored lines; runs of added ones after the removed ones they stand with."""
    added: list[Line] = []
    for line in lines:
        turned = Line(line.change.mirrored, tuple(_removed_pieces_first(line.pieces)), line.left_out)
        if turned.change is Change.ADDED:
            added.append(turned)
            continue
        if turned.change is not Change.REMOVED:
            yield from added
            added = []
        yield turned
    yield from added


def _removed_pieces_first(pieces: Sequence[Piece]) -> Iterator[Piece]:
    added: list[Piece] = []
    for piece in pieces:
        turned = Piece(piece.change.mirrored, piece.text)
        if turned.change is Change.ADDED:
            added.append(turned)
            continue
        if turned.change is not Change.REMOVED:
            yield from added
            added = []
        yield turned
    yield from added
