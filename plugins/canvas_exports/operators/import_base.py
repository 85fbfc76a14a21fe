"""What a restore and a drill have in common: one import, carried through retries, deferrals and kills."""

from __future__ import annotations

import asyncio
import time
from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NoReturn, Protocol

from airflow.sdk import BaseOperator, BaseOperatorLink, conf

from canvas_exports.core.canvas.client import CanvasClient
from canvas_exports.core.model.durations import Duration, read_duration
from canvas_exports.core.restore.state import RestoreState
from canvas_exports.core.restore.wait import Waiting, wait_for
from canvas_exports.core.storage.store import Store
from canvas_exports.hooks.archive import open_archive
from canvas_exports.hooks.canvas import CanvasHook
from canvas_exports.operators.error_mapping import ending_in_one_line
from canvas_exports.operators.links import CanvasLink
from canvas_exports.triggers.restore import CanvasRestoreTrigger

if TYPE_CHECKING:
    from airflow.sdk import Context

CHECKPOINT = "canvas_exports"
_BACKSTOP = timedelta(minutes=15)  # Airflow's own time-out lies behind the deadline; the trigger speaks first

Save = Callable[[dict[str, Any]], object]


class Job(Protocol):
    """What is carried through."""

    def advance(self) -> Waiting | None:
        """Do what can be done now; what to wait for, or ``None`` at the end."""

    def cancel(self) -> None:
        """Stop as soon as possible."""

    @property
    def course_id(self) -> int | None:
        """The number of the course restored into, once it is known."""


class ImportingOperator(BaseOperator):
    """Runs one job to its end: in the worker while there is something to do, in the triggerer while Canvas works.

    Its state is kept in Airflow's task state store, where it survives retries and a Clear.
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
        self._job: Job | None = None
        self.canvas_url: str | None = None

    @ending_in_one_line
    def execute(self, context: Context) -> dict[str, Any]:
        """Begin, or go on from the state of an earlier attempt."""
        return self._run(context, refused=False)

    @ending_in_one_line
    def execute_complete(self, context: Context, event: dict[str, Any] | None = None) -> dict[str, Any]:
        """Go on after waiting. Canvas itself is asked what became of the import."""
        return self._run(context, refused=isinstance(event, Mapping) and event.get("status") == "refused")

    def on_kill(self) -> None:
        """Break an upload off; keep the state; touch nothing in Canvas."""
        if self._job is not None:
            self._job.cancel()

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
    ) -> Job:
        """The job, from the document that was saved last, if it can be read, or from a fresh state."""

    @abstractmethod
    def finish(self, context: Context) -> dict[str, Any]:
        """Tell what the job came to, and judge it."""

    def _run(self, context: Context, *, refused: bool) -> dict[str, Any]:
        with self._open(context, refused=refused) as (job, host):
            while True:
                waiting = job.advance()
                # The page on which Canvas lists the course's imports, and what it noted.
                self.canvas_url = f"{host}/courses/{job.course_id}/content_migrations"
                if waiting is None:
                    break
                if self.deferrable:
                    self._wait(waiting, context["ti"].try_number)
                asyncio.run(self._stay(waiting))
        return self.finish(context)

    @contextmanager
    def _open(self, context: Context, *, refused: bool) -> Iterator[tuple[Job, str]]:
        """Check the input, restore the state, open Canvas and the archive."""
        store_state = context["task_state_store"]
        self.check()
        lasts = read_duration(self.deadline, field="deadline").total_seconds()
        generation = max(context["ti"].max_tries - (self.retries or 0), 0)
        fresh = RestoreState(deadline=time.time() + lasts, generation=generation)
        with (
            open_archive(self.archive, self.archive_conn_id) as store,
            CanvasHook(self.canvas_conn_id).get_conn() as client,
        ):
            if refused:
                client.whoami()  # otherwise the next watch would be refused as well
            self.canvas_url = client.host
            self._job = self.build(
                context,
                client=client,
                store=store,
                fresh=fresh,
                document=store_state.get(CHECKPOINT),
                save=lambda document: store_state.set(CHECKPOINT, document),
            )
            yield self._job, client.host

    def _wait(self, waiting: Waiting, try_number: int) -> NoReturn:
        """Free the worker until Canvas is done."""
        trigger = CanvasRestoreTrigger(
            canvas_conn_id=self.canvas_conn_id,
            waiting=waiting.to_json(),
            pace=[self.poll_shortest, self.poll_longest],
            try_number=try_number,
        )
        rest = timedelta(seconds=max(waiting.deadline - time.time(), 0.0))
        self.defer(trigger=trigger, method_name="execute_complete", timeout=rest + _BACKSTOP)
        raise AssertionError("defer does not return")

    async def _stay(self, waiting: Waiting) -> None:
        """Wait in this process; the way without a triggerer."""
        async with CanvasHook(self.canvas_conn_id).async_conn() as client:
            await wait_for(client, waiting, shortest=self.poll_shortest, longest=self.poll_longest)
