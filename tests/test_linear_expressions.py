"""Regular expressions over foreign text take time in proportion to it."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

PLUGINS = Path(__file__).resolve().parents[1] / "plugins" / "canvas_exports"
USES = {"compile", "match", "search", "fullmatch", "sub", "subn", "split", "findall", "finditer"}

# Run in a process of its own, which the system ends if one of them takes more than some seconds of processor time: what takes
# time in proportion needs a tenth of a second, and what takes its square, minutes.
PROGRAM = """
import json, re, signal, sys

LENGTH = 100_000
UNITS = [
    "_", "-", "a", "A", "1", ".", "/", "\\\\", ":", ";", " ", "\\n", "<", ">", "&", "?", "=", "@", "%", "#", "'", '"', "(", "{",
    "{{", "}}", "a-", "a_", "a.", "a/", "a@", "a b", "http://", "https://a?", "a=b&", ";x", "<a>", "&#", "://", "\\u00e9",
    "\\u0301", ",", "[", "--", "eyJ", "x/../",
]
for source, uses in json.load(sys.stdin):
    print(ascii(source), flush=True)
    pattern = re.compile(source)
    signal.setitimer(signal.ITIMER_PROF, 5)
    for unit in UNITS:
        for before in ("", "http://"):
            for after in ("", "!"):
                text = before + unit * (LENGTH // len(unit)) + after
                for use in uses:
                    getattr(pattern, use)(text)
"""
SEEKING = {"search", "sub", "subn", "split", "findall", "finditer"}


def written(source: str) -> Iterator[tuple[str, str]]:
    """Expressions that stand in the code as they are, and how each is used: from the beginning, or wherever it is found."""
    names = {}
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            names[id(node.value)] = node.targets[0].id
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
            of, first = node.func, node.args[0]
            is_re = isinstance(of.value, ast.Name) and of.value.id == "re" and of.attr in USES
            if is_re and isinstance(first, ast.Constant) and isinstance(first.value, str):
                yield first.value, of.attr
                yield from ((first.value, use) for use in SEEKING if f"{names.get(id(node))}.{use}" in source)


def in_schema(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("pattern"), str):
            yield value["pattern"]
        for inner in value.values():
            yield from in_schema(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from in_schema(inner)


def expressions() -> list[tuple[str, list[str]]]:
    """Each with the ways that it is tried."""
    found: dict[str, set[str]] = {}
    for path in PLUGINS.rglob("*.py"):
        for expression, use in written(path.read_text(encoding="utf-8")):
            found.setdefault(expression, {"match", "fullmatch"}).update(
                {"search"} if use in SEEKING else set()
            )
    for path in PLUGINS.rglob("*.json"):
        for expression in in_schema(json.loads(path.read_text(encoding="utf-8"))):
            found.setdefault(expression, set()).add("search")
    return [(expression, sorted(uses)) for expression, uses in sorted(found.items())]


def tried(what: list[tuple[str, list[str]]]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", PROGRAM], input=json.dumps(what), capture_output=True, text=True, check=False
    )


def test_there_are_some() -> None:
    assert len(expressions()) > 50


def test_every_expression_is_linear() -> None:
    done = tried(expressions())
    assert done.returncode == 0, f"the last one takes too long:\n{done.stdout[-300:]}{done.stderr[-500:]}"


@pytest.mark.parametrize("expression", [r"[-_ ]*\(?\d+\)?$", r"<[^>]*>", r"(a|b|ab)*c"])
def test_one_that_is_not_linear_is_noticed(expression: str) -> None:
    assert tried([(expression, ["search"])]).returncode != 0


pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="it has no limits of processor time")
