"""The form of a backup file, as ``backup.schema.json`` describes it to people, editors and this program."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any, cast

from jsonschema import Draft202012Validator, FormatChecker, validators
from jsonschema.exceptions import ValidationError

from canvas_exports.core.backups.fields import is_template
from canvas_exports.core.backups.problems import FieldPath, Mistake, mistake

#: Name of the file with the JSON Schema, here and in the include folder of a project.
SCHEMA_FILE = "backup.schema.json"

_KINDS = {
    "string": "text",
    "integer": "a whole number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping of fields to values",
    "null": "null",
}
_SHOWN = 80
_CREDENTIALS = re.compile(r"(?<=://)[^\s/]*(?=@)|(?<=\?)[^\s'\"]+")

FieldProblem = tuple[FieldPath, Mistake]


def schema_bytes() -> bytes:
    """Return the file with the JSON Schema of a backup file."""
    return files("canvas_exports.core.backups").joinpath(SCHEMA_FILE).read_bytes()


@cache
def schema() -> dict[str, Any]:
    """Return the JSON Schema of a backup file."""
    document: dict[str, Any] = json.loads(schema_bytes())
    return document


def _unique(_: Any, wanted: bool, value: Any, __: Any) -> Iterator[ValidationError]:
    """Check ``uniqueItems`` in one pass; jsonschema compares each item of a mixed list with each other one."""
    if (
        wanted
        and isinstance(value, list)
        and len({json.dumps(item, sort_keys=True) for item in value}) < len(value)
    ):
        yield ValidationError("names something twice")


_Validator = validators.extend(Draft202012Validator, {"uniqueItems": _unique})  # type: ignore[no-untyped-call]


def find_violations(data: Any) -> Iterator[FieldProblem]:
    """Where a document does not have the form of a backup, and in which words to say so."""
    for error in _Validator(schema(), format_checker=FormatChecker(["duration"])).iter_errors(data):
        path = tuple(error.absolute_path)
        if error.validator == "format" and is_template(error.instance):
            continue
        yield from _WORDING[str(error.validator)](error, path)


def _unknown(error: ValidationError, path: FieldPath) -> Iterator[FieldProblem]:
    known = _rule(error)["properties"]
    for name in _fields(error):
        if name not in known:
            yield (*path, name), mistake("there is no such field", known, meant=(name, known))


def _missing(error: ValidationError, path: FieldPath) -> Iterator[FieldProblem]:
    for name in _rule(error)["required"]:
        if name not in _fields(error):
            yield (*path, name), mistake("is missing", _examples(schema()["properties"][name]))


def _nothing_named(_: ValidationError, path: FieldPath) -> Iterator[FieldProblem]:
    yield (*path, "courses"), mistake("is missing", "courses, groups, users, or several of them")


def _needs(error: ValidationError, path: FieldPath) -> Iterator[FieldProblem]:
    for name, needed in _rule(error)["dependentRequired"].items():
        if name in _fields(error):
            yield (*path, name), mistake(f"says nothing without {', '.join(needed)}")


def _wrong_type(error: ValidationError, path: FieldPath) -> Iterator[FieldProblem]:
    wanted = _rule(error)["type"]
    kinds = [_KINDS[kind] for kind in ([wanted] if isinstance(wanted, str) else wanted)]
    accepted = _examples(_rule(error)) or _elements(_rule(error)) or _range(_rule(error))
    yield path, mistake(f"{_value_text(error.instance)} is not {' or '.join(kinds)}", accepted)


def _not_one(error: ValidationError, path: FieldPath) -> Iterator[FieldProblem]:
    choices = _rule(error)["enum"]
    meant = (error.instance, [choice for choice in choices if isinstance(choice, str)])
    yield path, mistake(f"{_value_text(error.instance)} is not one", choices, meant=meant)


def _out_of_range(error: ValidationError, path: FieldPath) -> Iterator[FieldProblem]:
    yield path, mistake(f"{_value_text(error.instance)} is out of range", _range(_rule(error)))


def _unfitting(error: ValidationError, path: FieldPath) -> Iterator[FieldProblem]:
    yield path, mistake(f"{_value_text(error.instance)} does not fit", _examples(_rule(error)))


def _empty(error: ValidationError, path: FieldPath) -> Iterator[FieldProblem]:
    yield path, mistake("is empty", _examples(_rule(error)) or "at least one")


def _too_long(error: ValidationError, path: FieldPath) -> Iterator[FieldProblem]:
    yield path, mistake("is too long", f"at most {_rule(error)['maxLength']} characters")


def _repeated(_: ValidationError, path: FieldPath) -> Iterator[FieldProblem]:
    yield path, mistake("names something twice")


_WORDING: Mapping[str, Callable[[ValidationError, FieldPath], Iterator[FieldProblem]]] = {
    "additionalProperties": _unknown,
    "required": _missing,
    "anyOf": _nothing_named,
    "dependentRequired": _needs,
    "type": _wrong_type,
    "enum": _not_one,
    "minimum": _out_of_range,
    "maximum": _out_of_range,
    "pattern": _unfitting,
    "format": _unfitting,
    "minItems": _empty,
    "minLength": _empty,
    "minProperties": _empty,
    "maxLength": _too_long,
    "uniqueItems": _repeated,
}


def _rule(error: ValidationError) -> Mapping[str, Any]:
    """Return the part of the schema that a value does not fulfil."""
    return cast("Mapping[str, Any]", error.schema)


def _fields(error: ValidationError) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", error.instance)


def _examples(rule: Mapping[str, Any]) -> str | None:
    examples = rule.get("examples")
    return f"such as {', '.join(map(_value_text, examples))}" if examples else None


def _elements(rule: Mapping[str, Any]) -> str | None:
    named = rule.get("items", {}).get("enum")
    return f"a list of some of {', '.join(named)}" if named else None


def _range(rule: Mapping[str, Any]) -> str | None:
    least, most = rule.get("minimum"), rule.get("maximum")
    if least is None:
        return None
    return f"{least} or more" if most is None else f"{least} to {most}"


def _value_text(value: Any) -> str:
    """Format a value as an admin would write it, cut short, and without a credential in a URI."""
    text = repr(value) if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = _CREDENTIALS.sub("...", text)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
