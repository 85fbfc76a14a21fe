"""Base operator of restores and drills: one import that survives retries, deferrals and kills."""

from __future__ import annotations

import asyncio
import time
from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NoReturn, Protocol

from airflow.sdk import BaseOperator, BaseOperatorLink

from canvas_exports.airflow_compat import conf
from canvas_exports.core.model.contexts import Context as CanvasContext
from canvas_exports.core.model.contexts import ContextKind
from canvas_exports.core.model.durations import Duration, read_duration
from canvas_exports.hooks.canvas import CanvasHook
from canvas_exports.observability.lineage import Lineage, LineageMixin, archive_place, canvas_places
from canvas_exports.operators.links import CanvasLink
from canvas_exports.operators.task_support.task_context import AirflowErrors

if TYPE_CHECKING:
    from airflow.sdk import Context

    from canvas_exports.core.canvas.client import CanvasClient
    from canvas_exports.core.restore.state import RestoreState
    from canvas_exports.core.restore.wait import CanvasJob
    from canvas_exports.core.storage.store import Store

_BACKSTOP = timedelta(minutes=15)
"""Airflow's own time-out is later than the deadline by this, so that the trigger ends first."""

Save = Callable[[dict[str, Any]], object]


class ImportRun(Protocol):
    """A restore or a drill, resumed from its checkpoint."""

    def advance(self) -> CanvasJob | None:
        """Do what can be done now; return the job to wait for, or ``None`` at the end."""

    def cancel(self) -> None:
        """Stop as soon as possible."""

    @property
    def course_id(self) -> int | None:
        """Return the id of the target course, once it is known."""


class ImportingOperator(LineageMixin, BaseOperator):
    """Run one import to its end: in the worker while there is something to do, in the triggerer while Canvas works.

    Its state is kept in Airflow's task state store (before Airflow 3.3: in the archive), where it survives retries and a Clear.
    """

    operator_extra_links: Sequence[BaseOperatorLink] = (CanvasLink(),)
    ui_color = "#e2f3e5"

    def __init__(
        self,
        *,
        archive: str,
        archive_conn_id: str | None = None,
        canvas_conn_id: str = CanvasHook.default_conn_name,
        poll_shortest: float = 5.0,
        poll_longest: float = 60.0,
        deadline: Duration = timedelta(hours=12),
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.archive = archive
        self.archive_conn_id = archive_conn_id
        self.canvas_conn_id = canvas_conn_id
        self.poll_shortest = poll_shortest
        self.poll_longest = poll_longest
        self.deadline = deadline
        self.deferrable = deferrable
        self._import: ImportRun | None = None
        self.canvas_url: str | None = None
        self._root = ""

    @AirflowErrors()
    def execute(self, context: Context) -> dict[str, Any]:
        """Begin, or resume from the checkpoint of an earlier attempt."""
        return self._run(context, token_refused=False)

    @AirflowErrors()
    def execute_complete(self, context: Context, event: dict[str, Any] | None = None) -> dict[str, Any]:
        """Resume after waiting. The worker reads the result of the import from Canvas."""
        return self._run(
            context, token_refused=isinstance(event, Mapping) and event.get("status") == "refused"
        )

    def on_kill(self) -> None:
        """Abort an upload and keep the state. Changes nothing in Canvas."""
        if self._import is not None:
            self._import.cancel()

    @abstractmethod
    def check(self) -> None:
        """Refuse bad input. Raises ``InputError``."""

    @abstractmethod
    def build(
        self,
        context: Context,
        *,
        client: CanvasClient,
        store: Store,
        fresh: RestoreState,
        document: Any,
        save: Save,
    ) -> ImportRun:
        """Return the restore or drill, from the last saved document or from a fresh state."""

    @abstractmethod
    def finish(self, context: Context) -> dict[str, Any]:
        """Log the result, and fail the task if the policy says so."""

    def _run(self, context: Context, *, token_refused: bool) -> dict[str, Any]:
        with self._open(context, token_refused=token_refused) as (run, host):
            while True:
                job = run.advance()
                # Canvas lists the imports of the course and their issues on this page.
                self.canvas_url = f"{host}/courses/{run.course_id}/content_migrations"
                if run.course_id is not None:
                    course = CanvasContext(ContextKind.COURSE, str(run.course_id))
                    self.lineage = Lineage((archive_place(self._root),), canvas_places(host, [course]))
                if job is None:
                    break
                if self.deferrable:
                    self._defer(job, context["ti"].try_number)
                asyncio.run(self._wait_here(job))
        return self.finish(context)

    @contextmanager
    def _open(self, context: Context, *, token_refused: bool) -> Iterator[tuple[ImportRun, str]]:
        """Check the input, restore the state, open Canvas and the archive."""
        from canvas_exports.core.restore.state import RestoreState
        from canvas_exports.hooks.archive import open_archive
        from canvas_exports.operators.task_support.checkpoints import saved_state

        self.check()
        lasts = read_duration(self.deadline, field="deadline").total_seconds()
        generation = max(context["ti"].max_tries - (self.retries or 0), 0)
        fresh = RestoreState(deadline=time.time() + lasts, generation=generation)
        with (
            open_archive(self.archive, self.archive_conn_id) as store,
            CanvasHook(self.canvas_conn_id).get_conn() as client,
        ):
            if token_refused:
                client.whoami()  # fail here rather than in the next trigger
            self.canvas_url = client.host
            self._root = store.uri
            state = saved_state(context, store)
            self._import = self.build(
                context,
                client=client,
                store=store,
                fresh=fresh,
                document=state.load(),
                save=state.save,
            )
            yield self._import, client.host

    def _defer(self, job: CanvasJob, try_number: int) -> NoReturn:
        """Defer the task until Canvas is done."""
        from canvas_exports.triggers.restore import CanvasRestoreTrigger

        trigger = CanvasRestoreTrigger(
            canvas_conn_id=self.canvas_conn_id,
            waiting=job.to_json(),
            pace=[self.poll_shortest, self.poll_longest],
            try_number=try_number,
        )
        rest = timedelta(seconds=max(job.deadline - time.time(), 0.0))
        self.defer(trigger=trigger, method_name="execute_complete", timeout=rest + _BACKSTOP)
        raise AssertionError("defer does not return")

    async def _wait_here(self, job: CanvasJob) -> None:
        """Wait in this process, without a triggerer."""
        from canvas_exports.core.restore.wait import wait_for

        async with CanvasHook(self.canvas_conn_id).async_conn() as client:
            await wait_for(client, job, shortest=self.poll_shortest, longest=self.poll_longest)
