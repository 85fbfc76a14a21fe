"""The tree in the docstring of ``errors`` shows every error of the package as it is."""

from __future__ import annotations

import importlib
import pickle
import pkgutil
import re
from collections.abc import Iterator

import pytest

import canvas_exports.core
from canvas_exports import errors
from canvas_exports.errors import CanvasExportsError, CanvasUnavailableError

LINE = re.compile(r"    ([│├└─ ]*)(\w+) +(retryable|\(\w+\))?.*")


def drawn() -> Iterator[tuple[int, str, str]]:
    """Depth, name and note of each error in the tree."""
    for line in (errors.__doc__ or "").split("::\n", 1)[1].split("    Stopped")[0].splitlines():
        if line.strip():
            found = LINE.fullmatch(line + " ")
            assert found, line
            yield len(found[1]) // 4, found[2], found[3] or ""


def defined(
    error: type[CanvasExportsError] = CanvasExportsError, depth: int = 0
) -> Iterator[tuple[int, str, str]]:
    """The same of the classes, in the order of their definition."""
    builtin = next((base for base in error.__bases__ if base.__module__ == "builtins"), Exception)
    note = "retryable" if error.retryable else "" if builtin is Exception else f"({builtin.__name__})"
    yield depth, error.__name__, note
    for each in error.__subclasses__():
        yield from defined(each, depth + 1)


def test_the_docstring_draws_every_error() -> None:
    for module in pkgutil.walk_packages(canvas_exports.core.__path__, "canvas_exports.core."):
        importlib.import_module(module.name)
    assert list(drawn()) == list(defined())


def test_an_error_survives_pickling() -> None:
    error = CanvasUnavailableError(
        "maintenance", status=503, request="GET /x", request_id="r", context="course:1", export_id=2
    )
    again = pickle.loads(pickle.dumps(error))  # noqa: S301 - made here
    assert (str(again), vars(again)) == (str(error), vars(error))


@pytest.mark.parametrize("name", [name for _, name, _ in drawn()])
def test_every_error_is_defined_in_the_one_module(name: str) -> None:
    assert getattr(errors, name).__module__ == "canvas_exports.errors"
