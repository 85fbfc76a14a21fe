"""Publish the newest proven copies of a backup as a site of plain HTML."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator

from canvas_exports.airflow_compat import AirflowFailException
from canvas_exports.core.model.flags import read_flag
from canvas_exports.errors import InputError
from canvas_exports.observability.lineage import Lineage, LineageMixin, archive_place
from canvas_exports.operators.task_support.task_context import AirflowErrors, run_info

if TYPE_CHECKING:
    from airflow.sdk import Context

    from canvas_exports.core.storage.store import Store
    from canvas_exports.hooks.archive_location import ArchiveLocation

_NAMED = 20  # problems in the log


class CanvasPublishOperator(LineageMixin, BaseOperator):
    """Write the newest proven copies of a backup as a site of HTML that needs no Canvas and no server, or bring it up to date.

    Writes only what has changed since the last time. Changes nothing in the archive. Correct answers of quizzes are not shown.
    One task at a time may write to a site.

    Args:
        archive: root URI of the archive.
        site: root URI of the site, with nothing else at it, outside the archive. It is opened with the credentials of the
            archive; a name is the id of a connection of type ``canvas_archive``, with credentials of its own.
        archive_conn_id: Airflow connection of the archive.
        backup: DAG id of the backup whose copies are published; by default the DAG of this task. ``*`` for those of any.
        with_files: whether the files of the courses are published, too.
        delete: delete courses from the site that have no proven copy of the backup any more; if it is false, they are kept.
        timezone: time zone of the times on the pages, by its name in the IANA database.
        allow_empty: accept an archive without copies; if it is false, the task fails there.

    Raises:
        AirflowFailException: bad input, no archive at that address, no right to read or write, something else at the address of
            the site; or a course or a file could not be read, after all others were written.
    """

    template_fields: Sequence[str] = (
        "archive",
        "site",
        "archive_conn_id",
        "backup",
        "with_files",
        "delete",
        "timezone",
        "allow_empty",
    )
    ui_color = "#e8f0e4"

    def __init__(
        self,
        *,
        archive: str,
        site: str,
        archive_conn_id: str | None = None,
        backup: str | None = None,
        with_files: bool = True,
        delete: bool = False,
        timezone: str = "UTC",
        allow_empty: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.archive = archive
        self.site = site
        self.archive_conn_id = archive_conn_id
        self.backup = backup
        self.with_files = with_files
        self.delete = delete
        self.timezone = timezone
        self.allow_empty = allow_empty

    @AirflowErrors()
    def execute(self, context: Context) -> dict[str, Any]:
        """Write what has changed, and return how much that was."""
        from canvas_exports.core.archive.browsing.course_folder import FolderOptions
        from canvas_exports.core.archive.browsing.site.publish_site import Selection, publish_site
        from canvas_exports.core.archive.catalog.index import read_with_index
        from canvas_exports.core.archive.catalog.presence import require_copies
        from canvas_exports.hooks.archive import open_location
        from canvas_exports.hooks.archive_location import find_location

        backup = self.backup or run_info(context).dag_id
        location = find_location(self.archive, self.archive_conn_id)
        with open_location(location) as store, self._open_site(location) as site:
            self.lineage = Lineage((archive_place(store.uri),), (archive_place(site.uri),))
            empty = read_flag("allow_empty", self.allow_empty, blank=False)
            with closing(require_copies(store, read_with_index(store), allow_empty=empty)) as holdings:
                result = publish_site(
                    store,
                    site,
                    holdings,
                    Selection(backup=None if backup == "*" else backup),
                    options=FolderOptions(
                        with_files=read_flag("with_files", self.with_files, blank=True), zone=self.timezone
                    ),
                    delete=read_flag("delete", self.delete, blank=False),
                    field="site",
                )
        receipt = {**vars(result), "site": site.uri, "problems": len(result.problems)}
        self.log.info(
            "%s: %d courses written, %d unchanged, %d kept, %d deleted.",
            site.uri,
            result.written,
            result.unchanged,
            result.kept,
            result.deleted,
        )
        for problem in result.problems[:_NAMED]:
            self.log.warning("%s", problem)
        if result.problems:
            raise AirflowFailException(
                f"{len(result.problems)} courses or files could not be read, the first of them {result.problems[0]}. "
                "All others are published. Verify the archive."
            )
        return receipt

    def _open_site(self, archive: ArchiveLocation) -> Store:
        from canvas_exports.hooks.archive import open_location
        from canvas_exports.hooks.archive_location import find_location, is_name

        if not self.site.strip():
            raise InputError("site", "it is missing", accepted="s3://bucket/path")
        if is_name(self.site):
            return open_location(find_location(self.site))
        return open_location(replace(archive, uri=self.site.strip(), protection={}, also=(), named=None))
