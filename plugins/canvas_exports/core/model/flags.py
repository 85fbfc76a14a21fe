"""Read true and false from forms and templates."""

from __future__ import annotations

from typing import Any

from canvas_exports.errors import InputError

_WORDS = {"true": True, "false": False, "none": False, "": False}


def read_flag(field: str, value: Any) -> bool:
    """Read a boolean, also from the text that a template renders.

    Raises:
        InputError: it is neither true nor false.
    """
    if isinstance(value, bool):
        return value
    known = _WORDS.get(str(value).strip().lower())
    if known is None:
        raise InputError(field, f"{str(value)[:100]!r} is neither", accepted="true or false")
    return known
