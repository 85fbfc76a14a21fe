"""Read true and false from forms and templates."""

from __future__ import annotations

from typing import Any

from canvas_exports.errors import InputError

_WORDS = {"true": True, "false": False}
_BLANK = ("none", "")


def read_flag(field: str, value: Any, *, blank: bool | None = None) -> bool:
    """Read a boolean, also from the text that a template renders.

    Args:
        field: what to blame in an error.
        value: as it was written.
        blank: what no value means; ``None`` if there has to be one.

    Raises:
        InputError: it is neither true nor false.
    """
    word = str(value).strip().lower()
    found = blank if word in _BLANK else _WORDS.get(word)
    if found is None:
        raise InputError(field, f"{str(value)[:100]!r} is neither", accepted=_WORDS)
    return found
