"""Check what the connections of the backups name: each Canvas and each archive."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from airflow.sdk import Variable
from airflow.sdk.exceptions import AirflowRuntimeError

from canvas_exports.core.backups import Backup
from canvas_exports.core.backups.fields import is_template
from canvas_exports.core.doctor.archive import check_archive
from canvas_exports.core.doctor.canvas import check_canvas
from canvas_exports.core.doctor.facts import Fact, problem, warning
from canvas_exports.errors import CanvasExportsError, InputError
from canvas_exports.hooks.archive import open_location
from canvas_exports.hooks.archive_replicas import find_locations
from canvas_exports.hooks.canvas import CanvasHook, sync_client
from canvas_exports.hooks.connections import find_connection

#: The Variable that names the archive of the shipped backups, and how they name it.
VARIABLE = "canvas_archive"
TEMPLATE = "{{ var.value.canvas_archive }}"


def check_connections(backups: Iterable[Backup]) -> Iterator[Fact]:
    """Yield the facts of each Canvas and each archive that backups name; without backups, of those that DAGs use by default."""
    backups = list(backups)
    default = CanvasHook.default_conn_name
    named = {backup.connections.get("canvas_conn_id", default): None for backup in backups} or {default: None}
    for conn_id in named:
        yield from _canvas(conn_id)
    archives: dict[Any, Any] = {}
    for backup in backups:
        key = (backup.archive, backup.connections.get("archive_conn_id"), repr(backup.also_archives))
        archives[key] = backup.also_archives
    for (archive, conn_id, _), also in (archives or {(TEMPLATE, None, ""): ()}).items():
        yield from _archives(archive, conn_id, also)


def _canvas(conn_id: str) -> Iterator[Fact]:
    try:
        find_connection(conn_id)
    except InputError as error:
        add = f'airflow connections add {conn_id} --conn-type canvas --conn-host canvas.example.edu --conn-password "$CANVAS_TOKEN"'
        yield problem(conn_id, str(error), add)
        return
    try:
        with sync_client(CanvasHook(conn_id).settings(), once=True) as client:
            yield from check_canvas(client, conn_id)
    except CanvasExportsError as error:
        yield problem(conn_id, str(error), f"Correct the connection {conn_id}.")


def _archives(archive: str, conn_id: str | None, also: Any) -> Iterator[Fact]:
    if archive.strip() == TEMPLATE:
        try:
            archive = Variable.get(VARIABLE)
        except (KeyError, AirflowRuntimeError):
            yield problem(
                f"Variable {VARIABLE}",
                "Backups read the name of the archive from this Variable, and Airflow has none of this name.",
                f"airflow variables set {VARIABLE} campus_archive",
            )
            return
    elif is_template(archive):
        yield warning(
            "archive",
            f"{archive} is put together when a task runs, so it was not checked.",
            "Check it with --archive.",
        )
        return
    try:
        locations = find_locations(archive, conn_id, also)
    except CanvasExportsError as error:
        add = "airflow connections add campus_archive --conn-type canvas_archive --conn-host s3://campus-backups/canvas"
        yield problem("archive", str(error), f"Correct the name of the archive, or add its connection: {add}")
        return
    for location in locations:
        subject = location.named or location.uri
        try:
            with open_location(location) as store:
                yield from check_archive(store, subject)
        except CanvasExportsError as error:
            yield problem(subject, str(error), "Correct the connection of the archive.")
