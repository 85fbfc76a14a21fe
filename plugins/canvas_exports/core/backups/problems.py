"""Problems of backup files, with file, line and field."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from canvas_exports.foreign_text import harmless

MOST_TEXT = 1000  # characters of one problem
_MOST_NAME = 200

#: Path of a value in a document: ``("courses", "ids", 0)``.
FieldPath = tuple["str | int", ...]


@dataclass(frozen=True, order=True)
class Problem:
    """One problem: file, line, field, what is wrong, and what is accepted.

    As a text it is one printable line of limited length.
    """

    file: str
    line: int
    field: str
    text: str

    def __str__(self) -> str:
        line = f", line {self.line}" if self.line else ""
        field = f", {harmless(self.field, most=_MOST_NAME)}" if self.field else ""
        return f"{harmless(self.file, most=_MOST_NAME)}{line}{field}: {harmless(self.text, most=MOST_TEXT)}"


def field_name(path: FieldPath) -> str:
    """Return a path as text: ``courses.ids[0]``."""
    name = ""
    for step in path:
        name += f"[{step}]" if isinstance(step, int) else f".{step}" if name else step
    return name


def sentence(problem: str, accepted: Iterable[object] | str | None = None) -> str:
    """Return a problem and what is accepted, in the form of an ``InputError``."""
    hint = ""
    if accepted is not None:
        hint = f" Accepted: {accepted if isinstance(accepted, str) else ', '.join(map(str, accepted))}."
    return f"{problem.rstrip('.')}.{hint}"
