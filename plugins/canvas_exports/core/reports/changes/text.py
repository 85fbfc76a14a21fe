"""Write the changes of a course as text, for a terminal or a mail: words in ``[-removed-]`` and ``{+added+}``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby

from canvas_exports.core.packages.changes.model import (
    Change,
    CourseChanges,
    FieldChange,
    ItemChange,
    Line,
    Piece,
    QuestionChange,
    TextChange,
)
from canvas_exports.core.reports.changes.headings import heading_of
from canvas_exports.core.text.wording import format_count
from canvas_exports.foreign_text import harmless

_MARKS = {Change.ADDED: "+ ", Change.REMOVED: "- ", Change.CHANGED: "~ ", Change.SAME: "  "}
_MAX_LINE = 6_000


def changes_text(changes: CourseChanges) -> Iterator[str]:
    """Yield the changes as lines, by kind; every text of the packages is made harmless."""
    for kind, found in groupby(changes.changes, key=lambda change: change.kind):
        yield ""
        yield heading_of(kind)
        for change in found:
            yield from _item(change)
    if changes.left_out:
        yield ""
        yield f"{format_count(changes.left_out, 'further change')} not listed"
    if changes.unread:
        yield ""
        yield f"{format_count(changes.unread, 'document')} not compared: too many differ"


def _item(change: ItemChange) -> Iterator[str]:
    place = f" in {harmless(change.place)}" if change.place else ""
    yield f"  {' and '.join(change.what)}: {harmless(change.title) or 'Untitled'}{place}"
    yield from _fields(change.fields, "    ")
    if change.is_content_changed:
        yield "    The content of the file differs"
    if change.is_format_changed:
        yield "    Only the format of the text differs"
    yield from _texts(change.texts, "    ")
    for word, links in (("removed", change.links_removed), ("added", change.links_added)):
        yield from (f"    Link {word}: {harmless(address)}" for address in links)
    for question in change.questions:
        yield from _question(question)
    if change.questions_left_out:
        yield f"    {format_count(change.questions_left_out, 'further question')} not listed"
    if change.problem:
        yield f"    Not compared: {harmless(change.problem)}"


def _question(question: QuestionChange) -> Iterator[str]:
    yield f"    Question {question.number} {question.change.value}: {harmless(question.text)}"
    yield from _fields(question.fields, "      ")
    yield from _texts(question.texts, "      ")
    if question.is_key_changed:
        yield "      The answer key differs"


def _fields(fields: Iterable[FieldChange], indent: str) -> Iterator[str]:
    for field in fields:
        before, after = (harmless(text) or "none" for text in (field.before, field.after))
        yield f"{indent}{harmless(field.label)}: {before} -> {after}"


def _texts(texts: Iterable[TextChange], indent: str) -> Iterator[str]:
    for text in texts:
        yield f"{indent}{harmless(text.label)}:"
        yield from (f"{indent}  {_line(line)}" for line in text.lines)
        if text.is_cut:
            yield f"{indent}  (more of this text is not compared or not shown)"


def _line(line: Line) -> str:
    if line.left_out:
        return f"  ... {format_count(line.left_out, 'unchanged line')}"
    whole = line.change is not Change.CHANGED
    text = "".join(piece.text if whole else _piece(piece) for piece in line.pieces)
    return _MARKS[line.change] + harmless(text, most=_MAX_LINE)


def _piece(piece: Piece) -> str:
    words = piece.text.rstrip()
    blank = piece.text[len(words) :]
    if piece.change is Change.ADDED:
        return f"{{+{words}+}}{blank}"
    return f"[-{words}-]{blank}" if piece.change is Change.REMOVED else piece.text
