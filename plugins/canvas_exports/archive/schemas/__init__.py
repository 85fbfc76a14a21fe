"""The published JSON Schemas of what lies in an archive."""

from __future__ import annotations

import json
from functools import lru_cache
from importlib.resources import files
from typing import Any

from canvas_exports.archive.schemas.quick import Check, compiled
from canvas_exports.text import harmless

_LONGEST_PATH = 100


def problem(name: str, document: Any) -> str | None:
    """The first thing that is wrong with a document, or ``None``.

    Args:
        name: of the schema: ``manifest-1`` or ``run-report-1``.
        document: JSON data.
    """
    if _quick(name)(document):
        return None
    for error in _validator(name).iter_errors(document):
        return f"{error.json_path}: {error.message[:200]}"
    return None


def breach(name: str, document: Any) -> str | None:
    """Which rule of a schema a document breaks first, or ``None``. Unlike ``problem``, it quotes nothing of the document.

    Numbers have to be written as the schema says: ``1.0``, which JSON Schema takes for a whole number, is none here.

    Args:
        name: of the schema.
        document: JSON data.
    """
    if _quick(name)(document):
        return None
    for error in _validator(name).iter_errors(document):
        return f"{harmless(error.json_path, most=_LONGEST_PATH)} breaks the rule {error.validator!r} of its schema"
    return "a number in it is not written as a whole one"


@lru_cache
def _quick(name: str) -> Check:
    return compiled(_schema(name))


@lru_cache
def _validator(name: str) -> Any:
    from jsonschema import Draft202012Validator  # noqa: PLC0415 - slow to import, needed only where something is wrong

    return Draft202012Validator(_schema(name))


def _schema(name: str) -> Any:
    return json.loads(files(__package__).joinpath(f"{name}.schema.json").read_text("utf-8"))
