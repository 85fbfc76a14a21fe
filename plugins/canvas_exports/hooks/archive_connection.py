"""The hook of the Airflow connection type ``canvas_archive``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from airflow.sdk import BaseHook

from canvas_exports.airflow_compat import connection_form
from canvas_exports.core.archive.probe import check_writable
from canvas_exports.errors import CanvasExportsError
from canvas_exports.foreign_text import harmless
from canvas_exports.hooks.archive import open_archive
from canvas_exports.hooks.archive_location import CONN_TYPE, allowed_forms
from canvas_exports.hooks.archive_replicas import find_locations
from canvas_exports.hooks.connection_forms import ARCHIVE_FORM
from canvas_exports.hooks.connections import find_connection


@connection_form(ARCHIVE_FORM)
class CanvasArchiveHook(BaseHook):
    """An archive that an administrator has set up under a name. Forms accept only this name.

    Args:
        canvas_archive: the Airflow connection.
    """

    conn_name_attr = "canvas_archive"
    default_conn_name = "canvas_archive_default"
    conn_type = CONN_TYPE
    hook_name = "Canvas archive"

    def __init__(self, canvas_archive: str = default_conn_name) -> None:
        super().__init__()
        self.canvas_archive = canvas_archive

    def get_conn(self) -> Any:
        """Open the archive as a ``Store``. The caller closes it.

        Raises:
            InputError: a field of the connection is missing, or the fields do not fit together.
        """
        return open_archive(self.canvas_archive)

    def test_connection(self) -> tuple[bool, str]:
        """Return whether the archive can be read and written from this machine, with a message.

        Writes a small probe object and deletes it, and lists the root until the first key.
        """
        try:
            allowed_forms(find_connection(self.canvas_archive))
            with self.get_conn() as store:
                further = ", ".join(self._further())
                check_writable(store)
                first = next(iter(store.list()), None)
                holds = "is empty" if first is None else "is not empty"
                return True, harmless(
                    f"{store.uri} can be read and written from this machine, and {holds}."
                    f"{f' Further archives: {further}.' if further else ''}"
                )
        except CanvasExportsError as error:
            return False, str(error)

    def _further(self) -> Iterator[str]:
        for location in find_locations(self.canvas_archive, None)[1:]:
            yield location.uri
