"""Fields of a trigger form, and how a task reads what was filled in.

The fields have the rules, defaults and help texts of a backup file's fields, from the same JSON Schema.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow.sdk import Param, Variable

from canvas_exports.core.backups.fields import SETTINGS, is_template
from canvas_exports.core.backups.schema import schema
from canvas_exports.hooks.canvas import CanvasHook
from canvas_exports.hooks.form_choices import ARCHIVE_VARIABLE, archive_choice, canvas_choice

#: Titles of the sections of a form.
CONNECTIONS, RUN_SETTINGS = "Connections", "Settings"

#: Fields that name what a task reaches: each is read by a rule of its own, whichever DAG has it in its form.
_CHOICES = {"archive": archive_choice, "canvas_conn_id": canvas_choice}
#: What no form may fill in: it would lead credentials, or what is read and written, somewhere else.
_NEVER = ("archive_conn_id", "also_archives", "course_list", "key_template")


class Filled:
    """Read one field of the form when the task runs, exactly as it was typed.

    In place of a template: what a person types is data, and is never rendered; nor does a text that looks like a number
    become one. An emptied field is ``None``. ``hooks.form_choices`` reads the fields that name a connection.

    Args:
        name: of the field.
        variable: Airflow Variable that an empty field means.
        default: what it means where there is no such Variable.

    Raises:
        ValueError: no form may have such a field; a mistake of the program.
    """

    def __init__(self, name: str, *, variable: str | None = None, default: Any = None) -> None:
        if name in _NEVER:
            raise ValueError(f"a form may not fill in {name}")
        self.name = name
        self._variable, self._default = variable, default

    def resolve(self, context: Mapping[str, Any]) -> Any:
        """Airflow calls this where it would render a template."""
        params = context["params"]
        if (choose := _CHOICES.get(self.name)) is not None:
            return choose(params, context["dag"].dag_id)
        value = _tidy(params[self.name])
        if value in ("", [], {}, None):
            return self._default if self._variable is None else Variable.get(self._variable, self._default)
        return value

    def __repr__(self) -> str:
        # Airflow stores this text with the DAG, so it has to be the same in every process.
        return f"{{{{ params.{self.name} }}}}"


def _tidy(value: Any) -> Any:
    """Strip a text, and drop the empty lines of a list: the form sends one at the end."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, list):
        return [tidied for each in value if (tidied := _tidy(each)) not in ("", None)]
    return value


def field(name: str, **changes: Any) -> Param:
    """Return a form field for a field of a backup file; a keyword that is changed to ``None`` is dropped.

    Patterns are left to the tasks, which say in a sentence what Airflow would show as a regular expression.
    """
    rule = without_patterns(schema()["properties"][name])
    rule["description_md"] = rule.pop("description")
    rule.update(changes)
    default = rule.pop("default")
    return Param(default, **{keyword: value for keyword, value in rule.items() if value is not None})


def without_patterns(rule: Mapping[str, Any]) -> dict[str, Any]:
    """Return the same JSON Schema without regular expressions at any depth."""
    return {
        name: without_patterns(part) if isinstance(part, Mapping) else part
        for name, part in rule.items()
        if name != "pattern"
    }


def archive_field(**changes: Any) -> Param:
    """Return the form field for an archive, by its name alone."""
    return Param(
        None,
        title="Archive",
        description_md=(
            "The name of an archive that an administrator has set up: the id of a connection of type Canvas archive. Left "
            f"empty, the one of the Airflow Variable {ARCHIVE_VARIABLE}."
        ),
        type=["string", "null"],
        **changes,
    )


def canvas_field() -> Param:
    """Return the form field for a Canvas, by the name of its connection."""
    return Param(
        CanvasHook.default_conn_name,
        title="Canvas connection",
        description_md="The name of a connection of type Canvas LMS that an administrator has set up.",
        type=["string", "null"],
        section=CONNECTIONS,
    )


def connection_fields() -> dict[str, Param]:
    """Return the form fields for an archive and a Canvas, in a section of their own."""
    return {"archive": archive_field(section=CONNECTIONS), "canvas_conn_id": canvas_field()}


def setting_fields(written: Mapping[str, Any], section: str = RUN_SETTINGS) -> dict[str, Param]:
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
