"""Load Jinja templates from the folder ``template/`` of a package. They escape every text, except in files that end in ``.txt``."""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined, Template

from canvas_exports.core.text.wording import format_count, format_moment, format_size

_SEEN = "\N{REPLACEMENT CHARACTER}"


@lru_cache
def read_part(package: str, name: str) -> str:
    """Return a file of ``template/`` of a package."""
    return (files(package) / "template" / name).read_text("utf-8")


def _harmless_value(value: Any) -> Any:
    """Return a value for a template: a text without line breaks and direction marks; markup as it is."""
    if not isinstance(value, str) or value.isprintable() or hasattr(value, "__html__"):
        return value
    return "".join(each if each.isprintable() else " " if each.isspace() else _SEEN for each in value)


@lru_cache
def load_template(package: str, name: str) -> Template:
    """Return a template by the name of its file. In all but ``.txt``, what is put in is escaped; a missing value is an error.

    Every text that is put in is made harmless, wherever it comes from.
    """
    environment = Environment(
        loader=FunctionLoader(lambda part: read_part(package, part)),
        autoescape=not name.endswith(".txt"),  # noqa: S701 - plain text has no markup
        undefined=StrictUndefined,
        finalize=_harmless_value,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(moment=format_moment, size=format_size, some=format_count)
    return environment.get_template(name)
