"""Read files written by people: UTF-8 text, and YAML within bounds.

Error messages name the line, but never quote it, because it may be the wrong file.
"""

from __future__ import annotations

import codecs
from typing import Any

from yaml import AliasEvent, YAMLError
from yaml.composer import Composer, ComposerError
from yaml.nodes import Node

MAX_NESTING = 20  # lists and mappings inside each other

_WIDE = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE)
_FOREIGN_BREAKS = "\x85\u2028\u2029"


class FileFormatError(Exception):
    """A file cannot be read in its format.

    Attributes:
        line: line number, from 1, as editors count: lines end with a line feed, a carriage return, or both.
        problem: what is wrong and what to do, without a full stop.
    """

    def __init__(self, line: int, problem: str) -> None:
        super().__init__(f"line {line}: {problem}")
        self.line = line
        self.problem = problem


def decode_text(data: bytes) -> str:
    """Return the text of a file in UTF-8, with or without a byte order mark.

    Raises:
        FileFormatError: another encoding, or not a text.
    """
    if data.startswith(_WIDE):
        raise FileFormatError(1, "it is written in UTF-16 or UTF-32; save it as UTF-8")
    try:
        text, wrong = data.decode("utf-8-sig"), -1
    except UnicodeDecodeError as error:
        text, wrong = "", error.start
    # Outside the handler: the decoder's error contains the whole file and must not be chained to ours.
    if wrong >= 0:
        before = data[:wrong].decode("latin-1")
        raise FileFormatError(line_of(before, wrong), "it is not UTF-8; save it as UTF-8")
    nothing = text.find("\0")
    if nothing >= 0:
        raise FileFormatError(line_of(text, nothing), "it holds a NUL character, so it is no text file")
    return text


def line_of(text: str, at: int) -> int:
    """Return the line number of a character, as an editor counts."""
    before = text[:at]
    return 1 + before.count("\n") + before.count("\r") - before.count("\r\n")


class BoundedComposer(Composer):
    """A composer for PyYAML's loaders that refuses anchors and aliases, which can expand to gigabytes, and deep nesting."""

    _depth = 0

    def compose_node(self, parent: Node | None, index: int) -> Node | None:
        """Compose a node, or raise an error with the line of what is refused."""
        event: Any = self.peek_event()  # type: ignore[attr-defined]  # of the parser that this is mixed with
        if isinstance(event, AliasEvent) or getattr(event, "anchor", None) is not None:
            message = "anchors and aliases are not understood here; write the value out"
            raise ComposerError(None, None, message, event.start_mark)
        if self._depth == MAX_NESTING:
            raise ComposerError(None, None, "it is nested too deeply", event.start_mark)
        self._depth += 1
        try:
            return super().compose_node(parent, index)
        finally:
            self._depth -= 1


def check_line_breaks(text: str) -> None:
    """Refuse characters that end a line only in YAML, because the numbers of all later lines would be wrong.

    Raises:
        FileFormatError: the text has one.
    """
    for at, character in enumerate(text):
        if character in _FOREIGN_BREAKS:
            raise FileFormatError(
                line_of(text, at), f"it holds the character U+{ord(character):04X}; write a plain line break"
            )


def compose_yaml(text: str, loader: type[Any]) -> Node | None:
    """Return the root node of a YAML document; ``None`` for an empty one.

    Args:
        text: the document.
        loader: a loader that is a ``BoundedComposer``.

    Raises:
        FileFormatError: with the line and PyYAML's message, which may quote a character or a tag.
    """
    at = 0
    try:
        reading = loader(text)
        try:
            node: Node | None = reading.get_single_node()
        finally:
            at = reading.line
            reading.dispose()
    except YAMLError as error:
        mark, position = getattr(error, "problem_mark", None), getattr(error, "position", None)
        line = mark.line + 1 if mark else line_of(text, position) if position is not None else 1
        message = getattr(error, "problem", None) or getattr(error, "reason", None)
        wrong = FileFormatError(line, str(message or "it cannot be read"))
    except (ValueError, OverflowError):  # an escape that is no character, or a version number of many digits
        wrong = FileFormatError(at + 1, "it cannot be read")
    else:
        return node
    raise wrong
