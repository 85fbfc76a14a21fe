"""YAML that remembers on which line each field was written.

A smaller YAML than PyYAML's, whose conveniences rewrite what an admin wrote: ``0101`` would be the number 65, ``12:30``
the number 750 and ``no`` a false. Here plain whole numbers, ``true``, ``false`` and ``null`` have a type, and everything
else is the text that stands there. Aliases, tags and several documents in one file are refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml
from yaml.composer import ComposerError
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from canvas_exports.backups.problems import Place, Problem, field_name

_WORDS = {"": None, "~": None, "null": None, "true": True, "false": False}
_WHOLE_NUMBER = re.compile(r"0|-?[1-9][0-9]{0,18}")
_TAGS = frozenset(f"tag:yaml.org,2002:{kind}" for kind in ("str", "seq", "map"))


class _Loader(yaml.SafeLoader):
    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - PyYAML's own attribute, and it never changes

    def compose_node(self, parent: Node | None, index: int) -> Node | None:
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]  # PyYAML's stubs leave it out
            raise ComposerError(None, None, "aliases are not understood here; write the value out", mark)
        return super().compose_node(parent, index)


@dataclass
class Document:
    """What one file says, and where.

    Attributes:
        file: the file's name, as an admin knows it.
        data: plain values; ``None`` where nothing could be read.
        lines: the line of every field and list item.
        problems: what is wrong with the YAML itself.
    """

    file: str
    data: Any = None
    lines: dict[Place, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def problem(self, place: Place, text: str) -> Problem:
        """A problem at a place; one that is not in the file has the line of what it belongs to."""
        known = place
        while known and known not in self.lines:
            known = known[:-1]
        return Problem(self.file, self.lines.get(known, 1), field_name(place), text)

    def value(self, place: Place) -> Any:
        """The value at a place, or ``None``."""
        found = self.data
        for step in place:
            found = found.get(step) if isinstance(found, Mapping) else None
        return found


def read_document(text: str, file: str) -> Document:
    """Read YAML. What is wrong with it is told in ``problems``, never raised."""
    document = Document(file)
    try:
        node = yaml.compose(text, Loader=_Loader)
        if node is not None:
            document.data = _Reader(document).read(node, ())
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        said = getattr(error, "problem", None) or getattr(error, "reason", "it cannot be read")
        place = Problem(file, mark.line + 1 if mark else 1, "", f"not valid YAML: {said}.")
        document.problems.append(place)
    except RecursionError:
        document.problems.append(Problem(file, 1, "", "not a backup: it is nested too deeply."))
    return document


class _Reader:
    """Turns nodes into plain values, and writes down their lines."""

    def __init__(self, document: Document) -> None:
        self.document = document

    def read(self, node: Node, place: Place) -> Any:
        self.document.lines.setdefault(place, node.start_mark.line + 1)
        if node.tag not in _TAGS:
            self.blame(place, "tags are not understood here; write the plain value.")
        if isinstance(node, MappingNode):
            return self.read_mapping(node, place)
        if isinstance(node, SequenceNode):
            return [self.read(item, (*place, index)) for index, item in enumerate(node.value)]
        assert isinstance(node, ScalarNode)
        return _plain(node.value) if node.style is None else node.value

    def read_mapping(self, node: MappingNode, place: Place) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for key, value in node.value:
            if not isinstance(key, ScalarNode):
                self.blame(place, f"line {key.start_mark.line + 1} has a key that is not text.")
                continue
            inner = (*place, key.value)
            line = key.start_mark.line + 1
            if key.value in values:
                text = f"written twice, first on line {self.document.lines[inner]}."
                self.document.problems.append(Problem(self.document.file, line, field_name(inner), text))
                continue
            self.document.lines[inner] = line
            values[key.value] = self.read(value, inner)
        return values

    def blame(self, place: Place, text: str) -> None:
        self.document.problems.append(self.document.problem(place, text))


def _plain(text: str) -> Any:
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    return int(text) if _WHOLE_NUMBER.fullmatch(text) else text
