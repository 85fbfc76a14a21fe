"""Read the archive and the Canvas connection that a person chose in a form.

A form accepts only names of connections that an administrator has set up for it, never a URI, a path or a credential. Any
other value becomes a ``RefusedChoice``, which raises its error as soon as a task tries to open it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow.sdk import Variable

from canvas_exports.errors import InputError
from canvas_exports.hooks.archive_location import CONN_TYPE, allowed_forms, is_name
from canvas_exports.hooks.canvas import CanvasHook
from canvas_exports.hooks.connections import RefusedChoice, find_connection

#: Airflow Variable: the archive for an empty field *Archive*. An administrator writes it, so it may be a URI.
ARCHIVE_VARIABLE = "canvas_archive"

_ACCEPTED = {
    "archive": "the name of a connection of type Canvas archive, which an administrator adds under Admin, Connections; "
    "forms accept no addresses",
    "canvas_conn_id": "the name of a connection of type Canvas LMS, which an administrator adds under Admin, Connections",
}


def archive_choice(params: Mapping[str, Any], dag_id: str) -> str | RefusedChoice:
    """Return the archive that the field *Archive* of a form names; the one of the Variable if it is empty."""
    if params.get("archive_conn_id") not in (None, ""):
        return RefusedChoice("archive_conn_id", "a form accepts no credentials", _ACCEPTED["archive"])
    typed = params["archive"]
    if typed is None or (isinstance(typed, str) and not typed.strip()):
        usual = Variable.get(ARCHIVE_VARIABLE, default=None)
        if usual is None or not str(usual).strip():
            return RefusedChoice(
                "archive",
                f"it is empty, and there is no Airflow Variable {ARCHIVE_VARIABLE}",
                _ACCEPTED["archive"],
            )
        return str(usual).strip()
    return _check_choice("archive", typed, CONN_TYPE, dag_id)


def canvas_choice(params: Mapping[str, Any], dag_id: str) -> str | RefusedChoice:
    """Return the connection that the field *Canvas connection* of a form names; the default one if it is empty."""
    typed = params["canvas_conn_id"]
    if typed is None or (isinstance(typed, str) and not typed.strip()):
        typed = CanvasHook.default_conn_name
    return _check_choice("canvas_conn_id", typed, CanvasHook.conn_type, dag_id)


def _check_choice(field: str, typed: object, conn_type: str, dag_id: str) -> str | RefusedChoice:
    # The same message for every refused name, so that a form does not reveal which other connections exist.
    refused = RefusedChoice(field, f"no connection of this name is available to {dag_id}", _ACCEPTED[field])
    if not isinstance(typed, str) or not is_name(typed):
        return refused
    try:
        connection = find_connection(typed.strip())
        forms = allowed_forms(connection)
    except InputError:
        return refused
    if connection.conn_type != conn_type:
        return refused
    return typed.strip() if forms is None or dag_id in forms else refused
