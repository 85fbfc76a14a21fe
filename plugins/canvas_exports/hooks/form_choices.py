"""What a person may name in a form: archives and Canvas connections that an administrator has set up for it.

Nothing typed is ever a URI, a path or a credential. What may not be reached becomes a ``Refused`` in place of a text, so
that nothing can be opened with it; whoever tries says why.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow.sdk import Variable

from canvas_exports.errors import InputError
from canvas_exports.hooks.archive_location import CONN_TYPE, is_name, named_forms
from canvas_exports.hooks.canvas import CanvasHook
from canvas_exports.hooks.connections import Refused, find_connection

#: Airflow Variable: what an empty field *Archive* means. An administrator writes it, so it may be a URI.
ARCHIVE_VARIABLE = "canvas_archive"

_ACCEPTED = {
    "archive": "the name of a connection of type Canvas archive, which an administrator adds under Admin, Connections; "
    "addresses are not typed into forms",
    "canvas_conn_id": "the name of a connection of type Canvas LMS, which an administrator adds under Admin, Connections",
}


def offered_archive(params: Mapping[str, Any], dag_id: str) -> str | Refused:
    """What the field *Archive* of a form means: a name, or the Variable where it is empty."""
    if params.get("archive_conn_id") not in (None, ""):
        return Refused("archive_conn_id", "a form knows no credentials", _ACCEPTED["archive"])
    typed = params["archive"]
    if typed is None or (isinstance(typed, str) and not typed.strip()):
        usual = Variable.get(ARCHIVE_VARIABLE, default=None)
        if usual is None or not str(usual).strip():
            return Refused(
                "archive",
                f"it is empty, and there is no Airflow Variable {ARCHIVE_VARIABLE}",
                _ACCEPTED["archive"],
            )
        return str(usual).strip()
    return _offered("archive", typed, CONN_TYPE, dag_id)


def offered_canvas(params: Mapping[str, Any], dag_id: str) -> str | Refused:
    """What the field *Canvas connection* of a form means; the usual one where it is empty."""
    typed = params["canvas_conn_id"]
    if typed is None or (isinstance(typed, str) and not typed.strip()):
        typed = CanvasHook.default_conn_name
    return _offered("canvas_conn_id", typed, CanvasHook.conn_type, dag_id)


def _offered(field: str, typed: object, conn_type: str, dag_id: str) -> str | Refused:
    # One answer for everything that is not offered: a form tells nobody which other connections there are.
    refused = Refused(field, f"nothing of this name is offered to {dag_id}", _ACCEPTED[field])
    if not isinstance(typed, str) or not is_name(typed):
        return refused
    try:
        connection = find_connection(typed.strip())
        forms = named_forms(connection)
    except InputError:
        return refused
    if connection.conn_type != conn_type:
        return refused
    return typed.strip() if forms is None or dag_id in forms else refused
