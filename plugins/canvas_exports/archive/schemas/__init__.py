"""The published JSON Schemas of what lies in an archive."""

from __future__ import annotations

import json
from functools import lru_cache
from importlib.resources import files
from typing import Any


def problem(name: str, document: Any) -> str | None:
    """The first thing that is wrong with a document, or ``None``.

    Args:
        name: of the schema: ``manifest-1`` or ``run-report-1``.
        document: JSON data.
    """
    for error in _validator(name).iter_errors(document):
        return f"{error.json_path}: {error.message[:200]}"
    return None


@lru_cache
def _validator(name: str) -> Any:
    from jsonschema import Draft202012Validator  # noqa: PLC0415 - slow to import, needed only where one is read

    return Draft202012Validator(
        json.loads(files(__package__).joinpath(f"{name}.schema.json").read_text("utf-8"))
    )
