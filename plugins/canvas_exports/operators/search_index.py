"""Add the text of stored packages to the search index of an archive."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator

from canvas_exports.core.model.durations import Duration, read_duration
from canvas_exports.core.model.flags import read_flag
from canvas_exports.hooks.archive_location import root_uri
from canvas_exports.observability.lineage import Lineage, LineageMixin, archive_place
from canvas_exports.operators.task_support.task_context import AirflowErrors

if TYPE_CHECKING:
    from airflow.sdk import Context

    from canvas_exports.core.archive.search.update_index import SearchIndexUpdate

_NAMED = 100


class CanvasSearchIndexOperator(LineageMixin, BaseOperator):
    """Add the text of packages that are not indexed yet to the search index, the newest copies first, within a time.

    Reads the documents of new packages of courses by ranged reads, and no files. Changes no package and no manifest, and sends no
    request to Canvas. A package that cannot be read is logged, and does not fail the task. A retry, and the next run, go on where
    the last attempt ended. ``canvas-archive search`` uses the index.

    Args:
        archive: root URI of the archive.
        archive_conn_id: Airflow connection of the archive.
        max_time: no package is started after this time; a timedelta, or ISO 8601 (``PT1H``); ``None`` for no limit.
        allow_empty: accept an archive without copies; if it is false, the task fails there.

    Raises:
        AirflowFailException: bad input, no archive at that address, or no right to read or write there.
    """

    template_fields: Sequence[str] = ("archive", "archive_conn_id", "max_time", "allow_empty")
    ui_color = "#e8e6f2"

    def __init__(
        self,
        *,
        archive: str,
        archive_conn_id: str | None = None,
        max_time: Duration | None = "PT1H",
        allow_empty: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.archive = archive
        self.archive_conn_id = archive_conn_id
        self.max_time = max_time
        self.allow_empty = allow_empty
        self._stop = threading.Event()

    @AirflowErrors()
    def execute(self, context: Context) -> dict[str, Any]:  # noqa: ARG002 - Airflow's signature
        """Update the index, and return what was added."""
        from canvas_exports.core.archive.search.update_index import update_search_index
        from canvas_exports.hooks.archive import open_archive

        max_time = None if self.max_time in (None, "") else read_duration(self.max_time, field="max_time")
        with open_archive(self.archive, self.archive_conn_id) as store:
            self.lineage = Lineage((archive_place(store.uri),), (archive_place(store.uri),))
            update = update_search_index(
                store,
                max_time=max_time,
                allow_empty=read_flag("allow_empty", self.allow_empty, blank=False),
                stop=self._stop,
            )
        self._log(update)
        return {
            "archive": root_uri(self.archive),
            "added": update.added,
            "documents": update.documents,
            "problems": len(update.problems),
            "denied": update.denied,
            "left": update.left,
        }

    def on_kill(self) -> None:
        """Start no further package."""
        self._stop.set()

    def _log(self, update: SearchIndexUpdate) -> None:
        for key, reason in update.problems[:_NAMED]:
            self.log.warning("%s is indexed without some or all of its text: %s", key, reason)
        self.log.info(
            "%s packages added to the search index, with %s new texts; %s were indexed before",
            f"{update.added:,}",
            f"{update.documents:,}",
            f"{update.known:,}",
        )
        if update.denied:
            self.log.warning("%s packages cannot be read, or are gone", f"{update.denied:,}")
        if update.left:
            self.log.info("%s packages are left for the next run", f"{update.left:,}")
