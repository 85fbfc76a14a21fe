"""Read YAML with the line of each field.

A smaller YAML than PyYAML's, whose conveniences rewrite what an admin wrote: ``0101`` would be the number 65, ``12:30``
the number 750 and ``no`` a false. Here plain whole numbers, ``true``, ``false`` and ``null`` have a type, and everything
else is the text that stands there. Anchors, aliases, tags, deep nesting, long texts and several documents in one file are
refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from canvas_exports.core.backups.problems import FieldPath, Mistake, Problem, field_name
from canvas_exports.core.text.user_files import (
    BoundedComposer,
    FileFormatError,
    check_line_breaks,
    compose_yaml,
)

MOST_CHARACTERS = 2000  # of one text; no field has a use for more

_WORDS = {"": None, "~": None, "null": None, "true": True, "false": False}
_WHOLE_NUMBER = re.compile(r"0|-?[1-9][0-9]{0,18}")
_TAGS = frozenset(f"tag:yaml.org,2002:{kind}" for kind in ("str", "seq", "map"))


class _Loader(BoundedComposer, yaml.SafeLoader):
    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - PyYAML's own attribute, and it never changes


@dataclass
class YamlDocument:
    """The values of one file, with their lines.

    Attributes:
        file: the file's name, as an admin knows it.
        data: plain values; ``None`` where nothing could be read.
        lines: the line of every field and list item.
        problems: what is wrong with the YAML itself.
    """

    file: str
    data: Any = None
    lines: dict[FieldPath, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def problem(self, path: FieldPath, wrong: str | Mistake) -> Problem:
        """Return a problem at a path; a missing field has the line of its parent."""
        known = path
        while known and known not in self.lines:
            known = known[:-1]
        said = wrong if isinstance(wrong, Mistake) else Mistake(wrong)
        place = (self.file, self.lines.get(known, 1), field_name(path))
        return Problem(*place, said.text, said.accepted, said.suggestion)

    def value(self, path: FieldPath) -> Any:
        """Return the value at a path, or ``None``."""
        found = self.data
        for step in path:
            found = found.get(step) if isinstance(found, Mapping) else None
        return found


def read_document(text: str, file: str) -> YamlDocument:
    """Read YAML. Invalid YAML is reported in ``problems``, never raised."""
    document = YamlDocument(file)
    try:
        check_line_breaks(text)
        node = compose_yaml(text, _Loader)
        if node is not None:
            document.data = _Reader(document).read(node, ())
    except FileFormatError as error:
        document.problems.append(Problem(file, error.line, "", f"not valid YAML: {error.problem}."))
    return document


class _Reader:
    """Turn nodes into plain values, and record their lines."""

    def __init__(self, document: YamlDocument) -> None:
        self.document = document

    def read(self, node: Node, path: FieldPath) -> Any:
        self.document.lines.setdefault(path, node.start_mark.line + 1)
        if node.tag not in _TAGS:
            self.add_problem(path, "tags are not understood here; write the plain value.")
        if isinstance(node, MappingNode):
            return self.read_mapping(node, path)
        if isinstance(node, SequenceNode):
            return [self.read(item, (*path, index)) for index, item in enumerate(node.value)]
        assert isinstance(node, ScalarNode)
        text = self.check_text(node.value, path)
        return _plain(text) if node.style is None else text

    def read_mapping(self, node: MappingNode, path: FieldPath) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for key, value in node.value:
            if not isinstance(key, ScalarNode):
                self.add_problem(path, f"line {key.start_mark.line + 1} has a key that is not text.")
                continue
            name = self.check_text(key.value, path)
            inner = (*path, name)
            line = key.start_mark.line + 1
            if name in values:
                text = f"written twice, first on line {self.document.lines[inner]}."
                self.document.problems.append(Problem(self.document.file, line, field_name(inner), text))
                continue
            self.document.lines[inner] = line
            values[name] = self.read(value, inner)
        return values

    def check_text(self, text: str, path: FieldPath) -> str:
        if len(text) > MOST_CHARACTERS:
            self.add_problem(path, f"is longer than {MOST_CHARACTERS:,} characters.")
        if any("\ud800" <= character <= "\udfff" for character in text):
            self.add_problem(path, "holds half a character, written as an escape; write the whole one.")
            return "\N{REPLACEMENT CHARACTER}"
        return text[:MOST_CHARACTERS]

    def add_problem(self, path: FieldPath, text: str) -> None:
        self.document.problems.append(self.document.problem(path, text))


def _plain(text: str) -> Any:
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    return int(text) if _WHOLE_NUMBER.fullmatch(text) else text
