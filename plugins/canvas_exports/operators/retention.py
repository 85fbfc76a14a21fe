"""Delete the copies that a backup need not keep any longer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.sdk import BaseOperator

from canvas_exports.core.archive.catalog.index import read_with_index
from canvas_exports.core.archive.catalog.presence import require_copies
from canvas_exports.core.archive.layout import run_folder
from canvas_exports.core.archive.retention.apply import Applied, apply_plan
from canvas_exports.core.archive.retention.plan import Plan, make_plan
from canvas_exports.core.archive.retention.policy import Policy
from canvas_exports.core.archive.retention.policy_fields import read_keep
from canvas_exports.core.archive.retention.report import document, result, summary, table
from canvas_exports.core.model.flags import read_flag
from canvas_exports.core.model.runs import RunInfo
from canvas_exports.core.storage.store import Store
from canvas_exports.errors import InputError
from canvas_exports.hooks.archive_replicas import open_archives
from canvas_exports.operators.task_context import AirflowErrors, run_info

if TYPE_CHECKING:
    from airflow.sdk import Context

DOCUMENTS = "retention/"


class CanvasRetentionOperator(BaseOperator):
    """Plan which copies of a backup go, print the plan as a table, and carry it out if asked to.

    Looks at the copies that one backup made, and at no others: neither those of another backup in the same archive nor
    those that were made by hand. The newest proven copy of each course and export type always stays. A context in which
    anything changed between planning and deleting is left for the next run. The plan, and what came of it, is written to
    ``retention/<task>.json`` in the run's folder.

    Args:
        archive: root URI of the archive.
        keep: the policy: ``last``, ``daily``, ``weekly``, ``monthly``, ``yearly``, ``within``, ``proven`` and ``hold``; see
            ``export.keeping.read_keep``.
        apply: carry the plan out. Without it, nothing is deleted.
        backup: DAG id of the backup whose copies are meant; the DAG that this task belongs to.
        archive_conn_id: Airflow connection of the archive.
        timezone: in which days begin, by its name in the IANA database.
        allow_empty: whether an archive that holds no copy is one; without it, the task fails there.

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
        """Plan, print, write down, and delete if asked to."""
        run = run_info(context)
        if not isinstance(self.apply, bool):
            raise InputError("apply", f"{self.apply!r} is neither", accepted="true or false")
        policy = read_keep(self.keep, timezone=self.timezone)
        # A Canvas archive may name further ones, each of which is an archive of its own to the policy.
        with open_archives(self.archive, self.archive_conn_id) as stores:
            first, *further = [self._run(store, policy, run) for store in stores]
            return {**first, "also": further} if further else first

    def _run(self, store: Store, policy: Policy, run: RunInfo) -> dict[str, Any]:
        held = require_copies(
            store, read_with_index(store), allow_empty=read_flag("allow_empty", self.allow_empty)
        )
        plan = make_plan(store, policy, now=_now(), backup=self.backup or run.dag_id, holdings=held)
        for line in table(plan).splitlines():
            self.log.info("%s", line)
        self._write(store, plan, None, run)
        applied = None
        if self.apply:
            applied = apply_plan(store, plan)
            self._write(store, plan, applied, run)
            self.log.info("%s", result(applied))
        else:
            self.log.info("Nothing is deleted: this was only the plan. To carry it out, say apply: true.")
        return {"archive": store.uri, "plan": _key(run), **summary(plan, applied)}

    def _write(self, store: Store, plan: Plan, applied: Applied | None, run: RunInfo) -> None:
        store.replace(_key(run), document(plan, applied, run=run.to_facts(), finished_at=_now()))


def _key(run: RunInfo) -> str:
    return f"{run_folder(run.date, run.dag_id, run.run_id)}{DOCUMENTS}{run.part}.json"


def _now() -> datetime:
    return datetime.now(timezone.utc)
