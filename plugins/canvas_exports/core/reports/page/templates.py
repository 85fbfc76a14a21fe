"""The templates of what people read: a run's page and message, the changes of a course."""

from __future__ import annotations

from jinja2 import Template

from canvas_exports.core.text.html_templates import load_template, read_part


def part(name: str, package: str = __package__) -> str:
    """Return a file in the folder ``template`` of a package."""
    return read_part(package, name)


def template(name: str, package: str = __package__) -> Template:
    """Return a template by the name of its file; see ``load_template``."""
    return load_template(package, name)
