"""Load the templates of what people read: a run's page and message, the changes of a course. They escape every text, except in files that end in ``.txt``."""

from __future__ import annotations

from functools import lru_cache, partial
from importlib.resources import files
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined, Template

from canvas_exports.core.text.wording import format_count, format_moment, format_size

_SEEN = "\N{REPLACEMENT CHARACTER}"


@lru_cache
def part(name: str, package: str = __package__) -> str:
    """Return a file in the folder ``template`` of a package."""
    return (files(package) / "template" / name).read_text("utf-8")


def _harmless_value(value: Any) -> Any:
    """Return a value for a template: a text without line breaks and direction marks; markup as it is."""
    if not isinstance(value, str) or value.isprintable() or hasattr(value, "__html__"):
        return value
    return "".join(each if each.isprintable() else " " if each.isspace() else _SEEN for each in value)


@lru_cache
def template(name: str, package: str = __package__) -> Template:
    """Return a template by the name of its file, of the folder ``template`` of a package. In all but ``.txt``, what is put in is escaped; a missing value is an error.

    Every text that is put in is made harmless, wherever it comes from.
    """
    environment = Environment(
        loader=FunctionLoader(partial(part, package=package)),
        autoescape=not name.endswith(".txt"),  # noqa: S701 - plain text has no markup
        undefined=StrictUndefined,
        finalize=_harmless_value,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(moment=format_moment, size=format_size, some=format_count)
    return environment.get_template(name)
