"""The published JSON Schemas of what lies in an archive."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import lru_cache
from importlib.resources import files
from typing import Any

from canvas_exports.foreign_text import harmless

_LONGEST_PATH = 100
_LONGEST_RULE = 300
_DIALECT = "http://json-schema.org/draft-04/schema#"  # to later ones, 1.0 is a whole number


def problem(name: str, document: Any, *, part: str = "") -> str | None:
    """Return the first rule of a schema that a document breaks, as one short line, or ``None``.

    The line names the field and what it accepts. It quotes no value of the document.
    Whole numbers have to be written as such: ``1.0`` is none.

    Args:
        name: of the schema: ``manifest-1`` or ``run-report-1``.
        document: JSON data.
        part: JSON pointer to the part of the schema that describes the document; the whole schema without it.
    """
    from fastjsonschema import JsonSchemaValueException  # noqa: PLC0415 - not while a DAG file is parsed

    try:
        _validator(name, part)(document)
    except JsonSchemaValueException as error:
        where = error.name or ""
        rule = error.message.removeprefix(where)
        if error.rule == "anyOf":  # of which fastjsonschema does not say what it accepts
            rule = f"must fit one of {error.rule_definition}"
        path = "$" + where.removeprefix("data")
        return f"{harmless(path, most=_LONGEST_PATH)} {harmless(rule, most=_LONGEST_RULE)}"
    return None


@lru_cache
def _validator(name: str, part: str) -> Callable[[Any], Any]:
    """Compile a schema, or a part of it, once in a process: some milliseconds."""
    from fastjsonschema import compile as compiled  # noqa: PLC0415 - as above

    text = files(__package__).joinpath(f"{name}.schema.json").read_text("utf-8")
    schema = json.loads(text, object_hook=_in_dialect)
    if part:
        schema["$ref"] = f"#{part}"
    validator: Callable[[Any], Any] = compiled({**schema, "$schema": _DIALECT}, use_default=False)
    return validator


def _in_dialect(rule: dict[str, Any]) -> dict[str, Any]:
    """Write the two newer keywords that the schemas use in words of ``_DIALECT``."""
    if "const" in rule:
        rule["enum"] = [rule.pop("const")]
    if "if" in rule:
        rule["anyOf"] = [{"not": rule.pop("if")}, rule.pop("then")]
    return rule
