"""What is wrong with a backup file, said so that an admin finds the place."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from canvas_exports.foreign_text import harmless

MOST_TEXT = 1000  # characters of one problem
_MOST_NAME = 200

#: Where a value stands in a document: ``("courses", "ids", 0)``.
Place = tuple["str | int", ...]


@dataclass(frozen=True, order=True)
class Problem:
    """One thing to mend: in which file and line, in which field, what is wrong and what is accepted instead.

    As a text it is one printable line, however long what it quotes.
    """

    file: str
    line: int
    field: str
    text: str

    def __str__(self) -> str:
        line = f", line {self.line}" if self.line else ""
        field = f", {harmless(self.field, most=_MOST_NAME)}" if self.field else ""
        return f"{harmless(self.file, most=_MOST_NAME)}{line}{field}: {harmless(self.text, most=MOST_TEXT)}"


def field_name(place: Place) -> str:
    """How an admin would write a place: ``courses.ids[0]``."""
    name = ""
    for step in place:
        name += f"[{step}]" if isinstance(step, int) else f".{step}" if name else step
    return name


def sentence(problem: str, accepted: Iterable[object] | str | None = None) -> str:
    """A problem and what is accepted, worded as an ``InputError`` words them."""
    hint = ""
    if accepted is not None:
        hint = f" Accepted: {accepted if isinstance(accepted, str) else ', '.join(map(str, accepted))}."
    return f"{problem.rstrip('.')}.{hint}"
