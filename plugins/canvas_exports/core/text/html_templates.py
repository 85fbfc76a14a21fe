"""Load Jinja templates from the folder ``template/`` of a package. They escape every text, except in files that end in ``.txt``."""

from __future__ import annotations

from functools import lru_cache, partial
from importlib.resources import files
from typing import Any

from jinja2 import ChoiceLoader, Environment, FunctionLoader, StrictUndefined, Template

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


def environment(*packages: str, escapes: bool = True) -> Environment:
    """Return an environment of the templates of packages; of two files with one name, that of the earlier package.

    Every text that is put in is made harmless, wherever it comes from; a missing value is an error.

    Args:
        packages: with a folder ``template/`` each.
        escapes: whether what is put in is escaped: always, except in plain text.
    """
    made = Environment(
        loader=ChoiceLoader([FunctionLoader(partial(_find_part, package)) for package in packages]),
        autoescape=escapes,  # noqa: S701 - plain text has no markup
        undefined=StrictUndefined,
        finalize=_harmless_value,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(moment=format_moment, size=format_size, some=format_count)
    return made


def _find_part(package: str, name: str) -> str | None:
    try:
        return read_part(package, name)
    except FileNotFoundError:
        return None


@lru_cache
def load_template(package: str, name: str) -> Template:
    """Return a template by the name of its file; in all but ``.txt``, what is put in is escaped. See ``environment``."""
    return environment(package, escapes=not name.endswith(".txt")).get_template(name)
