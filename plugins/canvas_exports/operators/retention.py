"""Delete the copies of a backup that its retention policy does not keep."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.sdk import BaseOperator

from canvas_exports.core.model.flags import read_flag
from canvas_exports.errors import InputError
from canvas_exports.observability.lineage import Lineage, LineageMixin, archive_place
from canvas_exports.operators.task_support.task_context import AirflowErrors, run_info

if TYPE_CHECKING:
    from airflow.sdk import Context

    from canvas_exports.core.archive.retention.apply import Applied
    from canvas_exports.core.archive.retention.plan import Plan
    from canvas_exports.core.archive.retention.policy import Policy
    from canvas_exports.core.model.runs import RunInfo
    from canvas_exports.core.storage.store import Store

DOCUMENTS = "retention/"


class CanvasRetentionOperator(LineageMixin, BaseOperator):
    """Plan which copies of a backup to delete, print the plan as a table, and delete them if ``apply`` is true.

    Applies to the copies of one backup only: not to those of another backup in the same archive, and not to manual exports.
    The newest proven copy of each course and export type is always kept. A course that changed between planning and
    deleting is left for the next run. The plan and its result are written to ``retention/<task>.json`` in the run's folder.

    Args:
        archive: root URI of the archive.
        keep: the policy: ``last``, ``daily``, ``weekly``, ``monthly``, ``yearly``, ``within``, ``proven`` and ``hold``; see
            ``canvas_exports.core.archive.retention.policy_fields.read_keep``.
        apply: delete the copies. If it is false, nothing is deleted.
        backup: DAG id of the backup to whose copies the policy applies; by default the DAG of this task.
        archive_conn_id: Airflow connection of the archive.
        timezone: time zone in which days begin, by its name in the IANA database.
        allow_empty: accept an archive without copies; if it is false, the task fails there.

    Raises:
        AirflowFailException: bad input, no archive at that address, or no right to read or delete there.
    """

    template_fields: Sequence[str] = (
        "archive",
        "keep",
        "apply",
        "backup",
        "archive_conn_id",
        "timezone",
        "allow_empty",
    )
    template_fields_renderers: ClassVar[dict[str, str]] = {"keep": "json"}
    ui_color = "#f5ecdc"

    def __init__(
        self,
        *,
        archive: str,
        keep: Mapping[str, Any],
        apply: bool = False,
        backup: str | None = None,
        archive_conn_id: str | None = None,
        timezone: str = "UTC",
        allow_empty: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.archive = archive
        self.keep = keep
        self.apply = apply
        self.backup = backup
        self.archive_conn_id = archive_conn_id
        self.timezone = timezone
        self.allow_empty = allow_empty

    @AirflowErrors()
    def execute(self, context: Context) -> dict[str, Any]:
        """Plan, print the plan, write it to the archive, and delete if ``apply`` is true."""
        from canvas_exports.core.archive.retention.policy_fields import read_keep
        from canvas_exports.hooks.archive_replicas import open_archives

        run = run_info(context)
        if not isinstance(self.apply, bool):
            raise InputError("apply", f"{self.apply!r} is not a truth value", accepted="true or false")
        policy = read_keep(self.keep, timezone=self.timezone)
        # A Canvas archive may name further archives; the policy applies to each of them by itself.
        with open_archives(self.archive, self.archive_conn_id) as stores:
            places = tuple(archive_place(store.uri) for store in stores)
            self.lineage = Lineage(places, places)
            first, *further = [self._run(store, policy, run) for store in stores]
            return {**first, "also": further} if further else first

    def _run(self, store: Store, policy: Policy, run: RunInfo) -> dict[str, Any]:
        from canvas_exports.core.archive.alarms.before_deletion import hold_before_deletion
        from canvas_exports.core.archive.catalog.index import read_with_index
        from canvas_exports.core.archive.catalog.presence import require_copies
        from canvas_exports.core.archive.retention.apply import apply_plan
        from canvas_exports.core.archive.retention.plan import make_plan
        from canvas_exports.core.archive.retention.report import format_plan, result, summary

        holdings = require_copies(
            store, read_with_index(store), allow_empty=read_flag("allow_empty", self.allow_empty, blank=False)
        )
        if self.apply:
            holdings = hold_before_deletion(store, holdings, now=_now())
        plan = make_plan(store, policy, now=_now(), backup=self.backup or run.dag_id, holdings=holdings)
        for line in format_plan(plan).splitlines():
            self.log.info("%s", line)
        self._write(store, plan, None, run)
        applied = None
        if self.apply:
            applied = apply_plan(store, plan)
            self._write(store, plan, applied, run)
            self.log.info("%s", result(applied))
        else:
            self.log.info("Nothing is deleted: this is only the plan. To delete the copies, set apply: true.")
        return {"archive": store.uri, "plan": _key(run), **summary(plan, applied)}

    def _write(self, store: Store, plan: Plan, applied: Applied | None, run: RunInfo) -> None:
        from canvas_exports.core.archive.retention.report import plan_document

        store.replace(_key(run), plan_document(plan, applied, run=run.to_facts(), finished_at=_now()))


def _key(run: RunInfo) -> str:
    from canvas_exports.core.archive.layout import run_folder

    return f"{run_folder(run.date, run.dag_id, run.run_id)}{DOCUMENTS}{run.part}.json"


def _now() -> datetime:
    return datetime.now(timezone.utc)
