"""Hold copies of a course, or end the hold."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator

from canvas_exports.core.model.flags import read_flag
from canvas_exports.errors import InputError
from canvas_exports.observability.lineage import Lineage, LineageMixin, archive_place
from canvas_exports.operators.task_support.task_context import AirflowErrors

if TYPE_CHECKING:
    from airflow.sdk import Context


class CanvasHoldOperator(LineageMixin, BaseOperator):
    """Set a tag on the copies of a course, so that no retention rule deletes them, or lift it.

    Writes a small record beside the manifest of each package; see ``canvas-archive hold``. A package that has the tag already
    is left as it is, so a retry does no harm. Later copies are not held. Deletes nothing, and sends no request to Canvas.

    Args:
        archive: name or root URI of the archive.
        course: its Canvas number, SIS id, code or name, as the manifests have it; or ``group:7``, ``user:3``.
        tag: the reason: a word of 1 to 12 letters ``a-z``, such as ``legal``.
        copy: the key of a manifest, to hold this copy alone; empty for all copies that there are.
        lift: end the hold.
        archive_conn_id: Airflow connection of the archive.

    Raises:
        AirflowFailException: bad input, no such copy, or no right to write.
    """

    template_fields: Sequence[str] = ("archive", "course", "tag", "copy", "lift", "archive_conn_id")
    ui_color = "#e3e3f2"

    def __init__(
        self,
        *,
        archive: str,
        course: str,
        tag: str,
        copy: str | None = None,
        lift: bool = False,
        archive_conn_id: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.archive = archive
        self.course = course
        self.tag = tag
        self.copy = copy
        self.lift = lift
        self.archive_conn_id = archive_conn_id

    @AirflowErrors()
    def execute(self, context: Context) -> dict[str, Any]:  # noqa: ARG002 - Airflow's signature
        """Write the records, and return their keys."""
        from canvas_exports.core.archive.catalog.find_course import find_course, parse_course_name
        from canvas_exports.core.archive.catalog.presence import require_archive
        from canvas_exports.core.archive.catalog.read import copies_of
        from canvas_exports.core.archive.retention.holds import put_tag
        from canvas_exports.hooks.archive import open_archive

        lift = read_flag("lift", self.lift, blank=False)
        name = parse_course_name(self.course, field="course")
        with open_archive(self.archive, self.archive_conn_id) as store:
            place = archive_place(store.uri)
            self.lineage = Lineage((place,), (place,))
            course = find_course(store, name, field="course")
            holding = copies_of(store, course.kind.value, course.canvas_id or 0)
            if not holding.copies:
                require_archive(store)
            copies = [copy for copy in holding.copies if not self.copy or copy.key == self.copy]
            if not copies:
                raise InputError(
                    "copy" if self.copy else "course", f"the archive has no such copy of {holding.name}"
                )
            written = put_tag(store, copies, str(self.tag), at=datetime.now(timezone.utc), lift=lift)
            self.log.info(
                "The tag %s was %s %d packages of %s",
                self.tag,
                "lifted from" if lift else "put on",
                len(written),
                holding.name,
            )
            return {"archive": store.uri, "context": holding.name, "records": list(written)}
