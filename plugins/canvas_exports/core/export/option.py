"""Declare an option once: its meaning, its default, the values it accepts, and where an administrator may set it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal

from canvas_exports.core.model.durations import read_duration
from canvas_exports.core.model.flags import read_flag
from canvas_exports.errors import InputError

#: Whether a backup file has the option, as what is exported or as how a run goes about it. A person who starts a run by hand
#: may choose all of the latter for that run.
Group = Literal["what", "how"]


@dataclass(frozen=True)
class Values:
    """Values that an option accepts.

    Attributes:
        read: takes the option's name and a written value, and returns it checked; raises ``InputError``.
        rule: the JSON Schema of a written value.
    """

    read: Callable[[str, Any], Any]
    rule: Mapping[str, Any]


@dataclass(frozen=True)
class Option:
    """One option as administrators know it.

    Attributes:
        default: as a person would write it; ``None`` for nothing.
        values: what it accepts.
        title: its label in a form.
        doc: its meaning, in a sentence or two.
        group: whether a backup file has it, and as what.
    """

    default: Any
    values: Values
    title: str
    doc: str
    group: Group | None = None

    def schema(self) -> dict[str, Any]:
        """Return the JSON Schema of the field in a backup file."""
        default = {} if self.default is None else {"default": self.default}
        return {"title": self.title, "description": self.doc, **self.values.rule, **default}


def option(default: Any, values: Values, title: str, doc: str, *, group: Group | None = None) -> Any:
    """Return a dataclass field whose metadata holds an `Option`."""
    checked = values.read(title, default)
    return field(default=checked, metadata={"option": Option(default, values, title, doc, group)})


# Numbers and flags may be text: Airflow renders a template to text unless the DAG asks for native values.


def number(least: float, most: float) -> Values:
    """Accept a number within limits."""

    def read(name: str, value: Any) -> float:
        try:
            found = math.nan if isinstance(value, bool) else float(value)
        except (TypeError, ValueError):
            found = math.nan
        if not least <= found <= most:
            raise InputError(name, f"{value!r} is not a number in range", accepted=f"{least:g} to {most:g}")
        return found

    return Values(read, {"type": "number", "minimum": least, "maximum": most})


def whole(least: int, most: int) -> Values:
    """Accept a whole number within limits."""
    within = number(least, most)

    def read(name: str, value: Any) -> int:
        found = within.read(name, value)
        if not found.is_integer():
            raise InputError(name, f"{value!r} is not a whole number", accepted=f"{least} to {most}")
        return int(found)

    return Values(read, {**within.rule, "type": "integer"})


def flag() -> Values:
    """Accept true or false."""
    return Values(read_flag, {"type": "boolean"})


def one_of(*accepted: str, make: Callable[[str], Any] = str) -> Values:
    """Accept one of some words."""

    def read(name: str, value: Any) -> Any:
        if value not in accepted:
            raise InputError(name, f"{value!r} is not known", accepted=accepted)
        return make(value)

    return Values(read, {"type": "string", "enum": list(accepted)})


def duration(*examples: str) -> Values:
    """Accept a length of time above zero, as a timedelta or in ISO 8601."""

    def read(name: str, value: Any) -> timedelta:
        length = read_duration(value, field=name)
        if length <= timedelta(0):
            raise InputError(name, f"{length} is not a length of time", accepted="a timedelta above zero")
        return length

    return Values(read, {"type": "string", "format": "duration", "examples": list(examples)})
