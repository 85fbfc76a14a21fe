"""The published JSON Schemas of what lies in an archive."""

from __future__ import annotations

import json
from functools import lru_cache
from importlib.resources import files
from typing import Any

from canvas_exports.archive.schemas.quick import Check, compiled


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


@lru_cache
def _quick(name: str) -> Check:
    return compiled(_schema(name))


@lru_cache
def _validator(name: str) -> Any:
    from jsonschema import Draft202012Validator  # noqa: PLC0415 - slow to import, needed only where something is wrong

    return Draft202012Validator(_schema(name))


def _schema(name: str) -> Any:
    return json.loads(files(__package__).joinpath(f"{name}.schema.json").read_text("utf-8"))
