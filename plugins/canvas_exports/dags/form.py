"""Fields of a trigger form, and how a task reads what was filled in.

The fields have the rules, defaults and help texts of a backup file's fields, from the same JSON Schema.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow.sdk import Param

from canvas_exports.backups.fields import SETTINGS, is_template
from canvas_exports.backups.schema import schema


class Filled:
    """What stands in one field of the form when the task runs, as it stands there.

    In place of a template, which would make a text of every number, or a number of every text that looks like one. An
    emptied field is ``None``.
    """

    def __init__(self, name: str) -> None:
        self.name = name

    def resolve(self, context: Mapping[str, Any]) -> Any:
        """Airflow calls this where it would render a template."""
        value = context["params"][self.name]
        return None if value in ("", [], {}) else value

    def __repr__(self) -> str:
        # Airflow stores this text with the DAG, so it has to be the same in every process.
        return f"{{{{ params.{self.name} }}}}"


def field(name: str, **changes: Any) -> Param:
    """A form field for a field of a backup file; a keyword that is changed to ``None`` is dropped."""
    rule = dict(schema()["properties"][name])
    rule["description_md"] = rule.pop("description")
    rule.update(changes)
    default = rule.pop("default")
    return Param(default, **{keyword: value for keyword, value in rule.items() if value is not None})


def setting_fields(written: Mapping[str, Any], section: str) -> dict[str, Param]:
    """Form fields for how a run goes about it.

    Args:
        written: values that a backup file gives; templates among them cannot be filled into a form.
        section: of the form.
    """
    return {
        name: field(name, section=section, **({"default": written[name]} if name in written else {}))
        for name in SETTINGS
        if not is_template(written.get(name))
    }
