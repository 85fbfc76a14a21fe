"""Problems of backup files, with file, line and field."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches

from canvas_exports.foreign_text import harmless

MOST_TEXT = 1000  # characters of one problem
_MOST_NAME = 200

#: Path of a value in a document: ``("courses", "ids", 0)``.
FieldPath = tuple["str | int", ...]


_LONGEST_WORD = 100  # characters of a word that a suggestion is looked for


@dataclass(frozen=True)
class Mistake:
    """What is wrong with a value.

    Attributes:
        text: the problem, as a sentence.
        accepted: what is accepted instead; empty if the problem says it.
        suggestion: the accepted word that was probably meant; empty if none is similar.
    """

    text: str
    accepted: str = ""
    suggestion: str = ""


@dataclass(frozen=True, order=True)
class Problem:
    """One problem: file, line, field, what is wrong, what is accepted, and what was probably meant.

    As a text it is one printable line of limited length.
    """

    file: str
    line: int
    field: str
    text: str
    accepted: str = ""
    suggestion: str = ""

    def __str__(self) -> str:
        line = f", line {self.line}" if self.line else ""
        field = f", {harmless(self.field, most=_MOST_NAME)}" if self.field else ""
        accepted = f" Accepted: {self.accepted}." if self.accepted else ""
        suggestion = f" Did you mean {self.suggestion}?" if self.suggestion else ""
        said = harmless(f"{self.text}{accepted}{suggestion}", most=MOST_TEXT)
        return f"{harmless(self.file, most=_MOST_NAME)}{line}{field}: {said}"


def field_name(path: FieldPath) -> str:
    """Return a path as text: ``courses.ids[0]``."""
    name = ""
    for step in path:
        name += f"[{step}]" if isinstance(step, int) else f".{step}" if name else step
    return name


def mistake(
    problem: str,
    accepted: Iterable[object] | str | None = None,
    *,
    meant: tuple[object, Iterable[str]] = ("", ()),
) -> Mistake:
    """Return a problem and what is accepted, in the form of an ``InputError``.

    Args:
        problem: the problem.
        accepted: what is accepted instead.
        meant: a word, and the words among which the one that was meant is looked for.
    """
    listed = (
        "" if accepted is None else accepted if isinstance(accepted, str) else ", ".join(map(str, accepted))
    )
    return Mistake(f"{problem.rstrip('.')}.", listed, closest_word(*meant))


def closest_word(word: object, choices: Iterable[str]) -> str:
    """Return the choice that is most similar to a word, or an empty text if none is similar."""
    if not isinstance(word, str) or len(word) > _LONGEST_WORD:
        return ""
    known = {choice.casefold(): choice for choice in choices}
    found = get_close_matches(word.casefold(), known, n=1)
    return known[found[0]] if found else ""
